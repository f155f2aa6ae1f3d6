"""Anonymise: staging, policy and memory in; counted groups, private placements and a report out (DESIGN §4).

The data's way, top to bottom: cases with their months -> margins -> cadence and periods -> ladder columns -> peeling, late
cases among themselves -> groups and their steps -> statutory table, placements, report. All due months go in one pass,
with the period as a floor key, and give what releasing them one by one gives.

Pure: no clock, files, environment or randomness. It computes on the engine of the given relations and leaves temporary
tables there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.cadence import Bootstrap, bootstrap, with_periods, yearly_cadences
from etl.anonymise.cases import earlier_flags, is_finished, month_index, staged_cases
from etl.anonymise.coding import Lists, decode, encode
from etl.anonymise.cohort import cohort_groups, cohort_table
from etl.anonymise.columns import PUBLISHED, used_levels, value_name, with_published, with_values
from etl.anonymise.duration import durations
from etl.anonymise.finished import late_kinds, peel_finished
from etl.anonymise.groups import PLACED_COLUMNS, case_groups, group_steps, number_groups
from etl.anonymise.guard import COLUMNS, guard
from etl.anonymise.held import fetch, hold, hold_rows, let_go, let_go_since, mark
from etl.anonymise.history import History
from etl.anonymise.ladder import ladder_rungs, without_columns
from etl.anonymise.margins import (
    MARGIN,
    Kind,
    Opening,
    count_flows,
    count_overdue,
    margin_rows,
    reopened_cases,
    with_awaiting,
    withdrawn_cases,
)
from etl.anonymise.pattern_level import TIMELINE, PatternLevel, pattern_rows
from etl.anonymise.peel import BARRED, Rung
from etl.anonymise.placement import placements
from etl.anonymise.population import Peeled, Place
from etl.anonymise.quality import inferred_sums, quality_rows
from etl.anonymise.report import group_sums, k_bases, linkage_sums, make_report
from etl.anonymise.requesters import with_requesters
from etl.anonymise.statutory import CELL, statutory
from etl.anonymise.stock import open_groups, open_table
from etl.anonymise.traces import PATTERN, Timelines, hold_timelines, trace_steps, with_traces
from etl.anonymise.unit_time import unit_times
from etl.errors import PrivacyError
from etl.metadata import Policy, check_promises
from etl.model.identity import FLOWS
from etl.model.published import Published
from etl.model.staging import Staging

if TYPE_CHECKING:
    from ibis.expr.types import Table

_MONTH = pa.schema([("month", pa.int64()), ("release_id", pa.string())])
_PLACE = pa.schema([("release_id", pa.string()), ("body_id", pa.int32()), ("case_type_code", pa.int32())])
_KIND = pa.schema([("late_body_id", pa.string()), ("late_case_type_code", pa.string())])
Look = Callable[["Table"], tuple[list[Peeled], set[Place]]]
_NO_STEP = pa.schema(
    [
        *((name, pa.string()) for name in ("group_key", "activity_code", "unit_id", "timed_band_code")),
        *((name, pa.int64()) for name in ("step_number", "since_start_median_days", "since_previous_median_days")),
        ("is_gap", pa.bool_()),
    ]
)
_NO_TRACE = pa.schema(
    [
        *((name, pa.string()) for name in ("trace_key", "level_code", "activity_code", "unit_id")),
        ("step_number", pa.int64()),
        ("is_gap", pa.bool_()),
    ]
)


def anonymise(staging: Staging, *, calendar: Table, policy: Policy, history: History) -> Published:
    """Make the releases of all due months from staging.

    staging: the current view, one row per live case and its events. calendar: shape CALENDAR_DAY, from the earliest date
    of staging to past the newest due month. Waits are in days of the headline clock's kind. Raises PrivacyError where the
    memory of earlier releases is torn or a case would be lost. Cost: one count per rung over the cases not placed yet.
    """
    start, system = mark(), policy.calendar.system
    low, high = month_index(system, history.due[0]), month_index(system, history.due[-1])
    due = [(low + place, month.code) for place, month in enumerate(history.due)]
    span: dict[str, Any] = {"policy": policy, "low": low, "high": high}
    case = staged_cases(staging, calendar=calendar, policy=policy, history=history)
    months = hold_rows(case.get_backend(), "month", [{"month": i, "release_id": code} for i, code in due], _MONTH)

    left = {"reopened": reopened_cases(case, low), "withdrawn": withdrawn_cases(case, earlier_flags(history), low)}
    known = _earlier_margins(history, policy, low)
    opening = _openings(known)
    flows, overdue = count_flows(case, **left), count_overdue(case, low=low, high=high)
    rows = margin_rows(flows, overdue=overdue, opening=opening, months=due)
    margins = [*known, *rows]
    guessed, fixed = _cadences(case, policy, history, margins=margins)
    finished = _finished(case, fixed=fixed, guessed=guessed, high=high)
    look, in_cohort = _others(
        case, staging, calendar=calendar, history=history, margins=margins, guessed=guessed, left=left, **span
    )
    (cohort, *stock), alike, members, groups, steps, traces = _partition(
        finished, case, staging, look, calendar=calendar, history=history, months=months, **span
    )
    sums, codes = group_sums(groups), [code for _, code in due]
    released = with_awaiting(rows, _by_place(sums), opening)
    linkage, inferred = linkage_sums(case, low=low, high=high), inferred_sums(case, staging.event, low=low, high=high)
    made = Published(
        margin=hold_rows(case.get_backend(), "margin", released, MARGIN),
        case_group=groups,
        case_group_step=_hold_or_empty(steps, case, "case_group_step", _NO_STEP),
        trace_step=_hold_or_empty(traces, case, "trace_step", _NO_TRACE),
        statutory=_hold_or_empty(statutory(case, staging.case_exemption, **span), case, "statutory", CELL),
        placement=placements(case=case, finished=finished, members=members, cohort=in_cohort, months=months, **left),
        numbers={
            "cohort_group": cohort_table(cohort, policy),
            "open_group": open_table(case.get_backend(), stock),
            "duration": durations(case, groups, alike=alike, members=members, policy=policy, history=history),
            "unit_time": unit_times(case, staging.event, calendar, **span),
        },
        report=make_report(codes, sums=sums, linkage=linkage, margins=released, bases=k_bases(alike), k=policy.k),
        cadence_bootstrap=guessed,
        quality=quality_rows(linkage, inferred, k=policy.k),
    )
    let_go_since(start, *made.relations)
    return made


def _others(
    case: Table,
    staging: Staging,
    *,
    calendar: Table,
    policy: Policy,
    history: History,
    margins: Sequence[Mapping[str, Any]],
    guessed: Bootstrap,
    left: Mapping[str, Any],
    low: int,
    high: int,
) -> tuple[Look, Table]:
    """Peel the populations beside the finished cases: what guards cohorts and open groups with these, and who is in cohorts.

    left: the cases that count as reopened and as withdrawn.
    """
    before, span = mark(), {"low": low, "high": high}
    cohort, placed = cohort_groups(case, policy=policy, history=history, margins=margins, guessed=guessed, **span)
    stock = open_groups(case, staging.event, calendar, policy=policy, due=history.due, margins=margins, **left)
    let_go_since(before, placed, *(each.case for each in (cohort, *stock)))
    return partial(guard, [cohort, *stock], margins=margins, policy=policy, history=history), placed


def _partition(
    finished: Table,
    case: Table,
    staging: Staging,
    look: Look,
    *,
    calendar: Table,
    policy: Policy,
    history: History,
    months: Table,
    low: int,
    high: int,
) -> tuple[list[Peeled], Table, Table, Table, Table | None, Table | None]:
    """Peel the cases whose period closes: alike cases, members, groups, their steps, their timelines; the rest is let go.

    look: what is asked, once cases are placed, who stands back for stock and flow; cohorts and open groups that did come
    first in the result.
    """
    before = mark()
    closing, lists = _closing(finished, policy=policy, months=months, low=low, high=high)
    timelines = _timelines(closing, case, staging, calendar=calendar, policy=policy)
    guarded, placed, patterns = _placed(closing, timelines, look, policy=policy, lists=lists, history=history)
    alike, members = number_groups(placed)
    steps, traces = _steps(members, timelines, patterns, policy=policy)
    kept = [part for part in (steps, traces) if part is not None]
    let_go_since(before, alike, members, *timelines.relations, *lists.values(), *kept)
    return guarded, alike, members, hold(case_groups(alike, members, policy, lists), "case_group"), steps, traces


def _cadences(
    case: Table, policy: Policy, history: History, *, margins: Sequence[Mapping[str, Any]]
) -> tuple[Bootstrap, dict[tuple[str, str, str], str]]:
    """Give the cadences guessed at the first release, and those that published margins fix for a year."""
    fixed = yearly_cadences(margins, policy=policy.cadence, begun=history.promises.cadence)
    return _bootstrap(case, policy, history), fixed


def _bootstrap(case: Table, policy: Policy, history: History) -> Bootstrap:
    if history.margin is not None:
        return history.cadence_bootstrap
    closed = history.closed or history.due
    system = policy.calendar.system
    first, last = month_index(system, closed[0]), month_index(system, closed[-1])
    return bootstrap(case, first=first, last=last, policy=policy.cadence)


def _finished(case: Table, *, fixed: Mapping[tuple[str, str, str], str], guessed: Bootstrap, high: int) -> Table:
    in_scope = case.filter((case.was_grouped == 0) & is_finished(case) & (case.finished_index <= high))
    return with_periods(in_scope, fixed, guessed)


def _closing(finished: Table, *, policy: Policy, months: Table, low: int, high: int) -> tuple[Table, Lists]:
    """Hold the cases whose period closes in a due month, with codes for their texts, and the lists of the codes.

    Of late ones those of the bodies and types whose late cases are peeled; others wait.
    """
    late = late_kinds(finished.filter(finished.release_index < low), k=policy.k)
    closing = _in_time_or(late, finished.filter(finished.release_index <= high), low)
    closing = closing.mutate(is_late=closing.release_index < low, month=ibis.greatest(closing.release_index, low))
    cases = closing.join(months, "month")
    texts = hold(with_requesters(with_values(cases, policy), of=cases), "closing")
    coded, lists = encode(texts, _texts(policy))
    held = hold(coded, "coded")
    let_go(texts)
    return held, lists


def _in_time_or(late: Collection[Kind], closing: Table, low: int) -> Table:
    is_in_time = closing.release_index >= low
    if not late:
        return closing.filter(is_in_time)
    rows = [dict(zip(_KIND.names, kind, strict=True)) for kind in sorted(late)]
    kinds = hold_rows(closing.get_backend(), "late_kind", rows, _KIND)
    own = (closing.body_id == kinds.late_body_id) & (closing.case_type_code == kinds.late_case_type_code)
    joined = closing.join(kinds, own, how="left")
    return joined.filter((joined.release_index >= low) | joined.late_body_id.notnull()).drop(*_KIND.names)


def _texts(policy: Policy) -> dict[str, list[str]]:
    """Name the columns of texts that peeling compares, by the published column that will show their values."""
    drawn = {
        PUBLISHED[column]: [value_name(column, level) for level in levels]
        for column, levels in used_levels(policy).items()
        if column not in ("loop", "trace")
    }
    return {"body_id": ["body_id"], "case_type_code": ["case_type_code"], **drawn}


def _timelines(closing: Table, case: Table, staging: Staging, *, calendar: Table, policy: Policy) -> Timelines:
    keys = case.select("case_key", "case_number").join(closing.select("case_number"), "case_number")
    return hold_timelines(staging.event, keys, calendar, policy=policy)


def _placed(
    closing: Table, timelines: Timelines, look: Look, *, policy: Policy, lists: Lists, history: History
) -> tuple[list[Peeled], Table, PatternLevel | None]:
    """Peel the closing cases: the populations beside them, guarded, the cases placed, and the patterns found on the way."""
    traced = hold(with_traces(closing, timelines, key=bytes.fromhex(policy.sha256)), "traced")
    let_go(closing)
    patterns = _patterns(traced, timelines, policy=policy, history=history)
    computed = {} if patterns is None else {PATTERN: patterns.compute}
    rungs = ladder_rungs(policy, computed, lists=lists)
    placed = _peeled(traced, rungs, policy)
    guarded, back = look(_shown(placed, lists))
    if back:
        again = _peeled(_inside(traced, back, lists), without_columns(rungs, COLUMNS, policy), policy)
        placed = hold(_outside(placed, back, lists).union(again), "placed")
    let_go(traced)
    return guarded, placed, patterns


def _peeled(case: Table, rungs: Sequence[Rung], policy: Policy) -> Table:
    peeled = peel_finished(case, rungs, policy)
    return hold(with_published(peeled, policy).select(*PLACED_COLUMNS), "placed")


def _shown(placed: Table, lists: Lists) -> Table:
    """Count the placed cases of each place, period, service and channel."""
    grouped = placed.filter(placed.is_placed)
    counted = grouped.group_by(*_PLACE.names, "period_code", "service_id", "channel_code").agg(
        case_count=grouped.case_number.count()
    )
    return decode(counted, lists, {name: name for name in lists if name in counted.columns})


def _outside(placed: Table, back: Collection[Place], lists: Lists) -> Table:
    """Give the placed cases of all other places."""
    marked = _places(back, lists).mutate(is_back=ibis.literal(value=True))
    found = placed.join(marked, _PLACE.names, how="left", rname="back_{name}")
    return found.filter(found.is_back.isnull()).select(*PLACED_COLUMNS)


def _inside(traced: Table, back: Collection[Place], lists: Lists) -> Table:
    """Hold the closing cases of the places that stand back, none of whom may show service or channel."""
    found = traced.join(_places(back, lists), _PLACE.names, how="semi")
    return hold(found.mutate(**{BARRED: ibis.literal(value=True)}), "barred")


def _places(back: Collection[Place], lists: Lists) -> Table:
    """Put places on the engine, with codes for their texts."""
    code = {name: {row["value"]: row["code"] for row in fetch(lists[name])} for name in _PLACE.names[1:]}
    rows = [
        {"release_id": release, "body_id": code["body_id"][body], "case_type_code": code["case_type_code"][case_type]}
        for release, body, case_type in sorted(back)
    ]
    return hold_rows(lists["body_id"].get_backend(), "place", rows, _PLACE)


def _patterns(traced: Table, timelines: Timelines, *, policy: Policy, history: History) -> PatternLevel | None:
    if all(rung.get("trace") != PATTERN for rung in policy.ladder):
        return None
    own = traced.filter(traced[TIMELINE].notnull()).select("case_number", TIMELINE)
    released = None if policy.patterns == "mined" else history.timelines
    return PatternLevel(timelines, hold(own, "timeline_of"), policy.k, released)


def _steps(
    members: Table, timelines: Timelines, patterns: PatternLevel | None, *, policy: Policy
) -> tuple[Table | None, Table | None]:
    """Time the steps of groups, and write their timelines and patterns out."""
    written = trace_steps(members, timelines)
    if patterns is not None and written is not None:
        written = written.union(pattern_rows(patterns, members))
    return group_steps(members, timelines, policy, patterns=patterns), written


def _earlier_margins(history: History, policy: Policy, low: int) -> list[dict[str, Any]]:
    """Fetch the margins of earlier releases; they must reach the first due month, and what was promised then must hold."""
    check_promises(policy, history.promises, year=f"{low // 12:04}")
    if history.margin is None:
        return []
    rows = fetch(history.margin.select("month_code", "body_id", "case_type_code", *FLOWS, "awaiting_count"))
    newest = max((row["month_code"] for row in rows), default="")
    year, month = divmod(low - 1, 12)
    if rows and newest != f"{year:04}-{month + 1:02}":
        raise PrivacyError(
            "history-gap",
            found=f"margins up to {newest} before the first due month",
            expected="the months to follow one another",
            todo="Release the months in between; none may be left out.",
        )
    return rows


def _openings(margins: Sequence[Mapping[str, Any]]) -> dict[Kind, Opening]:
    newest = max((row["month_code"] for row in margins), default="")
    return {
        (row["body_id"], row["case_type_code"]): Opening(row["open_count"], row["awaiting_count"])
        for row in margins
        if row["month_code"] == newest
    }


def _by_place(sums: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], int]:
    return {(row["release_id"], row["body_id"], row["case_type_code"]): row["case_count"] for row in sums}


def _hold_or_empty(relation: Table | None, case: Table, name: str, shape: pa.Schema) -> Table:
    return hold_rows(case.get_backend(), name, [], shape) if relation is None else hold(relation, name)
