"""The public side: build the static site from a released database and serve it. Reads released data only.

Its functions are loaded when they are asked for: a run that only extracts or releases needs neither pages nor a server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.build import build_site
    from portal.placing import heal_site
    from portal.serving import make_app, serve

__all__ = ["build_site", "heal_site", "make_app", "serve"]
_HOMES = {
    "build_site": "portal.build",
    "heal_site": "portal.placing",
    "make_app": "portal.serving",
    "serve": "portal.serving",
}


def __getattr__(name: str) -> object:
    """Load the module of a public function (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
