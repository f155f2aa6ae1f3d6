"""Folders of an instance, its lock and its secret."""

from etl.instance.folders import Instance

__all__ = ["Instance"]
