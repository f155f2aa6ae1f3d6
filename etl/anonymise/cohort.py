"""The cohort of a month: its registered cases by service, channel, applicant and what had become of them, released once.

A cohort is every case counted in `registered_count` of the month (DESIGN §4 "The other published numbers"); it goes out
with the first month at whose end the last due date of the period has passed, on the headline clock. By the calendar, not
by the cases: the month says nothing of them. A body releases its cohorts in the cadence in which it releases finished
cases. Cases of the month that were first seen after the month's own release stand in the margin `late_registered_count`
and in no cohort, for ever. What was taken away at its source since then stands in the floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.cadence import Bootstrap, cadence_in, with_periods, yearly_cadences
from etl.anonymise.cases import month_index
from etl.anonymise.held import fetch, hold, hold_rows, let_go
from etl.anonymise.history import History
from etl.anonymise.population import FLOOR_KEYS, Peeled, Population, Row, peel_population, with_services
from etl.calendars import Period, months_between, parse_period, period_of
from etl.metadata import Policy
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

NAME = "cohort_group"
PLACED = "cohort"  # population_code of the placements
COLUMNS = {
    "service": "service_id",
    "channel": "channel_code",
    "applicant_kind": "applicant_kind_code",
    "applicant_province": "applicant_province_code",
    "cohort_state": "cohort_state_code",
}
GROUP = pa.schema(
    [
        *((name, pa.string()) for name in (*FLOOR_KEYS, "cadence_code")),
        *((name, pa.date32()) for name in ("period_first_on", "period_last_on")),
        *(("rung_number", pa.int64()), ("is_floor", pa.bool_())),
        *((name, pa.string()) for name in ("service_id", "service_level", *list(COLUMNS.values())[1:])),
        ("case_count", pa.int64()),
    ]
)
_MONTH = pa.schema(
    [
        *((name, pa.string()) for name in ("cohort_month_code", "cohort_season_code", "cohort_year_code")),
        ("cohort_index", pa.int64()),
    ]
)
_LIMIT = pa.schema(
    [("release_index", pa.int64()), ("month", pa.int64()), ("release_id", pa.string()), ("limit_on", pa.date32())]
)


@dataclass(frozen=True)
class Calendar:
    """The months from the first ever released to the last one due, and the month that closes the cohort of each."""

    months: tuple[Period, ...]
    closes: Mapping[str, Period]  # month code -> the month with which a cohort that ends with it is released


def cohort_calendar(policy: Policy, history: History) -> Calendar:
    """Say with which month the cohort of each month closes: the first whose last day is past the last due date."""
    system = policy.calendar.system
    months = tuple(months_between(system, history.first_month.first_on, history.due[-1].last_on))
    limits = last_due_dates(policy, months)
    closes: dict[str, Period] = {}
    for place, month in enumerate(months):
        later = (other for other in months[place:] if other.last_on > limits[month.code])
        closing = next(later, None)
        if closing is not None:
            closes[month.code] = closing
    return Calendar(months, closes)


def last_due_dates(policy: Policy, months: Sequence[Period]) -> dict[str, date]:
    """Give the due date of a case that is registered on the last day of each month, on the headline clock."""
    clock = policy.clocks.lead
    if clock.kind != "working":
        days = clock.days if clock.kind == "calendar" else policy.cohorts.promised_days
        return {month.code: month.last_on + timedelta(days=days) for month in months}
    ahead = timedelta(days=policy.cohorts.promised_days + clock.days * 4)
    table = policy.calendar.working.days(months[0].first_on, months[-1].last_on + ahead)
    number = dict(zip(table["day_on"].to_pylist(), table["working_day_number"].to_pylist(), strict=True))
    first: dict[int, date] = {}
    for day, count in number.items():
        first.setdefault(count, day)
    return {month.code: first[number[month.last_on] + clock.days] for month in months}


def cohort_groups(
    case: Table,
    *,
    policy: Policy,
    history: History,
    margins: Sequence[Mapping[str, Any]],
    guessed: Bootstrap,
    low: int,
    high: int,
) -> tuple[Peeled, Table]:
    """Peel the cohorts that close in the due months `low` to `high` (indexes).

    case: staged cases. margins: all rows of `margin` up to the last due month. Result: the cohorts, and the placed cases
    (case_number, release_id, period_code).
    """
    calendar = cohort_calendar(policy, history)
    fixed = yearly_cadences(margins, policy=policy.cadence, begun=history.promises.cadence)
    members = _members(case, calendar, policy=policy, history=history)
    members = with_periods(members, fixed, guessed, of="cohort")
    limits = hold_rows(case.get_backend(), "cohort_limit", _limits(calendar, policy, low, high), _LIMIT)
    closing = members.join(limits, "release_index")
    population = Population(NAME, COLUMNS, policy.cohorts.ladder)
    valued = _values(closing, policy)
    held = hold(valued, NAME)
    groups = peel_population(held, population, k=policy.k)
    let_go(held)
    totals = _totals(margins, calendar, policy=policy, history=history, fixed=fixed, guessed=guessed)
    due = {key: count for key, count in totals.items() if low <= _index(policy, key[0]) <= high}
    return Peeled(population, valued, groups, due), closing.select("case_number", "release_id", "period_code")


def cohort_table(peeled: Peeled, policy: Policy) -> Table:
    """Write cohorts out: the columns of `cohort_group`."""
    rows = [_written(row, policy) for row in peeled.rows()]
    return hold_rows(peeled.case.get_backend(), NAME, rows, GROUP)


def _members(case: Table, calendar: Calendar, *, policy: Policy, history: History) -> Table:
    """Give every live case that was, or is now, counted as registered in the month of its date, with that month."""
    is_now = case.counted_registered.notnull() & ~case.is_late_registered
    counted = case.filter(is_now).select("case_number", cohort_month_code="registered_month_code")
    placed = history.said
    if placed is not None:
        is_own = (placed.population_code == "registered") & (placed.period_code == placed.release_id)
        known = placed.filter(is_own).select("case_key", cohort_month_code="release_id")
        before = case.select("case_key", "case_number").join(known, "case_key")
        counted = counted.union(before.select("case_number", "cohort_month_code"))
        done = placed.filter(placed.population_code == PLACED).select("case_key").distinct()
        gone = case.select("case_key", "case_number").join(done, "case_key").select(done_number="case_number")
        counted = counted.join(gone, counted.case_number == gone.done_number, how="left")
        counted = hold(counted.filter(counted.done_number.isnull()).drop("done_number"), "cohort_case")
    months = hold_rows(case.get_backend(), "cohort_month", _month_rows(calendar.months, policy), _MONTH)
    return case.join(counted, "case_number").join(months, "cohort_month_code")


def _values(closing: Table, policy: Policy) -> Table:
    """Give the cases of a cohort their values at the levels of its ladder, as things stood when its release closed."""
    is_decided = (closing.was_finished == 1) | (
        ibis.coalesce(closing.counted_finished, closing.month + 1) <= closing.month
    )
    state = ibis.cases(
        (is_decided, closing.lateness_code),
        (closing.due_on.isnull(), NOT_RECORDED),
        (closing.due_on < closing.limit_on, "open_late"),
        else_="open_in_time",
    )
    made = closing.mutate(
        channel_at_code=ibis.coalesce(closing.channel_code, NOT_RECORDED),
        applicant_kind_at_code=ibis.coalesce(closing.applicant_kind_code, "unknown"),
        applicant_province_at_code=ibis.coalesce(closing.applicant_province_code, NOT_RECORDED),
        cohort_state_at_code=state,
    )
    made = with_services(made, policy)
    values = [name for names in Population(NAME, COLUMNS, policy.cohorts.ladder).values().values() for name in names]
    return made.select("case_number", "requester_key", *FLOOR_KEYS, *values)


def _totals(
    margins: Sequence[Mapping[str, Any]],
    calendar: Calendar,
    *,
    policy: Policy,
    history: History,
    fixed: Mapping[tuple[str, str, str], str],
    guessed: Bootstrap,
) -> dict[tuple[str, ...], int]:
    """Sum `registered_count` over the months of each cohort, by FLOOR_KEYS; cohorts that were released before are left out."""
    system = policy.calendar.system
    done = _released(history)
    totals: dict[tuple[str, ...], int] = {}
    for row in margins:
        body, case_type, month = row["body_id"], row["case_type_code"], parse_period(system, row["month_code"])
        cadence = cadence_in((body, case_type, row["month_code"][:4]), fixed, guessed)
        period = period_of(system, cadence, month.first_on)
        closing = calendar.closes.get(period_of(system, "month", period.last_on).code)
        if closing is not None and (body, case_type, period.code) not in done:
            key = (closing.code, body, case_type, period.code)
            totals[key] = totals.get(key, 0) + row["registered_count"]
    return totals


def _released(history: History) -> set[tuple[str, str, str]]:
    if history.placement is None:
        return set()
    placed = history.placement
    rows = placed.filter(placed.population_code == PLACED).select("body_id", "case_type_code", "period_code").distinct()
    return {(row["body_id"], row["case_type_code"], row["period_code"]) for row in fetch(rows)}


def _written(row: Row, policy: Policy) -> Row:
    period = parse_period(policy.calendar.system, row["period_code"])
    own = {"cadence_code": period.kind, "period_first_on": period.first_on, "period_last_on": period.last_on}
    return {name: {**row, **own}[name] for name in GROUP.names}


def _limits(calendar: Calendar, policy: Policy, low: int, high: int) -> list[Row]:
    """Give, by the last month of a cohort, the due month that releases it and that month's last day."""
    system = policy.calendar.system
    rows = []
    for month in calendar.months:
        closing = calendar.closes.get(month.code)
        if closing is not None and low <= month_index(system, closing) <= high:
            last = {"month": month_index(system, closing), "release_id": closing.code, "limit_on": closing.last_on}
            rows.append({"release_index": month_index(system, month), **last})
    return rows


def _month_rows(months: Sequence[Period], policy: Policy) -> list[Row]:
    system = policy.calendar.system
    return [
        {
            "cohort_month_code": month.code,
            "cohort_season_code": period_of(system, "season", month.first_on).code,
            "cohort_year_code": period_of(system, "year", month.first_on).code,
            "cohort_index": month_index(system, month),
        }
        for month in months
    ]


def _index(policy: Policy, code: str) -> int:
    return month_index(policy.calendar.system, parse_period(policy.calendar.system, code))
