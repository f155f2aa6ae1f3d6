"""The public side: build the static site from a released database and serve it. Reads released data only."""

from portal.build import build_site
from portal.placing import heal_site
from portal.serving import make_app, serve

__all__ = ["build_site", "heal_site", "make_app", "serve"]
