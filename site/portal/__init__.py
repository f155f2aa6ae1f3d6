"""The public side: build the static site from a released database and serve it. Reads released data only.

Its functions are loaded when they are asked for: a run that only extracts or releases needs neither pages nor a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from portal.build import build_site
    from portal.placing import heal_site
    from portal.serving import make_app, serve

__all__ = [
    "build_site",
    "heal_site",
    "make_app",
    "serve",
]
__getattr__ = late(
    __name__,
    {
        "build": ("build_site",),
        "placing": ("heal_site",),
        "serving": ("make_app", "serve"),
    },
)
