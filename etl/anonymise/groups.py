"""The published groups and their steps: whole groups, sizes, and order statistics over cases with a usable time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold_rows
from etl.anonymise.peel import PUBLISHED
from etl.anonymise.ranks import rank_values, timed_band
from etl.calendars import Period, parse_period
from etl.metadata import Policy

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
    *("group_key", "release_id", "body_id", "case_type_code", "period_code", "cadence_code", "late_for_code"),
    *("rung_number", "is_floor", "service_level", "unit_level", "trace_level", *PUBLISHED.values()),
)

PLACED_COLUMNS = ("case_key", "wait_days", *_VALUES)
_STEP = ("group_key", "step_number", "activity_code", "unit_id")


def case_groups(placed: Table, policy: Policy) -> Table:
    """Sum placed cases into groups: the columns of `case_group` with group_key and trace_key for ids. Floor rows show no time."""
    shown = placed.filter(~placed.is_floor)
    ranks = rank_values(shown, "wait_days", group=("group_key",), percents=WAITS, k=policy.k)
    grouped = placed.group_by(*_VALUES).agg(case_count=placed.case_key.count())
    grouped = grouped.join(ranks, "group_key", how="left", rname="ranked_{name}")
    grouped = grouped.mutate(timed_band_code=timed_band(grouped, k=policy.k))
    codes = [row["period_code"] for row in fetch(placed.select("period_code").distinct())]
    periods = hold_rows(placed.get_backend(), "period", _period_rows(codes, policy), _PERIOD)
    return grouped.join(periods, "period_code").select(*GROUP_COLUMNS)


def group_steps(placed: Table, steps: Mapping[str, Table], policy: Policy) -> Table | None:
    """Sum the steps of groups whose trace is shown; None where the ladder shows no trace.

    Medians are over cases with a usable day at the step, at the step before it and at the first step, in days of the
    headline clock's kind. Result: the columns of `case_group_step` with group_key.
    """
    parts = [_level_steps(placed, relation, level, policy) for level, relation in steps.items()]
    return ibis.union(*parts) if len(parts) > 1 else (parts[0] if parts else None)


def _level_steps(placed: Table, steps: Table, level: str, policy: Policy) -> Table:
    shown = placed.filter(placed.trace_level == level).select("case_key", "group_key")
    rows = steps.join(shown, "case_key")
    own = ibis.window(group_by="case_key", order_by="step_number")
    whole = ibis.window(group_by="case_key")
    first = ibis.ifelse(rows.step_number == 1, rows.day_number, ibis.null("int64")).max().over(whole)
    rows = rows.mutate(start=first, before=rows.day_number.lag(1).over(own))
    is_known = rows.start.notnull() & (rows.before.notnull() | (rows.step_number == 1))
    since = ibis.ifelse(is_known, rows.day_number - rows.start, ibis.null("int64"))
    rows = rows.mutate(since_start=since)
    after = ibis.ifelse(rows.since_start.notnull(), rows.day_number - rows.before, ibis.null("int64"))
    rows = rows.mutate(since_previous=after)
    joined = rows.select(*_STEP).distinct()
    for value in ("since_start", "since_previous"):
        percents = {f"{value}_median_days": 50}
        ranks = rank_values(rows, value, group=_STEP[:2], percents=percents, k=policy.k)
        joined = joined.join(ranks, _STEP[:2], how="left", rname=f"{value}_{{name}}")
    return joined.select(
        "group_key",
        "step_number",
        "activity_code",
        unit_id=joined.unit_id if level == "steps_units" else ibis.null("string"),
        is_gap=ibis.literal(False),
        timed_band_code=timed_band(joined, k=policy.k),
        since_start_median_days="since_start_median_days",
        since_previous_median_days="since_previous_median_days",
    )


def _period_rows(codes: Sequence[str], policy: Policy) -> list[dict[str, Any]]:
    rows = []
    for code in sorted(codes):
        period: Period | None = None if code == "earlier" else parse_period(policy.calendar.system, code)
        first_on, last_on = (period.first_on, period.last_on) if period else (None, None)
        rows.append({"period_code": code, "period_first_on": first_on, "period_last_on": last_on})
    return rows
