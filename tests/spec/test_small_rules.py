"""Small rules of anonymisation, each on a few rows or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from etl.anonymise import History, anonymise, due_months
from etl.anonymise.cohort import COLUMNS, cohort_table
from etl.anonymise.held import check_operations, hold_rows
from etl.anonymise.population import Peeled, Population
from etl.anonymise.traces import token_weights
from etl.calendars import parse_period
from etl.errors import PrivacyError, ReleaseError
from etl.metadata import Policy
from etl.metadata.settings import Cadence, Statutory
from etl.model.published import Published
from tests.fixtures.tiny_office import tiny_calendar, tiny_due, tiny_policy, tiny_staging
from tests.reference.runs import next_history, rows_of


def test_a_month_is_due_when_it_has_settled() -> None:
    """A month is due from `settle_days` after its last day on, and not a day earlier."""
    first = date(2024, 12, 25)
    assert due_months(Policy(), as_of=date(2025, 2, 2), first=first, released=[]) == ()
    assert [month.code for month in due_months(Policy(), as_of=date(2025, 2, 3), first=first, released=[])] == [
        "1403-10"
    ]


def test_due_months_follow_the_newest_release() -> None:
    """What was released is never due again, even if an earlier case turns up."""
    due = due_months(Policy(), as_of=date(2025, 4, 20), first=date(2024, 1, 1), released=["1403-10", "1403-11"])
    assert [month.code for month in due] == ["1403-12"]


def test_a_run_without_a_due_month_is_refused() -> None:
    """A history without months is an error in three parts."""
    with pytest.raises(ReleaseError, match="no month to release"):
        History(due=(), first_month=parse_period("jalali", "1403-10"))


def test_lost_placements_stop_a_release(backend: Any) -> None:
    """Margins without placements are refused: a case could be placed twice."""
    margin = backend.create_table("lost_margin", schema={"month_code": "string"})
    with pytest.raises(PrivacyError, match="without placements"):
        History(due=tiny_due(2), first_month=tiny_due(1)[0], margin=margin)


def test_a_month_left_out_stops_a_release(backend: Any, tiny_runs: tuple[Published, Published]) -> None:
    """The newest earlier margins must be those of the month before the first due one."""
    start = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    history = next_history(backend, start, tiny_runs[0], due=(parse_period("jalali", "1404-02"),))
    calendar = tiny_calendar(backend)
    with pytest.raises(PrivacyError, match="1403-12"):
        anonymise(tiny_staging(backend), calendar=calendar, policy=tiny_policy(), history=history)


def test_a_case_before_the_calendar_stops_a_release(backend: Any) -> None:
    """No case may be lost because the calendar begins after it."""
    days = tiny_policy().calendar.working.days(date(2025, 1, 1), date(2025, 6, 1))
    short = backend.create_table("short_calendar", days)
    history = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    staging = tiny_staging(backend, batch=1)
    with pytest.raises(PrivacyError, match="before the calendar"):
        anonymise(staging, calendar=short, policy=tiny_policy(), history=history)


def test_an_instance_without_statutory_duty_publishes_an_empty_table(backend: Any) -> None:
    """Without dimensions the statutory table is there, and empty."""
    policy = replace(tiny_policy(), statutory=Statutory(case_types=(), dimensions=()))
    history = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    staging = tiny_staging(backend, batch=1)
    made = anonymise(staging, calendar=tiny_calendar(backend), policy=policy, history=history)
    assert rows_of(made.statutory) == []


def test_operations_that_engines_answer_differently_are_refused(backend: Any) -> None:
    """A hash, an approximate median and an anti join do not pass the door to the engine."""
    table = backend.create_table("some_days", schema={"name": "string", "days": "int64"})
    other = table.view()
    for relation in (
        table.mutate(h=table.name.hash()),
        table.agg(m=table.days.approx_median()),
        table.anti_join(other, "name"),
        table.mutate(now=ibis.now()),
        table.mutate(chance=ibis.random()),
    ):
        with pytest.raises(PrivacyError, match="engine"):
            check_operations(relation)


def test_what_anonymise_hands_over_uses_allowed_operations_only(tiny_runs: tuple[Published, Published]) -> None:
    """The relations that leave anonymise are made of allowed operations; held ones were checked when they were held."""
    for run in tiny_runs:
        for table in ("margin", "case_group", "case_group_step", "trace_step", "statutory", "placement"):
            check_operations(getattr(run, table))


def test_a_report_tells_no_small_count(tiny_runs: tuple[Published, Published]) -> None:
    """Reports name k and its basis, and sums of whole groups only."""
    report = tiny_runs[0].report["1403-10"]
    assert (report["k"], report["k_basis"], report["case_count"], report["floor_count"]) == (5, "cases", 7, "< k")
    assert report["kept_shares"]["outcome_code"] == 0.7143


def test_fingerprints_depend_on_the_policy_only() -> None:
    """Weights follow from token and key alone: the same today and tomorrow."""
    assert token_weights(1, "intake", "", b"k") == token_weights(1, "intake", "", b"k")
    assert token_weights(1, "intake", "", b"k") != token_weights(1, "intake", "", b"l")


def test_a_cohort_says_the_cadence_it_was_released_in(backend: Any) -> None:
    """The season of a body stays one when the limits of cadences change within the year."""
    case = hold_rows(backend, "cohort_case", [], pa.schema([("case_number", pa.int32())]))
    season = Peeled(Population("cohort_group", COLUMNS, ()), case, [], {("1403-08", "alef", "service", "1403-S2"): 30})
    [row] = rows_of(cohort_table(season, replace(Policy(), cadence=Cadence(month=1))))
    assert (row["cadence_code"], row["period_first_on"], row["case_count"]) == ("season", date(2024, 6, 21), 30)
