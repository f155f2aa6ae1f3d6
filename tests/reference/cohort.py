"""Cohorts once more, slowly: who was counted as registered in a period, and what had become of them at one month's end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, timedelta
from typing import Any

from etl.calendars import Period, parse_period, period_of
from etl.metadata import Policy
from tests.reference.identity import COLUMNS
from tests.reference.peel import are_enough
from tests.reference.values import NO, Case, up

Row = dict[str, Any]
Kind = tuple[str, str]
Show = Callable[[Case, str, str], Any]
SHOWN_AS = {
    "service": "service_id",
    "channel": "channel_code",
    "applicant_kind": "applicant_kind_code",
    "applicant_province": "applicant_province_code",
    "cohort_state": "cohort_state_code",
}


def cohort_rows(
    live: Mapping[str, Case],
    month: Period,
    members: Mapping[tuple[Kind, str], Sequence[str]],
    *,
    cadence_of: Callable[[Kind, date], str],
    finished: Mapping[str, Kind],
    plain: Set[Kind],
    policy: Policy,
) -> list[Row]:
    """Write the cohorts that close with the month; members: (kind, month of registration) -> keys, withdrawn ones too.

    plain: the bodies and types of which no case may show its service or channel.
    """
    system = policy.calendar.system
    periods: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for (kind, code), keys in members.items():
        first_on = parse_period(system, code).first_on
        period = period_of(system, cadence_of(kind, first_on), first_on)
        if closes_with(period, month, policy):
            periods[kind, period.code] += keys
    rows: list[Row] = []
    for (kind, code), keys in periods.items():
        there = [live[key] for key in keys if key in live]

        def show(case: Case, column: str, level: str) -> Any:
            return shown(case, column, level, month, finished=finished, policy=policy)

        groups = peel_by(there, policy.cohorts.ladder, show, k=policy.k, without=COLUMNS if kind in plain else ())
        for rung, group in groups:
            rows.append(_row(month, kind, code, rung, len(group), group[0], policy.cohorts.ladder, show))
        rest = len(keys) - sum(len(group) for _, group in groups)
        if rest:
            rows.append(_row(month, kind, code, None, rest, None, policy.cohorts.ladder, show))
    return rows


def peel_by(
    cases: Sequence[Case], ladder: Sequence[Mapping[str, str]], show: Show, *, k: int, without: Sequence[str] = ()
) -> list[tuple[int, list[Case]]]:
    """Peel cases by the rungs of any ladder that do not show a column of `without`."""
    left, groups = list(cases), []
    for number, levels in enumerate(ladder, 1):
        if set(levels) & set(without):
            continue
        alike: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
        for case in left:
            alike[tuple(show(case, column, level) for column, level in levels.items())].append(case)
        standing = [members for members in alike.values() if are_enough(members, k)]
        groups += [(number, members) for members in standing]
        taken = {case["case_key"] for members in standing for case in members}
        left = [case for case in left if case["case_key"] not in taken]
    return groups


def shown(case: Case, column: str, level: str, month: Period, *, finished: Mapping[str, Kind], policy: Policy) -> Any:
    """Give a value of a case as a cohort shows it at the end of a month."""
    if column == "service":
        return up(case["service_id"] or NO, policy.services) if level == "family" else case["service_id"] or NO
    if column == "channel":
        return case["channel_code"] or NO
    if column == "applicant_kind":
        return case["applicant_kind_code"] or "unknown"
    if column == "applicant_province":
        return case["applicant_province_code"] or NO
    if case["case_key"] in finished:
        return case[f"lateness_{policy.clocks.headline}_code"] or NO
    due = case[f"due_{policy.clocks.headline}_on"]
    if due is None:
        return NO
    return "open_late" if due < month.last_on else "open_in_time"


def closes_with(period: Period, month: Period, policy: Policy) -> bool:
    """Say whether a month is the first that ends after the last due date of a period."""
    due = last_due(period.last_on, policy)
    before = period_of(policy.calendar.system, "month", month.first_on - timedelta(days=1))
    return month.last_on > due and (before.last_on <= due or month.last_on == period.last_on)


def last_due(day: date, policy: Policy) -> date:
    """Count the days of the headline clock from a day."""
    clock = policy.clocks.lead
    if clock.kind != "working":
        return day + timedelta(days=clock.days)
    left = clock.days
    while left:
        day += timedelta(days=1)
        left -= bool(policy.calendar.working.days(day, day)["is_working"].to_pylist()[0])
    return day


def _row(
    month: Period,
    kind: Kind,
    code: str,
    rung: int | None,
    count: int,
    case: Case | None,
    ladder: Sequence[Mapping[str, str]],
    show: Show,
) -> Row:
    levels = {} if rung is None else ladder[rung - 1]
    row: Row = {"release_id": month.code, "body_id": kind[0], "case_type_code": kind[1], "period_code": code}
    row |= {"rung_number": rung or len(ladder) + 1, "is_floor": rung is None, "case_count": count}
    row |= {
        name: show(case, column, levels[column]) if case and column in levels else None
        for column, name in SHOWN_AS.items()
    }
    return row | {"service_level": levels.get("service")}
