"""The published groups and their steps: whole groups, sizes, and order statistics over cases with a usable time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.coding import Lists, decode
from etl.anonymise.columns import PUBLISHED
from etl.anonymise.held import fetch, hold, hold_rows
from etl.anonymise.pattern_level import PatternLevel
from etl.anonymise.ranks import count_timed, rank_values, timed_band
from etl.anonymise.requesters import REQUESTER, alone_in
from etl.anonymise.traces import PATTERN, Timelines, shown_unit, trace_text
from etl.calendars import Period, parse_period
from etl.metadata import Policy
from etl.model.codes import EARLIER

if TYPE_CHECKING:
    from ibis.expr.types import Table

WAITS = {"wait_p25_days": 25, "wait_median_days": 50, "wait_p75_days": 75, "wait_p90_days": 90}
GROUP_COLUMNS = (
    *("group_key", "release_id", "body_id", "case_type_code", "period_code", "cadence_code", "period_first_on"),
    *(
        "period_last_on",
        "late_for_code",
        "rung_number",
        "is_floor",
        "service_id",
        "service_level",
        "unit_id",
        "unit_level",
    ),
    *("outcome_code", "lateness_code", "duration_band_code", "is_loop", "channel_code", "trace_key", "trace_level"),
    *("case_count", "timed_band_code", *WAITS),
)
_PERIOD = pa.schema([("period_code", pa.string()), ("period_first_on", pa.date32()), ("period_last_on", pa.date32())])
_VALUES = (
    *("release_id", "body_id", "case_type_code", "period_code", "cadence_code", "late_for_code"),
    *("rung_number", "is_floor", "service_level", "unit_level", "trace_level", *PUBLISHED.values()),
)

PLACED_COLUMNS = ("case_number", "wait_days", "is_placed", REQUESTER, "is_requester_known", *_VALUES)
# together they are a group's identity: no two groups of a release share all of them
_IDENTITY = (
    *("release_id", "late_for_code", "body_id", "case_type_code", "period_code", "rung_number"),
    *PUBLISHED.values(),
)
_FILLED = tuple(f"{name}_filled" for name in _IDENTITY)
_STEP = ("group_number", "step_number")
_SHOWN = ("group_number", "trace_level", "release_id")


def number_groups(placed: Table) -> tuple[Table, Table]:
    """Hold the groups of placed cases with a number and their size, and the cases with the number of their group.

    placed: PLACED_COLUMNS, codes for texts. Result: group_number, the values of the group, case_count, known_count (cases
    with a known requester); and case_number, group_number (NULL: waits), release_id, period_code, wait_days, is_floor,
    requester_number (NULL: alone in the group), trace_level, trace_key.
    """
    grouped = placed.filter(placed.is_placed)
    grouped = grouped.group_by(*_VALUES).agg(
        case_count=grouped.case_number.count(), known_count=ibis.ifelse(grouped.is_requester_known, 1, 0).sum()
    )
    number = (ibis.row_number().over(ibis.window(order_by=_IDENTITY)) + 1).cast("int32")
    groups = hold(grouped.mutate(group_number=number), "group")
    joined = _filled(placed).join(_filled(groups).select("group_number", *_FILLED), _FILLED, how="left")
    columns = ("case_number", "group_number", "release_id", "period_code", "wait_days", "is_floor", REQUESTER)
    return groups, hold(alone_in(joined.select(*columns, "trace_level", "trace_key"), "group_number"), "member")


def case_groups(groups: Table, members: Table, policy: Policy, lists: Lists) -> Table:
    """Write groups out: the columns of `case_group` with group_key and trace_key for ids. Floor rows show no time."""
    shown = members.filter(members.group_number.notnull() & ~members.is_floor)
    ranks = rank_values(shown, "wait_days", group=("group_number",), percents=WAITS, k=policy.k)
    grouped = groups.join(ranks, "group_number", how="left", rname="ranked_{name}")
    grouped = grouped.mutate(timed_band_code=timed_band(grouped, k=policy.k), trace_key=trace_text(grouped))
    codes = [row["period_code"] for row in fetch(groups.select("period_code").distinct())]
    periods = hold_rows(groups.get_backend(), "period", _period_rows(codes, policy), _PERIOD)
    written = decode(grouped, lists, {name: name for name in lists})
    written = written.mutate(group_key=group_key(written))
    return written.join(periods, "period_code").select(*GROUP_COLUMNS)


def group_steps(members: Table, timelines: Timelines, policy: Policy, *, patterns: PatternLevel | None) -> Table | None:
    """Sum the steps of groups whose trace is shown; None where the ladder shows no trace.

    Medians are over cases with a usable day at the step, at the step before it and at the first step, in days of the
    headline clock's kind. Result: the columns of `case_group_step` with group_key.
    """
    parts = []
    for kind, steps in timelines.steps.items():
        shown = members.filter(members.trace_level.isin(timelines.levels_of(kind)))
        parts.append(_timed_steps(steps, shown, timelines, policy, has_gaps=False))
    if patterns is not None:
        shown = members.filter(members.trace_level == PATTERN)
        parts.append(_timed_steps(patterns.case_steps(members), shown, timelines, policy, has_gaps=True))
        parts.append(_gaps(patterns.written(members), shown))
    return ibis.union(*parts) if parts else None


def group_key(relation: Table) -> Any:
    """Name the group of a relation with release_id and group_number; NULL where a case waits."""
    return relation.release_id + ":" + relation.group_number.cast("string")


def _timed_steps(steps: Table, shown: Table, timelines: Timelines, policy: Policy, *, has_gaps: bool) -> Table:
    shown = shown.filter(shown.group_number.notnull())
    rows = steps.join(shown.select("case_number", REQUESTER, "group_number"), "case_number")
    # the cases of a group have the same text at a step, whichever of their tokens stands for it
    joined = rows.group_by(*_STEP).agg(token=rows.token.min())
    # a step has both times or none, but after a gap only the first
    timed = None if has_gaps else count_timed(rows, "since_start", group=_STEP, k=policy.k)
    for value in ("since_start", "since_previous"):
        percents = {f"{value}_median_days": 50}
        ranks = rank_values(rows, value, group=_STEP, percents=percents, k=policy.k, timed=timed)
        joined = joined.join(ranks, _STEP, how="left", rname=f"{value}_{{name}}")
    joined = joined.join(timelines.tokens, "token").join(shown.select(*_SHOWN).distinct(), "group_number")
    return joined.select(
        "step_number",
        "activity_code",
        group_key=group_key(joined),
        unit_id=shown_unit(joined),
        is_gap=ibis.literal(False),
        timed_band_code=timed_band(joined, k=policy.k),
        since_start_median_days="since_start_median_days",
        since_previous_median_days="since_previous_median_days",
    )


def _gaps(written: Table, shown: Table) -> Table:
    """Write the gaps of the groups' patterns, which have no times."""
    groups = shown.filter(shown.group_number.notnull()).select("group_number", "release_id", "trace_key").distinct()
    rows = groups.join(written.filter(written.is_gap), "trace_key")
    return rows.select(
        "step_number",
        "activity_code",
        group_key=group_key(rows),
        unit_id=ibis.null("string"),
        is_gap="is_gap",
        timed_band_code=ibis.null("string"),
        since_start_median_days=ibis.null("int64"),
        since_previous_median_days=ibis.null("int64"),
    )


def _filled(relation: Table) -> Table:
    """Add the columns of a group's identity without NULL, so that they can be joined."""
    kinds = {name: relation[name].type() for name in _IDENTITY}
    filled = {
        f"{name}_filled": ibis.coalesce(relation[name], "")
        if kinds[name].is_string()
        else ibis.coalesce(relation[name].cast("int64"), -1)
        for name in _IDENTITY
    }
    return relation.mutate(**filled)


def _period_rows(codes: Sequence[str], policy: Policy) -> list[dict[str, Any]]:
    rows = []
    for code in sorted(codes):
        period: Period | None = None if code == EARLIER else parse_period(policy.calendar.system, code)
        first_on, last_on = (period.first_on, period.last_on) if period else (None, None)
        rows.append({"period_code": code, "period_first_on": first_on, "period_last_on": last_on})
    return rows
