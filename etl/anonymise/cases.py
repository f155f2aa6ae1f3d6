"""One row per staged case with the months in which it counts: the ground of margins, periods and placements.

A month is an index, 12 x calendar year + month - 1, so that comparing months is comparing integers. A case is counted
once per population, under the body and type with which it was first counted, in the month of its date, or, where that
month was released before the case was seen, as a late one in the first due month (DESIGN §4 "Late cases").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.held import fetch, hold
from etl.anonymise.history import History
from etl.calendars import Period, year_month
from etl.errors import PrivacyError
from etl.metadata import Policy
from etl.model.codes import NOT_RECORDED
from etl.model.staging import Staging

if TYPE_CHECKING:
    from ibis.expr.types import Table

POPULATION_FLAGS = ("registered", "finished", "peeled", "grouped", "reopened", "withdrawn")


def month_index(system: str, month: Period) -> int:
    """Number a month.

    >>> from etl.calendars import parse_period
    >>> month_index("jalali", parse_period("jalali", "1403-05")) - month_index("jalali", parse_period("jalali", "1402-05"))
    12
    """
    year, number = year_month(system, month.first_on)
    return year * 12 + number - 1


def closes_year(low: int, high: int) -> bool:
    """Say whether a year ends with one of the months from `low` to `high` (indexes).

    >>> closes_year(1403 * 12 + 10, 1403 * 12 + 10), closes_year(1403 * 12 + 10, 1403 * 12 + 11)
    (False, True)
    """
    return low // 12 < (high + 1) // 12


def in_closing_year(month: Any, low: int, high: int) -> Any:
    """Say whether the year of a month (an index) ends with one of the months from `low` to `high`."""
    last = month - month % 12 + 11
    return (last >= low) & (last <= high)


def is_finished(case: Table) -> Any:
    """Say whether a staged case counts as finished, now or in an earlier release."""
    return (case.was_finished == 1) | case.counted_finished.notnull()


def staged_cases(staging: Staging, *, calendar: Table, policy: Policy, history: History) -> Table:
    """Hold one row per live case (key: case_key) with month indexes, codes of its finishing periods, and earlier flags.

    case_number: a short key that holds for this run only, given in any order; nothing published depends on it.

    counted_registered, counted_finished: the due month in which it counts in this run (NULL: not in this run);
    is_late_registered, is_late_finished: that month is not its own. overdue_from: first month at whose end it is open
    past the headline limit. was_<population>: counted in an earlier release. Raises PrivacyError where a date lies before
    the calendar, since such a case would be lost.
    """
    unsettled = _without(staging.case, history.settled)
    case = _with_first_counted(_joined_types(unsettled, policy), history)
    case = _with_months(case, calendar, policy)
    low, high = (month_index(policy.calendar.system, history.due[place]) for place in (0, -1))
    is_known = case.was_withdrawn == 0
    registered = (case.was_registered == 0) & is_known & (case.registered_index <= high)
    finished = (case.was_finished == 0) & is_known & (case.finished_index <= high)
    nothing = ibis.null("int64")
    case = case.mutate(
        counted_registered=ibis.ifelse(registered, ibis.greatest(case.registered_index, low), nothing),
        counted_finished=ibis.ifelse(finished, ibis.greatest(case.finished_index, low), nothing),
        is_late_registered=case.registered_index < low,
        is_late_finished=case.finished_index < low,
    )
    _check_calendar_covers(unsettled, calendar)
    return hold(case.mutate(case_number=ibis.row_number().cast("int32")), "case")


def earlier_flags(history: History) -> Table | None:
    """Summarise earlier placements: one row per case_key, was_<population> 0 or 1, body and type as first counted."""
    placement = history.said
    if placement is None:
        return None
    _check_placement(placement)
    is_of = {name: placement.population_code == name for name in POPULATION_FLAGS if name != "grouped"}
    is_of["grouped"] = (placement.population_code == "finished") & placement.case_group_id.notnull()
    flags = {f"was_{name}": ibis.ifelse(condition, 1, 0).max() for name, condition in is_of.items()}
    first = {
        name: ibis.ifelse(is_of["registered"], placement[name], ibis.null("string")).max()
        for name in ("body_id", "case_type_code")
    }
    return placement.group_by("case_key").agg(
        **flags, first_body_id=first["body_id"], first_case_type_code=first["case_type_code"]
    )


def _without(relation: Table, settled: Table | None) -> Table:
    """Leave out the rows of settled cases (`etl.anonymise.settled`)."""
    if settled is None:
        return relation
    known = settled.select(settled_key="case_key")
    joined = relation.join(known, relation.case_key == known.settled_key, how="left")
    return joined.filter(joined.settled_key.isnull()).drop("settled_key")


def _joined_types(case: Table, policy: Policy) -> Table:
    renamed = [(case.case_type_code == small, large) for small, large in policy.margins.join_small.items()]
    return case.mutate(case_type_code=ibis.cases(*renamed, else_=case.case_type_code)) if renamed else case


def _with_first_counted(case: Table, history: History) -> Table:
    earlier = earlier_flags(history)
    if earlier is None:
        return case.mutate(**{f"was_{name}": ibis.literal(0, "int64") for name in POPULATION_FLAGS})
    joined = case.join(earlier, "case_key", how="left", rname="earlier_{name}")
    return joined.mutate(
        body_id=ibis.coalesce(joined.first_body_id, joined.body_id),
        case_type_code=ibis.coalesce(joined.first_case_type_code, joined.case_type_code),
        **{f"was_{name}": ibis.coalesce(joined[f"was_{name}"].cast("int64"), 0) for name in POPULATION_FLAGS},
    ).drop("first_body_id", "first_case_type_code")


def _with_months(case: Table, calendar: Table, policy: Policy) -> Table:
    index = (calendar.calendar_year.cast("int64") * 12) + calendar.calendar_month.cast("int64") - 1
    days = calendar.mutate(month=index)
    next_day = ibis.window(order_by=ibis.desc(days.day_on))
    days = days.mutate(month_after=days.month.lag(1).over(next_day))
    due_on = case.due_bylaw_on if policy.clocks.headline == "bylaw" else case.due_law_on
    lateness = case.lateness_bylaw_code if policy.clocks.headline == "bylaw" else case.lateness_law_code
    case = case.select(
        *("case_key", "body_id", "case_type_code", "unit_id", "service_id", "channel_code", "outcome_code"),
        *("lateness_bylaw_code", "lateness_law_code", "wait_days", "is_loop", "reason_code", "status_code"),
        *("promised_on", "is_desk", "is_linked", "registration_days", "is_notified_each", "requester_key"),
        *("applicant_kind_code", "applicant_province_code"),
        *("registered_on", "finished_on", *(f"was_{name}" for name in POPULATION_FLAGS)),
        due_on=due_on,
        lateness_code=ibis.coalesce(lateness, NOT_RECORDED),
    )
    registered = days.select(
        "day_on", registered_index="month", registered_month_code="month_code", registered_year_code="year_code"
    )
    finished = days.select(
        "day_on",
        finished_index="month",
        finished_month_code="month_code",
        finished_season_code="season_code",
        finished_year_code="year_code",
    )
    due = days.select("day_on", overdue_from="month_after")
    for dates, day in ((registered, "registered_on"), (finished, "finished_on"), (due, "due_on")):
        case = case.join(dates, case[day] == dates.day_on, how="left").drop("day_on")
    return case


def _check_calendar_covers(case: Table, calendar: Table) -> None:
    first = fetch(calendar.agg(day=calendar.day_on.min()))[0]["day"]
    early = ibis.least(
        ibis.coalesce(case.registered_on, case.finished_on), ibis.coalesce(case.finished_on, case.registered_on)
    )
    earliest = fetch(case.agg(day=early.min()))[0]["day"]
    if earliest is not None and (first is None or earliest < first):
        raise PrivacyError(
            "calendar-short",
            found="cases dated before the calendar's first day",
            expected="a calendar from the earliest date of staging on",
            todo="Make the calendar from the dates of staging; no case may be lost.",
        )


def _check_placement(placement: Table) -> None:
    needed = {"population_code", "case_key", "case_group_id", "release_id", "period_code", "body_id", "case_type_code"}
    missing = sorted(needed - set(placement.columns))
    if missing:
        raise PrivacyError(
            "placement-columns",
            found=f"placements without {', '.join(missing)}",
            expected="the columns that etl.model.published names",
            todo="Restore var/placement as it was written by this version.",
        )
