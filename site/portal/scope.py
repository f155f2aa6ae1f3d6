"""Which releases a page speaks of: the twelve that end where a body's newest closed period was released.

A body that is released by season or year has nothing new in most months. A window that ended today would then count the
cases still waiting for their season as hidden and say little; so the window ends with the release that closed the newest
period, and the waiting and open cases of that same month are counted in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.released import Released

WINDOW = 12
FEWEST = 20  # cases below which no share is said in a sentence
LEADING_SHARE = 0.2  # of a body's finished cases from which information requests lead its page
_OF_PEOPLE = ("foi", "service", "complaint", "appeal")  # what people ask; the office's own letters come after
_TOLD = """
select distinct body_id, case_type_code, release_id from case_group where late_for_code is null and replaces_id is null
order by body_id, case_type_code, release_id
"""
_LAST_REGISTERED = """
select body_id, case_type_code, max(month_code) as month_code
from margin where registered_count + late_registered_count > 0 group by body_id, case_type_code
"""
_Key = tuple[str, str]


@dataclass(frozen=True)
class Scope:
    """A body and case type with the first and last release of the window.

    quiet_since: the last month with a registration, where the newest twelve have none; empty elsewhere.
    """

    body: str
    case_type: str
    first_release: str
    release: str
    quiet_since: str = ""

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
    """Give the scopes of each body, the case type that leads its page first (see `leading_order`)."""
    told: dict[_Key, list[str]] = {}
    for row in released.rows(_TOLD):
        told.setdefault((row["body_id"], row["case_type_code"]), []).append(row["release_id"])
    registered = {(row["body_id"], row["case_type_code"]): row["month_code"] for row in released.rows(_LAST_REGISTERED)}
    last = released.newest.release_id
    first = released.since(last, months=WINDOW)
    found: dict[str, dict[str, int]] = {}
    for row in released.ask("bodies", first_release=first, release=last):
        found.setdefault(row["body_id"], {})[row["case_type_code"]] = row["finished_count"]
    return {
        body: [
            make_scope(released, body, each, told=told.get((body, each), []), registered=registered.get((body, each)))
            for each in leading_order(finished)
        ]
        for body, finished in found.items()
    }


def make_scope(released: Released, body: str, case_type: str, *, told: Sequence[str], registered: str | None) -> Scope:
    """Give the window that ends with the newest of the releases in `told`; an earlier one where nothing came in since.

    told: the releases that told a period, in order. registered: the last month with a registration.
    """
    end = told[-1] if told else released.newest.release_id
    first = released.since(end, months=WINDOW)
    if registered is None or registered >= first:
        return Scope(body, case_type, first, end)
    end = next((release for release in told if release >= registered), end)
    return Scope(body, case_type, released.since(end, months=WINDOW), end, registered)


def leading_order(finished: Mapping[str, int]) -> list[str]:
    """Order case types by what a page should lead with, given the finished cases of each.

    Information requests where they are a fifth of all; then what people ask, most first; then the office's own letters.

    >>> leading_order({"correspondence": 900, "service": 60, "foi": 40, "other": 3})
    ['foi', 'service', 'correspondence', 'other']
    """
    asked = sum(count for case_type, count in finished.items() if case_type in _OF_PEOPLE)

    def rank(case_type: str) -> tuple[bool, bool, int, str]:
        count = finished[case_type]
        leads = case_type == "foi" and count >= FEWEST and count >= LEADING_SHARE * asked
        return leads, case_type in _OF_PEOPLE and count > 0, count, case_type

    return sorted(finished, key=rank, reverse=True)
