"""The laws of DESIGN §4 for cohorts and open stock, on random offices: k, once for ever, nothing lost beside the margins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from etl.calendars import parse_period
from tests.property.conftest import Run
from tests.property.test_laws_of_random_offices import POLICY, bounded, offices

RunsOf = Callable[[int], Sequence[Run]]
KIND = ("body_id", "case_type_code")


def summed(rows: Sequence[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Sum cases by body, type and period."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        counted[row["body_id"], row["case_type_code"], row["period_code"]] += row["case_count"]
    return counted


@bounded
@offices
@pytest.mark.parametrize("table", ["cohort_group", "open_group"])
def test_law_1_no_other_group_is_smaller_than_k(runs_of: RunsOf, seed: int, table: str) -> None:
    """Cohorts and open groups have k cases, but for the floor, of which a body, type and period has one."""
    for run in runs_of(seed):
        rows = run.rows[table]
        assert all(row["is_floor"] or row["case_count"] >= POLICY.k for row in rows)
        floors = [tuple(row[name] for name in (*KIND, "period_code")) for row in rows if row["is_floor"]]
        assert len(floors) == len(set(floors))


@bounded
@offices
def test_law_3_cohorts_are_the_registered_cases(runs_of: RunsOf, seed: int) -> None:
    """A cohort and its floor sum to `registered_count` of the months of its period, withdrawn cases in it too."""
    registered: Counter[tuple[Any, ...]] = Counter()
    for run in runs_of(seed):
        for row in run.rows["margin"]:
            registered[row["body_id"], row["case_type_code"], row["month_code"]] += row["registered_count"]
    released = summed([row for run in runs_of(seed) for row in run.rows["cohort_group"]])
    assert released
    for (body, case_type, code), count in released.items():
        period = parse_period("jalali", code)
        months = [month for other, kind, month in registered if (other, kind) == (body, case_type)]
        inside = [month for month in months if parse_period("jalali", month).first_on in period]
        assert count == sum(registered[body, case_type, month] for month in inside)


@bounded
@offices
def test_a_case_is_in_one_cohort_for_ever(runs_of: RunsOf, seed: int) -> None:
    """No case has two placements in the population of cohorts, over three runs."""
    placed = Counter(
        row["case_key"] for run in runs_of(seed) for row in run.rows["placement"] if row["population_code"] == "cohort"
    )
    assert placed
    assert max(placed.values()) == 1


@bounded
@offices
def test_law_3_open_groups_are_the_open_cases(runs_of: RunsOf, seed: int) -> None:
    """Open groups and their floor sum to `open_count` of the year's last month."""
    for run in runs_of(seed):
        ends = {row["release_id"] for row in run.rows["open_group"]}
        stock = {
            (row["body_id"], row["case_type_code"], row["month_code"][:4]): row["open_count"]
            for row in run.rows["margin"]
            if row["month_code"] in ends
        }
        assert summed(run.rows["open_group"]) == {key: count for key, count in stock.items() if count}
