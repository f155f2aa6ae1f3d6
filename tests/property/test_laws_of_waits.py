"""The laws of waits over closed sets, on random offices: whole groups by published columns, company on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from etl.anonymise.company import known_of, together
from tests.property.conftest import Run
from tests.property.test_laws_of_random_offices import POLICY, bounded, members_of, offices
from tests.reference.duration import WAITS
from tests.reference.peel import requesters
from tests.reference.values import up

RunsOf = Callable[[int], Sequence[Run]]


def selected(run: Run, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Select the groups of a row of `duration` as any reader does: by published columns."""
    groups = [group for group in run.rows["case_group"] if group["body_id"] == row["body_id"]]
    groups = [group for group in groups if group["period_code"].startswith(row["year_code"])]
    groups = [group for group in groups if group["release_id"] <= row["release_id"]]
    if row["case_type_code"] is not None:
        groups = [group for group in groups if group["case_type_code"] == row["case_type_code"]]
    if row["service_level"] == "family":
        groups = [g for g in groups if g["service_id"] and up(g["service_id"], POLICY.services) == row["service_id"]]
    if row["service_level"] == "leaf":
        groups = [g for g in groups if (g["service_id"], g["service_level"]) == (row["service_id"], "leaf")]
    return groups


@bounded
@offices
def test_law_2_a_wait_of_a_year_stands_for_whole_groups(runs_of: RunsOf, seed: int) -> None:
    """`scope_count` is the sum of `case_count` that a reader makes; a year is released once, with its last month."""
    run = runs_of(seed)[0]
    for row in run.rows["duration"]:
        assert row["scope_count"] == sum(group["case_count"] for group in selected(run, row))
        assert row["release_id"] == f"{row['year_code']}-12"
    names = ("year_code", "body_id", "case_type_code", "service_id", "service_level")
    rows = [row for run in runs_of(seed) for row in run.rows["duration"]]
    assert max(Counter(tuple(row[name] for name in names) for row in rows).values()) == 1
    assert any(group["is_floor"] for row in run.rows["duration"] for group in selected(run, row))


@bounded
@offices
def test_law_1_waits_of_a_year_have_company(runs_of: RunsOf, seed: int) -> None:
    """A figure has four waits on each side among the waits of k people, none of whom has half of them."""
    run = runs_of(seed)[0]
    cases, members = {case["case_key"]: case for case in run.snapshot.cases}, members_of(run)
    for row in run.rows["duration"]:
        inside = [cases[key] for group in selected(run, row) for key in members[group["group_key"]]]
        timed = [case for case in inside if case["wait_days"] is not None]
        waits, asked = sorted(case["wait_days"] for case in timed), requesters(timed)
        assert len(asked) >= POLICY.k
        assert 2 * max(asked.values()) <= len(timed)
        for name, percent in WAITS.items():
            rank = -(-len(waits) * percent // 100)
            assert row[name] is None or (row[name] == waits[rank - 1] and rank > 4 and len(waits) - rank >= 4)


def test_a_figure_stands_back_where_its_neighbours_are_known() -> None:
    """Of thirty waits twelve are known to be short: a figure needs four more below it, and four above it."""
    known = together([known_of(6, most=2), known_of(6, most=2), known_of(18)])
    assert known.leaves_company(17, 9)
    assert not known.leaves_company(16, 9)
    assert known.leaves_company(16, 1)  # none of the twelve is known to be shorter than a day
    assert not known.leaves_company(27, 30)


def test_figures_below_say_what_lies_on_either_side() -> None:
    """A third value of four days puts the waits from it on at four at least, and those up to it at four at most."""
    known = known_of(5, least=1, most=9).sharpened({3: 4})
    assert known.least.tolist() == [1, 1, 4, 4, 4]
    assert known.most.tolist() == [4, 4, 4, 9, 9]
    counted = known_of(5).split(10, below=3, above=1)
    assert counted.most.tolist()[:3] == [10, 10, 10]
    assert int(np.count_nonzero(counted.least > 10)) == 1
