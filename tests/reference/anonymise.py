"""Anonymisation once more, slowly and obviously: dicts, lists and loops, one month after the other.

It follows DESIGN §4 and CONTRACT from the words, not from the engine's code, and shares none of it. A case is a dict with
the columns of staging `case`, `events` (its rows of staging `event`, in order) and `exemptions` (codes). `Memory` is all
that one month leaves to the next. Rows are dicts with the published columns; a group also has `members` (case keys),
`trace` (its steps as a tuple) instead of a key, and `steps`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from etl.calendars import Period, WorkingCalendar, parse_period, period_of
from etl.metadata import Policy
from tests.reference.cohort import cohort_rows
from tests.reference.duration import WAITS, duration_rows
from tests.reference.identity import COHORT, COLUMNS, FINISHED, STOCK, stand_back
from tests.reference.patterns import activities, stand
from tests.reference.peel import are_enough, peel, requesters
from tests.reference.stock import stock_rows
from tests.reference.unit_time import unit_rows
from tests.reference.values import NO, Case, steps_of, trace_of, value

Row = dict[str, Any]
Kind = tuple[str, str]

SHOWN_AS = {
    "service": "service_id",
    "unit": "unit_id",
    "outcome": "outcome_code",
    "lateness": "lateness_code",
    "duration": "duration_band_code",
    "loop": "is_loop",
    "channel": "channel_code",
    "trace": "trace",
}


@dataclass
class Memory:
    """Everything that was counted or placed so far; kind = (body, case type) as first counted."""

    registered: dict[str, Kind] = field(default_factory=dict)
    finished: dict[str, Kind] = field(default_factory=dict)
    reopened: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    group_of: dict[str, int] = field(default_factory=dict)
    peeled: set[str] = field(default_factory=set)  # late cases that were peeled and found no group
    margins: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    statutory: list[Row] = field(default_factory=list)
    cadence_bootstrap: dict[Kind, str] = field(default_factory=dict)
    cohorts: dict[tuple[Kind, str], list[str]] = field(default_factory=dict)
    cohort_groups: list[Row] = field(default_factory=list)
    open_groups: list[Row] = field(default_factory=list)
    unit_times: list[Row] = field(default_factory=list)
    durations: list[Row] = field(default_factory=list)
    stood_back: set[tuple[str, str, str]] = field(default_factory=set)  # month, body, type of finished groups that did


def release_months(cases: Sequence[Case], due: Sequence[Period], *, policy: Policy, memory: Memory) -> None:
    """Release every due month in order, from the same staging, into the memory."""
    system = policy.calendar.system
    cases = [dict(case, kind=kind_of(case, policy, memory)) for case in cases]
    if not memory.margins:
        memory.cadence_bootstrap = guess_cadences(cases, due, policy)
    for month in due:
        live = {case["case_key"]: case for case in cases}
        flows = count_month(live, month, memory)
        cohorts, stocks = peel_month(live, month, flows, policy=policy, memory=memory)
        memory.margins += margin_rows(live, month, flows, policy=policy, memory=memory)
        memory.cohort_groups += cohorts
        memory.open_groups += stocks
        if month.last_on == period_of(system, "year", month.first_on).last_on:
            memory.statutory += statutory_rows(live, month, policy=policy, memory=memory)
            year = period_of(system, "year", month.first_on)
            memory.unit_times += unit_rows(
                live, year, month, finished=memory.finished, policy=policy, ranks=ranks, day=day_number
            )
            memory.durations += duration_rows(live, year, month, memory.groups, policy=policy, ranks=ranks)


def peel_month(
    live: Mapping[str, Case], month: Period, flows: Mapping[str, Counter[Kind]], *, policy: Policy, memory: Memory
) -> tuple[list[Row], list[Row]]:
    """Place the cases of a month; give its cohorts and open groups. What would give a small number away is done again.

    First cohorts and open groups show neither service nor channel, then finished groups, where they alone still would.
    """
    start = dict(memory.group_of), list(memory.groups), set(memory.peeled)
    place_month(live, month, plain=set(), policy=policy, memory=memory)
    cohorts, stocks = other_rows(live, month, plain=set(), policy=policy, memory=memory)
    margins = [*memory.margins, *margin_rows(live, month, flows, policy=policy, memory=memory)]
    known = [*named(FINISHED, start[1]), *named(COHORT, memory.cohort_groups), *named(STOCK, memory.open_groups)]
    groups = named(FINISHED, memory.groups[len(start[1]) :])
    plain = stand_back(margins, known, [*groups, *named(COHORT, cohorts), *named(STOCK, stocks)], month.code, policy)
    if plain:
        cohorts, stocks = other_rows(live, month, plain=plain, policy=policy, memory=memory)
        alone = [each for each in groups if (each[1]["body_id"], each[1]["case_type_code"]) in plain]
        plain = stand_back(margins, known, alone, month.code, policy)
    if plain:
        memory.group_of, memory.groups, memory.peeled = start
        place_month(live, month, plain=plain, policy=policy, memory=memory)
        memory.stood_back |= {(month.code, *kind) for kind in plain}
    return cohorts, stocks


def named(population: str, rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Say of which population rows are."""
    return [(population, row) for row in rows]


def other_rows(
    live: Mapping[str, Case], month: Period, *, plain: set[Kind], policy: Policy, memory: Memory
) -> tuple[list[Row], list[Row]]:
    """Give the cohorts that close with a month, and the open groups if it ends a year; plain: who show no service."""
    cohorts = cohort_rows(
        live,
        month,
        memory.cohorts,
        cadence_of=lambda kind, day: cadence_of(kind, day, policy, memory),
        finished=memory.finished,
        plain=plain,
        policy=policy,
    )
    if month.last_on != period_of(policy.calendar.system, "year", month.first_on).last_on:
        return cohorts, []
    return cohorts, stock_rows(
        live,
        month,
        registered=memory.registered,
        finished=memory.finished,
        reopened=memory.reopened,
        withdrawn=memory.withdrawn,
        plain=plain,
        policy=policy,
    )


def kind_of(case: Case, policy: Policy, memory: Memory) -> Kind:
    """Give the body and type of a case as first counted, small types joined."""
    known = memory.registered.get(case["case_key"])
    case_type = policy.margins.join_small.get(case["case_type_code"], case["case_type_code"])
    return known or (case["body_id"], case_type)


def guess_cadences(cases: Sequence[Case], months: Sequence[Period], policy: Policy) -> dict[Kind, str]:
    """Guess cadences from the complete months of the first extraction."""
    guesses = {}
    for kind in {case["kind"] for case in cases}:
        own = [case for case in cases if case["kind"] == kind]
        days = [day for case in own for day in (case["registered_on"], case["finished_on"]) if day]
        days = [day for day in days if day <= months[-1].last_on]
        if not days:
            continue
        since = [month for month in months if month.last_on >= min(days)]
        n = sum(1 for case in own if case["finished_on"] and any(case["finished_on"] in month for month in months))
        guesses[kind] = by_volume(n, len(since), policy) if len(since) >= 3 else "year"
    return guesses


def by_volume(n: int, months: int, policy: Policy) -> str:
    """Name the cadence of n finished cases in so many months."""
    if n / months >= policy.cadence.month:
        return "month"
    return "season" if n / months >= policy.cadence.season else "year"


def cadence_of(kind: Kind, day: date, policy: Policy, memory: Memory) -> str:
    """Give the cadence of a body and type in the year of a day."""
    year = int(period_of(policy.calendar.system, "year", day).code)
    before = [row for row in memory.margins if row["kind"] == kind and int(row["month_code"][:4]) == year - 1]
    if len(before) == 12:
        return by_volume(sum(row["finished_count"] for row in before), 12, policy)
    return memory.cadence_bootstrap.get(kind, "year")


def count_month(live: Mapping[str, Case], month: Period, memory: Memory) -> dict[str, Counter[Kind]]:
    """Count what is new by the end of the month, once per population."""
    flows: dict[str, Counter[Kind]] = defaultdict(Counter)
    for key, kind in memory.registered.items():
        if key in memory.withdrawn:
            continue
        is_open = key not in memory.finished or key in memory.reopened
        closed_again = key in memory.reopened and (key not in live or live[key]["status_code"] != "reopened")
        if is_open and (key not in live or closed_again):
            memory.withdrawn.add(key)
            flows["withdrawn"][kind] += 1
    for key, case in live.items():
        if key in memory.withdrawn:
            continue
        if key not in memory.registered and case["registered_on"] <= month.last_on:
            memory.registered[key] = case["kind"]
            flows["registered" if case["registered_on"] >= month.first_on else "late_registered"][case["kind"]] += 1
            if case["registered_on"] >= month.first_on:
                memory.cohorts.setdefault((case["kind"], month.code), []).append(key)
        if key not in memory.finished and case["finished_on"] and case["finished_on"] <= month.last_on:
            memory.finished[key] = case["kind"]
            flows["finished" if case["finished_on"] >= month.first_on else "late_finished"][case["kind"]] += 1
        if case["status_code"] == "reopened" and key in memory.finished and key not in memory.reopened:
            memory.reopened.add(key)
            flows["reopened"][case["kind"]] += 1
    return flows


def place_month(live: Mapping[str, Case], month: Period, *, plain: set[Kind], policy: Policy, memory: Memory) -> None:
    """Peel the periods that close with the month, then the late cases where k people came since these were last peeled.

    plain: the bodies and types of which no case may show its service or channel.
    """
    regular: dict[tuple[Kind, str, str], list[Case]] = defaultdict(list)
    late: dict[Kind, list[tuple[Case, str, str]]] = defaultdict(list)
    for key, case in live.items():
        if key not in memory.finished or key in memory.group_of or not case["finished_on"]:
            continue
        cadence = cadence_of(case["kind"], case["finished_on"], policy, memory)
        period = period_of(policy.calendar.system, cadence, case["finished_on"])
        if period.last_on == month.last_on:
            regular[case["kind"], cadence, period.code].append(case)
        elif period.last_on < month.last_on:
            late[case["kind"]].append((case, cadence, period.code))
    for (kind, cadence, code), cases in regular.items():
        groups, rest = peel(cases, policy, without=COLUMNS if kind in plain else ())
        for rung, members in groups:
            add_group(members, rung, month, kind, code, cadence, None, policy, memory)
        if rest:
            add_group(rest, None, month, kind, code, cadence, None, policy, memory)
    for kind, waiting in late.items():
        new = [case for case, _, _ in waiting if case["case_key"] not in memory.peeled]
        if new and are_enough(new, policy.k):
            place_late(waiting, month, kind, policy, memory, without=COLUMNS if kind in plain else ())
            memory.peeled |= {case["case_key"] for case, _, _ in waiting}


def place_late(
    waiting: list[tuple[Case, str, str]],
    month: Period,
    kind: Kind,
    policy: Policy,
    memory: Memory,
    *,
    without: Sequence[str],
) -> None:
    """Peel late cases for their period, then for their year, then for all earlier ones; the rest waits."""
    year_of = {
        case["case_key"]: period_of(policy.calendar.system, "year", case["finished_on"]).code for case, _, _ in waiting
    }
    for stage in ("own", "year", "earlier"):
        parts: dict[tuple[str, str | None], list[Case]] = defaultdict(list)
        for case, cadence, code in waiting:
            if case["case_key"] in memory.group_of:
                continue
            year = year_of[case["case_key"]]
            place = {"own": (code, cadence), "year": (year, "year"), "earlier": ("earlier", None)}[stage]
            parts[place].append(case)
        for (code, cadence), cases in parts.items():
            for rung, members in peel(cases, policy, without=without)[0]:
                add_group(members, rung, month, kind, code, cadence, code, policy, memory)


def add_group(
    members: Sequence[Case],
    rung: int | None,
    month: Period,
    kind: Kind,
    code: str,
    cadence: str | None,
    late_for: str | None,
    policy: Policy,
    memory: Memory,
) -> None:
    """Write a group (rung None: the floor) and remember its members for ever."""
    levels = {} if rung is None else policy.ladder[rung - 1]
    period = None if code == "earlier" else parse_period(policy.calendar.system, code)
    row: Row = {
        "release_id": month.code,
        "body_id": kind[0],
        "case_type_code": kind[1],
        "period_code": code,
        "cadence_code": cadence,
        "period_first_on": period.first_on if period else None,
        "period_last_on": period.last_on if period else None,
        "late_for_code": late_for,
        "rung_number": rung or len(policy.ladder) + 1,
        "is_floor": rung is None,
        "case_count": len(members),
    }
    for column, name in SHOWN_AS.items():
        row[name] = value(members[0], column, levels[column], policy) if column in levels else None
    row |= {f"{column}_level": levels.get(column) for column in ("service", "unit", "trace")}
    row |= ranks([] if rung is None else [(case, case["wait_days"]) for case in members], WAITS, policy.k)
    is_pattern = levels.get("trace") == "pattern"
    row["steps"] = pattern_steps(members, policy) if is_pattern else []
    row["steps"] = (
        group_steps(members, levels["trace"], policy) if "trace" in levels and not is_pattern else row["steps"]
    )
    row["members"] = frozenset(case["case_key"] for case in members)
    for case in members:
        memory.group_of[case["case_key"]] = len(memory.groups)
    memory.groups.append(row)


def ranks(values: Sequence[tuple[Case, int | None]], percents: Mapping[str, int], k: int) -> Row:
    """Give nearest ranks with four people on each side, and the band of requesters with a value, where those are enough."""
    timed = [case for case, day in values if day is not None]
    known = sorted(day for _, day in values if day is not None)
    n = len(known)
    is_enough = are_enough(timed, k)
    row: Row = {"timed_band_code": timed_band(len(requesters(timed)), k) if is_enough else None}
    for name, percent in percents.items():
        rank, people = -(-n * percent // 100), len(requesters(timed))
        is_shown = is_enough and all(
            own - 1 >= 4 and m - own >= 4 for m, own in ((n, rank), (people, -(-people * percent // 100)))
        )
        if is_shown:
            short = requesters([case for case, day in values if day is not None and day <= known[rank - 1]])
            long = requesters([case for case, day in values if day is not None and day >= known[rank - 1]])
            is_shown = len(short) - 1 >= 4 and len(long) - 1 >= 4
        row[name] = known[rank - 1] if is_shown else None
    return row


def timed_band(n: int, k: int) -> str | None:
    """Name the band of n by its lowest number."""
    return str(max(edge for edge in (k, 10, 20, 50, 100, 200) if k <= edge <= n)) if n >= k else None


def group_steps(members: Sequence[Case], level: str, policy: Policy) -> list[Row]:
    """Time the steps of a group, in days of the headline clock's kind, over cases with the days that are needed."""
    rows = []
    for place, (activity, unit) in enumerate(trace_of(members[0], level)):
        start, previous = [], []
        for case in members:
            days = [day_number(event, policy) for _, event in steps_of(case, level)]
            needed = [days[0], days[place]] + ([days[place - 1]] if place else [])
            if any(day is None for day in needed):
                continue
            start.append((case, days[place] - days[0]))
            if place:
                previous.append((case, days[place] - days[place - 1]))
        since = ranks(start, {"since_start_median_days": 50}, policy.k)
        before = ranks(previous, {"since_previous_median_days": 50}, policy.k)
        row = {"step_number": place + 1, "activity_code": activity, "unit_id": unit, "is_gap": False}
        rows.append(row | before | since)
    return rows


def pattern_steps(members: Sequence[Case], policy: Policy) -> list[Row]:
    """Time the steps of a group's pattern where it first stands in each case; a gap has no times."""
    rows: list[Row] = []
    pattern = members[0]["pattern"]
    for place, (activity, unit, is_gap) in enumerate(pattern):
        start, previous = [], []
        for case in members if not is_gap else ():
            at = stand(pattern, activities(case))[place]
            since = days_since_start(case, at, policy)
            start.append((case, since))
            if since is not None and place and not pattern[place - 1][2]:
                previous.append((case, since - days_since_start(case, at - 1, policy, is_start=True)))
        row = {"step_number": place + 1, "activity_code": activity, "unit_id": unit, "is_gap": is_gap}
        row |= ranks(previous, {"since_previous_median_days": 50}, policy.k)
        rows.append(row | ranks(start, {"since_start_median_days": 50}, policy.k))
    return rows


def days_since_start(case: Case, at: int, policy: Policy, *, is_start: bool = False) -> int | None:
    """Count days from a case's first step to another; None without a usable day at either or at the step just before.

    is_start: the step just before is not looked at.
    """
    days = [day_number(event, policy) for _, event in steps_of(case, "steps")]
    needed = [days[0], days[at]] + ([days[at - 1]] if at and not is_start else [])
    return None if any(day is None for day in needed) else days[at] - days[0]


def day_number(event: Mapping[str, Any], policy: Policy) -> int | None:
    """Number the day of an event; None without a usable time."""
    if event["is_derived"] or event["occurred_on"] is None or event["time_precision_code"] not in ("second", "day"):
        return None
    if policy.clocks.lead.kind != "working":
        return int(event["occurred_on"].toordinal())
    return _working_number(policy.calendar.working, event["occurred_on"])


def margin_rows(
    live: Mapping[str, Case], month: Period, flows: Mapping[str, Counter[Kind]], *, policy: Policy, memory: Memory
) -> list[Row]:
    """Write the margins of the month for every body and type that has, or had, a case."""
    before = {row["kind"]: row for row in memory.margins}
    kinds = set(before) | {kind for counter in flows.values() for kind in counter}
    rows: list[Row] = []
    for kind in sorted(kinds):
        row: Row = {"release_id": month.code, "month_code": month.code, "body_id": kind[0], "case_type_code": kind[1]}
        names = ("registered", "finished", "reopened", "late_registered", "late_finished", "withdrawn")
        row |= {f"{name}_count": flows[name][kind] if name in flows else 0 for name in names}
        stock = [
            key
            for key, own in memory.registered.items()
            if own == kind and key not in memory.withdrawn and (key not in memory.finished or key in memory.reopened)
        ]
        due = "due_bylaw_on" if policy.clocks.headline == "bylaw" else "due_law_on"
        overdue = [
            key for key in stock if key not in memory.finished and live[key][due] and live[key][due] < month.last_on
        ]
        counted = [key for key, own in memory.finished.items() if own == kind]
        row["open_count"] = len(stock)
        row["open_overdue_count"] = len(overdue)
        row["awaiting_count"] = sum(1 for key in counted if key not in memory.group_of)
        rows.append(row | {"kind": kind})
    return rows


def statutory_rows(live: Mapping[str, Case], month: Period, *, policy: Policy, memory: Memory) -> list[Row]:
    """Count the acts of the year that ends with the month."""
    year = period_of(policy.calendar.system, "year", month.first_on)
    counts: Counter[tuple[Kind, str, str]] = Counter()
    for key, case in live.items():
        kind = case["kind"]
        if kind[1] not in policy.statutory.case_types or key not in memory.finished:
            continue
        if not case["finished_on"] or case["finished_on"] not in year:
            continue
        outcome = case["outcome_code"] or NO
        counts[kind, "outcome", outcome] += 1
        counts[kind, "lateness_bylaw", case["lateness_bylaw_code"] or NO] += 1
        counts[kind, "lateness_law", case["lateness_law_code"] or NO] += 1
        for code in set(case["exemptions"]) or ({NO} if outcome == "refused_exempt" else set()):
            counts[kind, "exemption", code] += 1
        if outcome in ("refused_exempt", "rejected_unclear", "not_eligible", "incomplete_documents"):
            counts[kind, "reason", "not_given" if (case["reason_code"] or NO) == NO else "given"] += 1
    return [
        {
            "release_id": month.code,
            "year_code": year.code,
            "body_id": kind[0],
            "case_type_code": kind[1],
            "dimension_code": dimension,
            "value_code": code,
            "case_count": n,
            "basis_code": "attested",
        }
        for (kind, dimension, code), n in counts.items()
    ]


@cache
def _working_number(working: WorkingCalendar, day: date) -> int:
    return int(working.days(date(2024, 1, 1), day).column("working_day_number").to_pylist()[-1])
