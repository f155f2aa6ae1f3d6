"""Which cases a release need not look at: by small tables of what earlier releases said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise import History, anonymise, with_settled
from etl.calendars import parse_period
from etl.model.published import Published
from tests.fixtures.tiny_office import tiny_calendar, tiny_due, tiny_policy, tiny_staging
from tests.reference.runs import PLACEMENT, next_history, rows_of

CASE = pa.schema([("case_key", pa.string()), ("status_code", pa.string())])
REGISTERED, LATE = ("registered", None, "1403-05", "1403-05"), ("registered", None, "1403-06", "1403-05")
COHORT = ("cohort", None, "1403-06", "1403-05")
WAITS, GROUPED = ("finished", None, "1403-05", "1403-05"), ("finished", 7, "1403-05", "1403-05")
REOPENED, WITHDRAWN = ("reopened", None, "1403-06", "1403-06"), ("withdrawn", None, "1403-06", "1403-06")


def settled(
    backend: Any, *said: tuple[str, int | None, str, str], status: str = "closed", due: str = "1403-07"
) -> bool:
    """Say whether a case of which earlier releases said this (population, group, release, period) is settled."""
    columns = ("population_code", "case_group_id", "release_id", "period_code")
    rows = [dict(zip(columns, each, strict=True)) | {"case_key": "a"} for each in said]
    case = backend.create_table(f"case_{len(backend.list_tables())}", pa.table([["a"], [status]], schema=CASE))
    placed = pa.Table.from_pylist(rows, schema=PLACEMENT)
    placement = backend.create_table(f"placed_{len(backend.list_tables())}", placed)
    month = parse_period("jalali", due)
    history = History(due=(month,), first_month=month, placement=placement, margin=placement)
    found = with_settled(history, case, policy=tiny_policy()).settled
    return found is not None and rows_of(found) == [{"case_key": "a"}]


@pytest.mark.parametrize(
    ("said", "is_settled"),
    [
        ((REGISTERED, COHORT, GROUPED), True),
        ((REGISTERED, COHORT, WAITS, GROUPED), True),
        ((LATE, GROUPED), True),  # too late for a cohort
        ((REGISTERED, GROUPED), False),  # its cohort is to come
        ((REGISTERED, COHORT), False),  # open
        ((REGISTERED, COHORT, WAITS), False),
        ((COHORT, GROUPED), False),  # never counted as registered
        ((REGISTERED, COHORT, GROUPED, REOPENED), False),
        ((REGISTERED, COHORT, GROUPED, WITHDRAWN), False),
    ],
)
def test_a_case_is_settled_when_nothing_of_it_is_to_come(backend: Any, said: Any, *, is_settled: bool) -> None:
    """Registered, its cohort out, in a group, never reopened."""
    assert settled(backend, *said) == is_settled


def test_a_case_that_is_reopened_now_is_not_settled(backend: Any) -> None:
    """Earlier releases cannot know it; staging does."""
    assert not settled(backend, REGISTERED, COHORT, GROUPED, status="reopened")


def test_no_case_is_settled_when_a_year_ends(backend: Any) -> None:
    """The numbers of a year count all its cases."""
    assert not settled(backend, REGISTERED, COHORT, GROUPED, due="1403-12")


def test_no_case_is_settled_before_the_first_release(backend: Any) -> None:
    """Nothing was said of any case."""
    month = parse_period("jalali", "1403-07")
    case = backend.create_table(f"case_{len(backend.list_tables())}", pa.table([["a"], ["closed"]], schema=CASE))
    history = History(due=(month,), first_month=month)
    assert with_settled(history, case, policy=replace(tiny_policy(), k=10)).settled is None


def test_what_is_released_is_the_same(backend: Any, tiny_runs: tuple[Published, Published]) -> None:
    """The second run of the tiny office gives the same rows without its settled cases."""
    policy, staging = tiny_policy(), tiny_staging(backend, batch=2)
    first = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    history = with_settled(next_history(backend, first, tiny_runs[0], due=tiny_due(2)), staging.case, policy=policy)
    assert len(rows_of(history.settled)) > 0
    made = anonymise(staging, calendar=tiny_calendar(backend), policy=policy, history=history)
    for name in ("margin", "case_group", "case_group_step", "statutory", "placement"):
        assert plain(getattr(made, name)) == plain(getattr(tiny_runs[1], name)), name
    for name, relation in made.numbers.items():
        assert plain(relation) == plain(tiny_runs[1].numbers[name]), name


def plain(relation: Any) -> list[str]:
    """Give rows in an order of their own, without the keys that hold for one run."""
    rows = rows_of(relation)
    return sorted(repr({name: row[name] for name in row if name not in ("group_key", "trace_key")}) for row in rows)
