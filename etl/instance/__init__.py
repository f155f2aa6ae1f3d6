"""Folders of an instance, its lock and its secret."""

from etl.instance.current import current_release
from etl.instance.disk import explain_disk
from etl.instance.folders import Instance

__all__ = ["Instance", "current_release", "explain_disk"]
