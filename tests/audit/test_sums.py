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
