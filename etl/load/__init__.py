"""Load: numbered groups become immutable releases, and releases become one SQLite database (DESIGN §5, §6).

Stands after `etl.anonymise` in the data's way and before the portal. It may touch `datasets/`, `var/placement` and
`var/correction`, and reads the public labels beside staging; it never reads staged cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from etl.load.archive import list_releases
    from etl.load.attestation import Origin, read_origin
    from etl.load.attested import Compared, compare_release
    from etl.load.correction import DROPPABLE, Correction
    from etl.load.corrections import Preview, ask, waiting_requests
    from etl.load.database import build_database, is_current_shape
    from etl.load.describe import datasette_metadata
    from etl.load.healing import heal
    from etl.load.history import (
        Past,
        earlier_cells,
        newest_decisive,
        policy_of,
        read_history,
        released_groups,
        released_timelines,
    )
    from etl.load.placement import PLACEMENT
    from etl.load.release import ReleaseSummary, recount, write_releases
    from etl.load.totals import view_sources

__all__ = [
    "DROPPABLE",
    "PLACEMENT",
    "Compared",
    "Correction",
    "Origin",
    "Past",
    "Preview",
    "ReleaseSummary",
    "ask",
    "build_database",
    "compare_release",
    "datasette_metadata",
    "earlier_cells",
    "heal",
    "is_current_shape",
    "list_releases",
    "newest_decisive",
    "policy_of",
    "read_history",
    "read_origin",
    "recount",
    "released_groups",
    "released_timelines",
    "view_sources",
    "waiting_requests",
    "write_releases",
]
__getattr__ = late(
    __name__,
    {
        "archive": ("list_releases",),
        "attestation": ("Origin", "read_origin"),
        "attested": ("Compared", "compare_release"),
        "correction": ("Correction", "DROPPABLE"),
        "corrections": ("Preview", "ask", "waiting_requests"),
        "database": ("build_database", "is_current_shape"),
        "describe": ("datasette_metadata",),
        "healing": ("heal",),
        "history": (
            "Past",
            "earlier_cells",
            "newest_decisive",
            "policy_of",
            "read_history",
            "released_groups",
            "released_timelines",
        ),
        "placement": ("PLACEMENT",),
        "release": ("ReleaseSummary", "recount", "write_releases"),
        "totals": ("view_sources",),
    },
)
