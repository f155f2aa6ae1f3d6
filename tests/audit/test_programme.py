"""Linear programs bound hidden cells as an exhaustive search does, and sensitive ones that are narrow are seen."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from etl.audit import Evidence, programme
from etl.audit.bounds import Bounds
from etl.audit.candidates import Candidates
from tests.audit.conftest import learnt, planted

ROWS, COLUMNS = (3, 4), (2, 1, 4)


def _attack(evidence: Evidence) -> Any:
    return programme.attack(evidence, seed=1, attempts=1)


@pytest.mark.parametrize("cap", [2, 3, 7])
def test_bounds_are_those_of_an_exhaustive_search(cap: int) -> None:
    """A table of two by three with known margins, each cell at most `cap`."""
    tables = [
        cells
        for cells in itertools.product(range(cap + 1), repeat=6)
        if tuple(sum(cells[r * 3 : r * 3 + 3]) for r in range(2)) == ROWS
        and tuple(cells[c] + cells[c + 3] for c in range(3)) == COLUMNS
    ]
    bounds = Bounds(6)
    for row, total in enumerate(ROWS):
        bounds.add(range(row * 3, row * 3 + 3), least=total, most=total)
    for column, total in enumerate(COLUMNS):
        bounds.add([column, column + 3], least=total, most=total)
    for cell in range(6):
        bounds.add([cell], most=cap)
    for cell in range(6):
        expected = (min(t[cell] for t in tables), max(t[cell] for t in tables)) if tables else None
        assert bounds.of([cell]) == expected


def test_numbers_that_no_table_fits_have_no_bounds(capfd: pytest.CaptureFixture[str]) -> None:
    """Contradicting sums are said to be none; the solver writes nothing where machines read."""
    bounds = Bounds(1)
    bounds.add([0], least=5, most=5)
    bounds.add([0], most=4)
    assert bounds.of([0]) is None
    assert capfd.readouterr().out == ""


def test_a_clean_office_leaves_nothing_narrow(evidence: Evidence) -> None:
    """Small remainders fit in any cell."""
    attack = _attack(evidence)
    assert attack.hit_count == 0
    assert attack.attempts > 0


def test_a_narrow_cell_of_a_sensitive_service_is_seen(evidence: Evidence) -> None:
    """So many cases of a sensitive service below the rung of outcomes that each outcome occurs, fewer than k times."""
    outcomes = len(Candidates(evidence, evidence.newest.policy).outcomes({"service_id": "loan"}))

    def added(rows: list[dict[str, Any]], service: str) -> list[dict[str, Any]]:
        own = {"case_group_id": 39_000_001, "release_id": "1403-03", "body_id": "alef", "case_type_code": "complaint"}
        own |= {"period_code": "1403-03", "is_floor": False, "rung_number": 6, "case_count": (outcomes - 1) * 9 + 3}
        own |= {"service_id": service, "service_level": "leaf", "lateness_code": "on_time"}
        return [*rows, dict.fromkeys(rows[0]) | own]

    sensitive = _attack(planted(evidence, {"case_group": lambda rows: added(rows, "loan")}))
    assert learnt(sensitive) == {"narrow_cell"}
    assert _attack(planted(evidence, {"case_group": lambda rows: added(rows, "build")})).hit_count == 0


def test_what_the_statutory_table_narrows_is_a_counted_limit(evidence: Evidence) -> None:
    """Two cases not held, and one floor of three that alone hides an outcome: the Act makes it exact."""

    def one_floor(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["body_id"] == "alef" and (not row["is_floor"] or row["case_count"] == 3)]

    def fitting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        counts = {"granted_full": 131, "refused_exempt": 33, "not_held": 2}
        return [row | {"case_count": counts[row["value_code"]]} for row in rows]

    attack = _attack(planted(evidence, {"case_group": one_floor, "statutory": fitting}))
    assert attack.hit_count == 0
    assert attack.limits.get("statutory_narrow", 0) >= 1
