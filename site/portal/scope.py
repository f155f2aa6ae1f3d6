"""Which releases a page speaks of: the twelve that end where a body's newest closed period was released.

A body that is released by season or year has nothing new in most months. A window that ended today would then count the
cases still waiting for their season as hidden and say little; so the window ends with the release that closed the newest
period, and the waiting and open cases of that same month are counted in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.released import Released

WINDOW = 12
FEWEST = 20  # cases below which no share is said in a sentence
_NEWEST = """
select body_id, case_type_code, max(release_id) as release_id
from case_group where late_for_code is null group by body_id, case_type_code
"""


@dataclass(frozen=True)
class Scope:
    """A body and case type with the first and last release of the window."""

    body: str
    case_type: str
    first_release: str
    release: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of a query about this scope."""
        return {
            "body": self.body,
            "case_type": self.case_type,
            "first_release": self.first_release,
            "release": self.release,
        }


def find_scopes(released: Released) -> dict[str, list[Scope]]:
    """Give the scopes of each body, the case type with most finished cases first; information requests lead if enough."""
    newest = {(row["body_id"], row["case_type_code"]): row["release_id"] for row in released.rows(_NEWEST)}
    last = released.newest.release_id
    first = released.since(last, months=WINDOW)
    found: dict[str, list[tuple[tuple[int, int], Scope]]] = {}
    for row in released.ask("bodies", first_release=first, release=last):
        body, case_type, finished = row["body_id"], row["case_type_code"], row["finished_count"]
        end = newest.get((body, case_type), last)
        scope = Scope(body, case_type, released.since(end, months=WINDOW), end)
        leads = case_type == "foi" and finished >= FEWEST
        found.setdefault(body, []).append(((int(leads), finished), scope))
    return {
        body: [scope for _, scope in sorted(ranked, key=lambda pair: pair[0], reverse=True)]
        for body, ranked in found.items()
    }
