"""Late cases are peeled when k people came since the last time, so that no group is known to hold a single one (decision 25)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.property.conftest import Engine, rows_of_all
from tests.reference.anonymise import Memory, release_months
from tests.reference.offices import Snapshot, life, months

Late = str | tuple[str, int, str | None]
ALIKE = {
    "body_id": "body0",
    "case_type_code": "service",
    "unit_id": "u1",
    "channel_code": "web",
    "status_code": "closed",
    "outcome_code": "completed",
    "lateness_law_code": "on_time",
    "is_loop": False,
    "reason_code": None,
    "wait_days": 2,
}


def _case(number: int, month: int, service: str, person: str | None = None) -> dict[str, Any]:
    """A case that ended in a month, in everything but its service and its person like the others."""
    finished = months(5)[month].first_on + timedelta(days=9)
    made = life(random.Random(7), number, finished + timedelta(days=99))
    days = {"registered_on": finished - timedelta(days=2), "finished_on": finished}
    key = f"case{number:04}"
    events = [event | {"case_key": key, "occurred_on": None, "occurred_at": None} for event in made["events"]]
    mine = {"case_key": key, "requester_key": person or f"person{number}", "service_id": service, "events": events}
    return {name: value for name, value in made.items() if name != "story"} | ALIKE | days | mine


def _office(late: Sequence[Sequence[Late]]) -> list[Snapshot]:
    """Give two months of forty cases each, the end of a year, and then a month for each list of cases that come late.

    Each is told by its service, by the month in which it ended (first, if not said), by its person (nobody else, if not said).
    """
    calendar, cases = months(2 + len(late)), [_case(n, n % 2, "build") for n in range(80)]
    made = [Snapshot(tuple(cases), tuple(calendar[:2]))]
    for place, came in enumerate(late, 2):
        told = [(each, 0, None) if isinstance(each, str) else each for each in came]
        cases += [_case(100 * place + n, month, service, person) for n, (service, month, person) in enumerate(told)]
        made.append(Snapshot(tuple(cases), (calendar[place],)))
    return made


def _late_groups(engine: Engine, office: Sequence[Snapshot]) -> list[list[tuple[str, int]]]:
    """Run an office: of each later month the service and the cases of each late group; the reference gives the same."""
    memory, found = Memory(), []
    for snapshot, published in zip(office, engine.run(office), strict=True):
        release_months(snapshot.cases, snapshot.due, policy=engine.policy, memory=memory)
        groups = [rows_of_all(published)["case_group"], memory.groups]
        shown = [
            sorted(
                (row["service_id"], row["case_count"]) for row in rows if row["late_for_code"] and _is_of(row, snapshot)
            )
            for rows in groups
        ]
        assert shown[0] == shown[1]
        found.append(shown[0])
    return found[1:]


def _is_of(row: dict[str, Any], snapshot: Snapshot) -> bool:
    return row["release_id"] in {month.code for month in snapshot.due}


def test_late_cases_wait_until_k_came(engine: Engine) -> None:
    """Four and then one make a group of five: margins say that five came, and nobody which of them."""
    assert engine.policy.k == 5
    assert _late_groups(engine, _office([["build"] * 4, ["build"]])) == [[], [("build", 5)]]


def test_a_single_late_case_completes_no_group(engine: Engine) -> None:
    """Four of a service were left when others were grouped; the one that comes next would be known to be the fifth."""
    late = [["build"] * 5 + ["shop"] * 4, ["shop"], ["shop"] * 4]
    assert _late_groups(engine, _office(late)) == [[("build", 5)], [], [("shop", 9)]]


def test_late_cases_of_an_open_year_complete_no_group(engine: Engine) -> None:
    """Margins count them as late, but their year is still open: the four do not hide the one beside them."""
    late: list[list[Late]] = [["build"] * 5 + ["shop"] * 4, ["shop", *[("build", 2, None)] * 4], ["shop"] * 4]
    assert _late_groups(engine, _office(late)) == [[("build", 5)], [], [("shop", 9)]]


def test_late_cases_of_one_person_complete_no_group(engine: Engine) -> None:
    """Who has four of five late cases would know whose is the fifth."""
    mine: list[Late] = [("build", 0, "mine")] * 4
    late: list[list[Late]] = [["build"] * 5 + ["shop"] * 4, ["shop", *mine], ["shop"] * 4]
    assert _late_groups(engine, _office(late)) == [[("build", 5)], [], [("shop", 9)]]
