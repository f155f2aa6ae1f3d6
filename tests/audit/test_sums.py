"""Exact tables beside the groups: what subtraction gives is nothing, exact by law and counted, or a hit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from etl.audit import Evidence, sums
from tests.audit.conftest import learnt, planted

Rows = list[dict[str, Any]]
SUMS = {"case_group_rollup": "case_count", "coverage": "kept_count", "representativeness": "on_time_at_least_count"}


def _attack(evidence: Evidence) -> Any:
    return sums.attack(evidence, seed=1, attempts=1)


def test_what_the_law_makes_exact_is_a_counted_limit(evidence: Evidence) -> None:
    """A cell of two in the statutory table, and two cases that groups hide: limits of the Act, not hits."""
    attack = _attack(evidence)
    assert attack.hit_count == 0
    assert attack.limits["statutory"] == 1
    assert attack.limits["statutory_less_groups"] >= 1
    assert attack.limits["not_shown"] > 0


def test_exact_counts_of_another_case_type_are_seen(evidence: Evidence) -> None:
    """A statutory table of a case type that the policy does not name is a second table beside the margin."""

    def other(rows: Rows) -> Rows:
        return [row | {"case_type_code": "complaint"} for row in rows]

    tables = ("statutory", "case_group", "case_group_rollup", "coverage", "margin")
    attack = _attack(planted(evidence, dict.fromkeys(tables, other)))
    assert learnt(attack) == {"undeclared_exact", "hidden_value"}


@pytest.mark.parametrize("left", [1, 9])
def test_a_residue_that_was_dropped_is_seen(evidence: Evidence, left: int) -> None:
    """Where floor rows are missing, the margin less the groups is their size."""

    def dropped(rows: Rows) -> Rows:
        kept = [row for row in rows if not row["is_floor"] or row["release_id"] != "1403-01"]
        kept[0]["case_count"] += 3 - left
        return kept

    assert "remainder" in learnt(_attack(planted(evidence, {"case_group": dropped})))


@pytest.mark.parametrize(("seen_late", "is_known"), [(2, True), (3, True), (1, False)])
def test_who_was_seen_late_within_a_season_is_counted_as_late(
    evidence: Evidence, seen_late: int, is_known: bool
) -> None:
    """Two cases more in the groups of a season than finished in its months: the margin names them as late, or they are a leak."""

    def of_season(rows: Rows) -> Rows:
        return [row | {"period_code": "1403-S1"} if row["body_id"] == "be" else row for row in rows]

    def late(rows: Rows) -> Rows:
        for row in rows:
            if (row["body_id"], row["month_code"]) == ("be", "1403-02"):
                row |= {"finished_count": row["finished_count"] - 2, "late_finished_count": seen_late}
        return rows

    attack = _attack(planted(evidence, {"case_group": of_season, "margin": late}))
    assert ("remainder" in learnt(attack)) is not is_known


@pytest.mark.parametrize(
    ("more", "month", "waits", "is_known"),
    [
        (-2, "1403-02", 2, True),  # counted as ended, then gone or of another day at the source: they wait
        (-2, "1403-02", 1, False),
        (2, "1403-01", 2, True),  # counted before, and since then of a day of this month
        (2, "1403-01", 1, False),
        (2, "1403-02", 2, False),
        (-2, "1403-01", 2, False),
    ],
)
def test_who_was_counted_and_not_grouped_waits(
    evidence: Evidence, more: int, month: str, waits: int, *, is_known: bool
) -> None:
    """Groups of a month and what it counts differ by two: those who wait after it, or waited before, or they are a leak."""

    def changed(rows: Rows) -> Rows:
        for row in rows:
            if row["month_code"] == "1403-02":
                row["finished_count"] -= more
            row["awaiting_count"] = waits if row["month_code"] == month else 0
        return rows

    assert ("remainder" in learnt(_attack(planted(evidence, {"margin": changed})))) is not is_known


def test_who_was_seen_late_is_in_no_group_of_his_month(evidence: Evidence) -> None:
    """Late cases of a month ended before it: they explain nothing of its own groups."""

    def late(rows: Rows) -> Rows:
        return [row | {"finished_count": row["finished_count"] - 2, "late_finished_count": 2} for row in rows]

    assert "remainder" in learnt(_attack(planted(evidence, {"margin": late})))


def test_tables_of_sums_are_looked_at_row_by_row(evidence: Evidence) -> None:
    """The published sums are those that anybody makes of the groups."""
    bare = {name: table for name, table in evidence.tables.items() if name not in SUMS}
    assert _attack(evidence).attempts > _attack(replace(evidence, tables=bare)).attempts


@pytest.mark.parametrize("figure", SUMS.items())
def test_a_second_table_at_k_beside_the_groups_is_seen(evidence: Evidence, figure: tuple[str, str]) -> None:
    """A table counted apart is at least k everywhere, and still differs from the groups by single cases."""
    name, column = figure

    def more(rows: Rows) -> Rows:
        return [row | {column: row[column] + 2 if (row[column] or 0) >= evidence.k else row[column]} for row in rows]

    assert learnt(_attack(planted(evidence, {name: more}))) == {"second_partition"}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [
            row | {"case_count": row["case_count"] - 5} if row["value_code"] == "not_held" else row for row in rows
        ],
        lambda rows: rows,
    ],
)
def test_statutory_tables_stay_limits(evidence: Evidence, change: Callable[[Rows], Rows]) -> None:
    """Whatever the size of a declared cell, it is the Act's and no hit."""
    assert _attack(planted(evidence, {"statutory": change})).hit_count == 0
