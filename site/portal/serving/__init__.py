"""The server of the public side: one port for the site, the tables, the downloads and search (DESIGN §7)."""

from portal.serving.front import make_app
from portal.serving.server import serve

__all__ = ["make_app", "serve"]
