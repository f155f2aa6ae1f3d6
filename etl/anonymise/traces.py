"""Traces: the steps of a case at a level, compared by fingerprint, written out once.

Levels: `steps_units` (activity and unit), `steps` (activity), `milestones` (consecutive repeats merged, other events
dropped; activity_code holds the milestone). A fingerprint is a pair of sums of two 40-bit weights per distinct token
(step, activity, unit), taken from BLAKE2b keyed with the policy's hash: order-free, equal on every engine, no overflow
below eight million events a case; never an engine's own hash (FINDINGS "Engine"). No time enters a trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold, hold_rows
from etl.metadata import Policy
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

USABLE_PRECISIONS = ("second", "day")
NO_UNIT = ""
_WEIGHT = pa.schema(
    [
        ("step_number", pa.int64()),
        ("activity_code", pa.string()),
        ("unit_id", pa.string()),
        ("high", pa.int64()),
        ("low", pa.int64()),
    ]
)


def trace_levels(policy: Policy) -> tuple[str, ...]:
    """List the trace levels that the ladder uses, in its order."""
    return tuple(dict.fromkeys(rung["trace"] for rung in policy.ladder if "trace" in rung))


def token_weights(step: int, activity: str, unit: str, key: bytes) -> tuple[int, int]:
    """Weigh a token by two numbers of 40 bits.

    >>> a, b = token_weights(1, "intake", "", b"key")
    >>> max(a, b) < 2**40 and (a, b) != token_weights(2, "intake", "", b"key")
    True
    """
    text = f"{step}\x1f{activity}\x1f{unit}".encode()
    digest = hashlib.blake2b(text, digest_size=10, key=key).digest()
    return int.from_bytes(digest[:5], "big"), int.from_bytes(digest[5:], "big")


def dated_events(event: Table, case: Table, calendar: Table, *, kind: str) -> Table:
    """Hold the events of the cases with `day_number`, the day in days of the headline clock's kind (NULL: no usable time).

    Result: one row per event (key: case_key, seq).
    """
    number = (
        calendar.working_day_number.cast("int64")
        if kind == "working"
        else ibis.row_number().over(ibis.window(order_by=calendar.day_on)).cast("int64")
    )
    days = calendar.select("day_on", day_number=number)
    usable = event.time_precision_code.isin(USABLE_PRECISIONS) & ~ibis.coalesce(event.is_derived, False)
    event = event.select(
        "case_key",
        "seq",
        "milestone_code",
        activity_code=ibis.coalesce(event.activity_code, NOT_RECORDED),
        unit_id=ibis.coalesce(event.to_unit_id, NOT_RECORDED),
        occurred_on=ibis.ifelse(ibis.coalesce(usable, False), event.occurred_on, ibis.null("date")),
    ).join(case.select("case_key"), "case_key", how="semi")
    joined = event.join(days, event.occurred_on == days.day_on, how="left")
    return hold(joined.drop("day_on", "occurred_on"), "event")


def steps_at(event: Table, level: str) -> Table:
    """Number the steps of each case at a level: case_key, step_number from 1, activity_code, unit_id, day_number."""
    order = ibis.window(group_by="case_key", order_by="seq")
    if level == "milestones":
        event = event.filter(event.milestone_code.notnull())
        event = event.mutate(before=ibis.coalesce(event.milestone_code.lag(1).over(order), ""))
        event = event.filter(event.before != event.milestone_code)
        event = event.mutate(activity_code=event.milestone_code)
    unit = event.unit_id if level == "steps_units" else ibis.literal(NO_UNIT)
    step = ibis.row_number().over(order).cast("int64") + 1
    return event.select("case_key", "activity_code", "day_number", step_number=step, unit_id=unit)


def hold_steps(event: Table, policy: Policy) -> dict[str, Table]:
    """Hold the steps of every level that the ladder uses."""
    return {level: hold(steps_at(event, level), f"steps_{level}") for level in trace_levels(policy)}


def fingerprint_traces(steps: Table, level: str, *, key: bytes) -> Table:
    """Give each case with at least one step its trace as text: case_key, trace_<level>; equal texts mean equal traces."""
    token = ("step_number", "activity_code", "unit_id")
    rows = []
    for row in fetch(steps.select(*token).distinct()):
        high, low = token_weights(row["step_number"], row["activity_code"], row["unit_id"], key)
        rows.append({name: row[name] for name in token} | {"high": high, "low": low})
    weights = hold_rows(steps.get_backend(), "weight", rows, _WEIGHT)
    sums = steps.join(weights, token).group_by("case_key").agg(high=ibis._.high.sum(), low=ibis._.low.sum())
    parts = (ibis.literal(f"{level}:"), sums.high.cast("string"), ibis.literal(":"), sums.low.cast("string"))
    return sums.select("case_key", **{f"trace_{level}": parts[0] + parts[1] + parts[2] + parts[3]})


def with_traces(case: Table, steps: Mapping[str, Table], *, key: bytes) -> Table:
    """Add trace_<level> to cases for every held level; NULL where a case has no step at that level."""
    for level, relation in steps.items():
        traces = fingerprint_traces(relation, level, key=key)
        case = case.join(traces, "case_key", how="left", rname="traced_{name}").drop("traced_case_key")
    return case


def trace_steps(placed: Table, steps: Mapping[str, Table]) -> Table | None:
    """Write each published trace out once, from one case of it; None where the ladder shows no trace.

    Result: trace_key, level_code, step_number, activity_code, unit_id (NULL but at steps_units), is_gap. Which case
    stands for the trace does not matter: all of them have these steps.
    """
    shown = placed.filter(placed.trace_key.notnull())
    chosen = shown.group_by("trace_key", "trace_level").agg(case_key=shown.case_key.min())
    written = []
    for level, relation in steps.items():
        joined = relation.join(chosen.filter(chosen.trace_level == level), "case_key")
        unit = joined.unit_id if level == "steps_units" else ibis.null("string")
        written.append(
            joined.select(
                "trace_key",
                "step_number",
                "activity_code",
                level_code="trace_level",
                unit_id=unit,
                is_gap=ibis.literal(False),
            )
        )
    return ibis.union(*written) if len(written) > 1 else (written[0] if written else None)
