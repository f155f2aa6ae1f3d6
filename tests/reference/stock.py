"""The open cases at a year's end once more, slowly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from datetime import date, timedelta
from typing import Any

from etl.calendars import Period
from etl.metadata import Policy, duration_bands
from tests.reference.cohort import Kind, Row, peel_by
from tests.reference.identity import COLUMNS
from tests.reference.values import NO, Case, up

SHOWN_AS = {"service": "service_id", "stage": "stage_code", "age": "age_band_code"}


def stock_rows(
    live: Mapping[str, Case],
    month: Period,
    *,
    registered: Mapping[str, Kind],
    finished: Mapping[str, Kind],
    reopened: Set[str],
    withdrawn: Set[str],
    plain: Set[Kind],
    policy: Policy,
) -> list[Row]:
    """Write the groups of cases that are open at the end of the month, the last one of a year.

    plain: the bodies and types of which no case may show its service.
    """
    stock: dict[Kind, list[Case]] = defaultdict(list)
    for key, kind in registered.items():
        if key not in withdrawn and (key not in finished or key in reopened):
            stock[kind].append(live[key])
    rows: list[Row] = []
    for kind, cases in stock.items():

        def show(case: Case, column: str, level: str) -> Any:
            return shown(case, column, month, policy)

        groups = peel_by(cases, policy.stock.ladder, show, k=policy.k, without=COLUMNS if kind in plain else ())
        rest = len(cases) - sum(len(members) for _, members in groups)
        floor = len(policy.stock.ladder) + 1
        for rung, members in [*groups, *([(floor, cases[:rest])] if rest else [])]:
            levels = {} if rung == floor else policy.stock.ladder[rung - 1]
            row: Row = {"release_id": month.code, "body_id": kind[0], "case_type_code": kind[1]}
            row |= {"period_code": month.code[:4], "rung_number": rung, "is_floor": rung == floor}
            row |= {
                name: show(members[0], column, levels[column]) if column in levels else None
                for column, name in SHOWN_AS.items()
            }
            rows.append(row | {"case_count": len(members)})
    return rows


def shown(case: Case, column: str, month: Period, policy: Policy) -> Any:
    """Give a value of an open case."""
    if column == "service":
        return up(case["service_id"] or NO, policy.services)
    if column == "stage":
        dated = [event for event in case["events"] if event["occurred_on"] and event["occurred_on"] <= month.last_on]
        passed = sorted((event["seq"], event["milestone_code"]) for event in dated if event["milestone_code"])
        return passed[-1][1] if passed else NO
    return age_band(case["registered_on"], month.last_on, policy)


def age_band(first: date, last: date, policy: Policy) -> str:
    """Count the days after the first up to the last, working days only where the headline clock does so."""
    days = [first + timedelta(days=place) for place in range(1, (last - first).days + 1)]
    if policy.clocks.lead.kind == "working" and days:
        working = policy.calendar.working.days(days[0], days[-1])["is_working"].to_pylist()
        age = sum(working)
    else:
        age = len(days)
    edges = policy.bands.age
    names = list(duration_bands((0, *edges)))
    return next((name for edge, name in zip(edges, names, strict=False) if age <= edge), names[-1])
