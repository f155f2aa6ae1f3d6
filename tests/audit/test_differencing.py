"""Releases that differ by single cases are seen; releases that only grow are not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.audit import Evidence, differencing
from tests.audit.conftest import learnt, planted

Rows = list[dict[str, Any]]


def _attack(evidence: Evidence) -> Any:
    return differencing.attack(evidence, seed=1, attempts=200)


def _corrected(evidence: Evidence, new: Mapping[str, Any], *, times: int = 1, first: bool = True) -> Evidence:
    """The first fine group withdrawn, and replaced by a row of the last release that differs by `new`."""
    group = evidence.table("case_group").to_pylist()
    old = next(row for row in group if row["rung_number"] == 1)
    successor = old | {"case_group_id": 39_000_001, "release_id": "1403-03", "late_for_code": old["period_code"]}
    names = evidence.table("withdrawal").schema
    row = {"withdrawal_id": 1, "release_id": "1403-03", "case_group_id": old["case_group_id"] if first else 5}
    rows = [row | {"withdrawal_id": n, "reason_code": "wrong", "replaced_by_id": 39_000_001} for n in range(times)]
    return replace(
        planted(evidence, {"case_group": lambda rows: [*rows, successor | new]}),
        tables={
            **planted(evidence, {"case_group": lambda rows: [*rows, successor | new]}).tables,
            "withdrawal": pa.Table.from_pylist(rows, schema=names),
        },
    )


def test_releases_that_grow_are_clean(evidence: Evidence) -> None:
    """New months and a late group of k give no hit."""
    attack = _attack(evidence)
    assert attack.hit_count == 0
    assert attack.attempts >= 200


def test_a_period_run_again_with_late_cases_is_seen(evidence: Evidence) -> None:
    """The same period in a second release is the first one plus whoever was late."""

    def again(rows: Rows) -> Rows:
        return [*rows, rows[0] | {"case_group_id": 39_000_001, "release_id": "1403-03", "case_count": 25}]

    assert learnt(_attack(planted(evidence, {"case_group": again}))) == {"released_again"}


def test_a_late_group_below_k_is_seen(evidence: Evidence) -> None:
    """Late cases are peeled among themselves: nine of them are the difference of two releases."""

    def few(rows: Rows) -> Rows:
        return [row | {"case_count": 9} if row["late_for_code"] else row for row in rows]

    assert learnt(_attack(planted(evidence, {"case_group": few}))) == {"small_count"}


def test_a_late_group_that_one_case_made_is_seen(evidence: Evidence) -> None:
    """Nine that were left over and one that came: the month counts one, and the group of ten is known to hold it."""

    def one(rows: Rows) -> Rows:
        return [row | {"late_finished_count": min(row["late_finished_count"], 1)} for row in rows]

    assert learnt(_attack(planted(evidence, {"margin": one}))) == {"late_alone"}


def test_a_month_counted_again_is_seen(evidence: Evidence) -> None:
    """A margin is never restated."""

    def again(rows: Rows) -> Rows:
        return [*rows, rows[0] | {"margin_id": 39_000_001, "release_id": "1403-03"}]

    assert learnt(_attack(planted(evidence, {"margin": again}))) == {"restated"}


def test_a_correction_to_one_coarser_row_is_clean(evidence: Evidence) -> None:
    """The wrong column dropped, as many cases: nothing is learnt."""
    assert _attack(_corrected(evidence, {"channel_code": None, "rung_number": 2})).hit_count == 0


@pytest.mark.parametrize(
    ("new", "slug"),
    [
        ({"case_count": 23}, "correction_count"),
        ({"service_id": "shop", "trace_id": None}, None),
    ],
)
def test_a_correction_by_one_case_is_seen(evidence: Evidence, new: Mapping[str, Any], slug: str | None) -> None:
    """Withdraw 24 and add 23 again, and the missing case is known (11 to 10 is the same)."""
    assert learnt(_attack(_corrected(evidence, new))) == ({slug} if slug else set())


def test_a_correction_that_shows_more_is_seen(evidence: Evidence) -> None:
    """A successor may drop detail, never add it."""
    coarse = planted(
        evidence,
        {"case_group": lambda rows: [row | {"unit_id": None} if row["rung_number"] == 1 else row for row in rows]},
    )
    assert learnt(_attack(_corrected(coarse, {"unit_id": "alef_tech"}))) == {"correction_finer"}


def test_a_correction_made_twice_or_of_nothing_is_seen(evidence: Evidence) -> None:
    """No withdrawn case enters another group, ever."""
    assert learnt(_attack(_corrected(evidence, {}, times=2))) == {"correction_unknown"}
    assert learnt(_attack(_corrected(evidence, {}, first=False))) == {"correction_unknown"}


def test_a_database_that_lost_a_row_of_the_one_before_is_seen(evidence: Evidence, tmp_path: Path) -> None:
    """A reader who kept yesterday's file compares it with today's."""
    older, newer = tmp_path / "portal-1403-02.db", tmp_path / "portal-1403-03.db"
    for path in (older, newer):
        shutil.copy(evidence.databases[-1], path)
    kept = replace(evidence, databases=(older, newer))
    assert _attack(kept).hit_count == 0
    with sqlite3.connect(newer) as connection:
        connection.execute("update case_group set case_count = case_count - 1 where rung_number = 1")
        connection.execute("update total set at_least = at_least - 1 where at_least > 20")
    connection.close()
    assert learnt(_attack(kept)) == {"changed_row", "small_count"}
