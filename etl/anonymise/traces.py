"""Traces: the steps of a case at a level, compared by fingerprint, written out once.

Levels: `steps_units` (activity and unit), `steps` (activity), `milestones` (consecutive repeats merged, other events
dropped; activity_code holds the milestone); `pattern` is found among the steps, see `etl.anonymise.pattern_level`. A
fingerprint is a pair of sums of two 40-bit weights per distinct token (step, activity, unit), taken from BLAKE2b keyed
with the policy's hash: order-free, equal on every engine, no overflow below eight million events a case; never an
engine's own hash (FINDINGS "Engine"). No time enters a trace.

Events are by far the most rows of a run. They are held as integers (case, step, token, days) and once only: levels that
differ in what they show share one relation of steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold, hold_rows, let_go
from etl.metadata import Policy
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

USABLE_PRECISIONS = ("second", "day")
NO_UNIT = ""
MILESTONES = "milestones"
STEPS = "steps"
PATTERN = "pattern"
WITH_UNITS = "steps_units"
_DAYS = 1_000_000  # more than any calendar has: a step's place and its day fit in one number
_TOKEN = pa.schema(
    [
        ("token", pa.int32()),
        ("activity_code", pa.string()),
        ("unit_id", pa.string()),
        ("milestone_code", pa.string()),  # "": none; NULL: the token is a milestone's own
        ("milestone_token", pa.int32()),  # NULL: none
    ]
)


@dataclass(frozen=True)
class Timelines:
    """The steps of cases and the texts behind their tokens.

    tokens: token, activity_code, unit_id, milestone_code, milestone_token; a milestone has a token of its own.
    steps: kind (`steps` or `milestones`) -> case_number, step_number from 1, token, since_start, since_previous (days of
        the headline clock's kind to the first and the previous step; NULL where a day of them is not usable).
    levels: the trace levels of the ladder that are compared by fingerprint, in its order.
    """

    tokens: Table
    steps: Mapping[str, Table]
    levels: tuple[str, ...]

    @property
    def relations(self) -> tuple[Table, ...]:
        """What is held of them."""
        return self.tokens, *self.steps.values()

    def levels_of(self, kind: str) -> tuple[str, ...]:
        """List the levels that show the steps of a kind."""
        return tuple(level for level in self.levels if kind_of(level) == kind)


def kind_of(level: str) -> str:
    """Name the kind of steps that a level shows."""
    return MILESTONES if level == MILESTONES else STEPS


def trace_levels(policy: Policy) -> tuple[str, ...]:
    """List the trace levels that the ladder needs by fingerprint, in its order; a pattern is found among steps."""
    used = (rung["trace"] for rung in policy.ladder if "trace" in rung)
    return tuple(dict.fromkeys(STEPS if level == PATTERN else level for level in used))


def token_weights(step: int, activity: str, unit: str, key: bytes) -> tuple[int, int]:
    """Weigh a token by two numbers of 40 bits.

    >>> a, b = token_weights(1, "intake", "", b"key")
    >>> max(a, b) < 2**40 and (a, b) != token_weights(2, "intake", "", b"key")
    True
    """
    text = f"{step}\x1f{activity}\x1f{unit}".encode()
    digest = hashlib.blake2b(text, digest_size=10, key=key).digest()
    return int.from_bytes(digest[:5], "big"), int.from_bytes(digest[5:], "big")


def hold_timelines(event: Table, case: Table, calendar: Table, *, policy: Policy) -> Timelines:
    """Hold the steps of the cases (case_key, case_number) at every level that the ladder uses."""
    levels = trace_levels(policy)
    event = event.select(
        "case_key",
        "seq",
        activity_code=ibis.coalesce(event.activity_code, NOT_RECORDED),
        unit_id=ibis.coalesce(event.to_unit_id, NOT_RECORDED),
        milestone_code=ibis.coalesce(event.milestone_code, ""),
        occurred_on=usable_day(event),
    )
    if not levels:
        return Timelines(hold_rows(event.get_backend(), "token", [], _TOKEN), {}, ())
    tokens = _hold_tokens(event)
    dated = hold(_dated(event, case, tokens, numbered_days(calendar, policy)), "event")
    kinds = dict.fromkeys(kind_of(level) for level in levels)
    steps = {
        kind: hold(number_steps(_milestones(dated, tokens) if kind == MILESTONES else dated), kind) for kind in kinds
    }
    let_go(dated)
    return Timelines(tokens, steps, levels)


def number_steps(event: Table) -> Table:
    """Number the steps of each case in the order of `seq`, with the days since its first and its previous step.

    event: case_number, seq, token, day_number (NULL: no usable day).
    """
    order = ibis.window(group_by="case_number", order_by="seq")
    so_far = ibis.cumulative_window(group_by="case_number", order_by="seq")
    # the day of the first step, 0 for none, found as the lowest pair of place and day
    pair = event.seq.cast("int64") * _DAYS + ibis.coalesce(event.day_number, 0)
    numbered = event.select(
        "case_number",
        "token",
        "day_number",
        step_number=(ibis.row_number().over(order) + 1).cast("int32"),
        before=event.day_number.lag(1).over(order),
        start=pair.min().over(so_far) % _DAYS,
    )
    is_first = numbered.step_number == 1
    is_known = (numbered.start > 0) & numbered.day_number.notnull() & (numbered.before.notnull() | is_first)
    nothing = ibis.null("int32")
    return numbered.select(
        "case_number",
        "step_number",
        "token",
        since_start=ibis.ifelse(is_known, (numbered.day_number - numbered.start).cast("int32"), nothing),
        since_previous=ibis.ifelse(is_known, (numbered.day_number - numbered.before).cast("int32"), nothing),
    )


def with_traces(case: Table, timelines: Timelines, *, key: bytes) -> Table:
    """Add trace_<level> to cases: equal numbers mean equal traces; NULL where a case has no step at that level."""
    for kind in timelines.steps:
        traces = hold(fingerprint_traces(timelines, kind, key=key), f"fingerprint_{kind}")
        for level in timelines.levels_of(kind):
            pair = [f"{level}_high", f"{level}_low"]
            number = ibis.row_number().over(ibis.window(order_by=pair)) + 1
            numbered = traces.select(*pair).distinct().mutate(**{f"trace_{level}": number})
            traces = traces.join(numbered, pair).drop(*pair)
        case = case.join(traces, "case_number", how="left", rname="traced_{name}").drop("traced_case_number")
    return case


def fingerprint_traces(timelines: Timelines, kind: str, *, key: bytes) -> Table:
    """Sum the weights of each case's tokens: case_number, <level>_high and <level>_low for every level of the kind."""
    steps = timelines.steps[kind]
    levels = timelines.levels_of(kind)
    used = steps.select("step_number", "token").distinct().join(timelines.tokens, "token")
    rows = []
    for row in fetch(used.select("step_number", "token", "activity_code", "unit_id")):
        weighed: dict[str, Any] = {"step_number": row["step_number"], "token": row["token"]}
        for level in levels:
            unit = row["unit_id"] if level == WITH_UNITS else NO_UNIT
            pair = token_weights(row["step_number"], row["activity_code"], unit, key)
            weighed |= dict(zip((f"{level}_high", f"{level}_low"), pair, strict=True))
        rows.append(weighed)
    sums = [f"{level}_{half}" for level in levels for half in ("high", "low")]
    shape = pa.schema([("step_number", pa.int32()), ("token", pa.int32()), *((name, pa.int64()) for name in sums)])
    weights = hold_rows(steps.get_backend(), f"weight_{kind}", rows, shape)
    joined = steps.join(weights, ("step_number", "token"))
    return joined.group_by("case_number").agg(**{name: joined[name].sum().cast("int64") for name in sums})


def trace_steps(placed: Table, timelines: Timelines) -> Table | None:
    """Write each published trace out once, from one case of it; None where the ladder shows no trace.

    placed: case_number, trace_level, trace_key (a number). Result: trace_key (text), level_code, step_number,
    activity_code, unit_id (NULL but at steps_units), is_gap. Which case stands for the trace does not matter: all of them
    have these steps.
    """
    shown = placed.filter(placed.trace_key.notnull())
    chosen = shown.group_by("trace_key", "trace_level").agg(case_number=shown.case_number.min())
    written = []
    for kind, relation in timelines.steps.items():
        joined = relation.join(chosen.filter(chosen.trace_level.isin(timelines.levels_of(kind))), "case_number")
        joined = joined.join(timelines.tokens, "token")
        written.append(
            joined.select(
                "step_number",
                "activity_code",
                trace_key=trace_text(joined),
                level_code="trace_level",
                unit_id=shown_unit(joined),
                is_gap=ibis.literal(False),
            )
        )
    return _together(written)


def trace_text(relation: Table) -> Any:
    """Name the trace of a relation with trace_level and trace_key (a number); NULL where there is none."""
    return relation.trace_level + ":" + relation.trace_key.cast("string")


def shown_unit(relation: Table) -> Any:
    """Show the unit of a step where the level of its trace does."""
    return ibis.ifelse(relation.trace_level == WITH_UNITS, relation.unit_id, ibis.null("string"))


def usable_day(event: Table) -> Any:
    """Give the civil date of an event; NULL where its time is coarser than a day, or inferred."""
    usable = event.time_precision_code.isin(USABLE_PRECISIONS) & ~ibis.coalesce(event.is_derived, False)
    return ibis.ifelse(ibis.coalesce(usable, False), event.occurred_on, ibis.null("date"))


def numbered_days(calendar: Table, policy: Policy) -> Table:
    """Number days from 1 in days of the headline clock's kind: day_on, day_number."""
    rank = ibis.row_number().over(ibis.window(order_by=calendar.day_on))
    number = calendar.working_day_number if policy.clocks.lead.kind == "working" else rank
    return calendar.select("day_on", day_number=(number + 1).cast("int32"))


def _hold_tokens(event: Table) -> Table:
    texts = ("activity_code", "unit_id", "milestone_code")
    found = sorted(fetch(event.select(*texts).distinct()), key=lambda row: tuple(row[name] for name in texts))
    milestones = sorted({row["milestone_code"] for row in found} - {""})
    own = {milestone: len(found) + number for number, milestone in enumerate(milestones, 1)}
    rows = [
        row | {"token": number, "milestone_token": own.get(row["milestone_code"])}
        for number, row in enumerate(found, 1)
    ]
    rows += [{"token": number, "activity_code": code, "unit_id": NO_UNIT} for code, number in own.items()]
    return hold_rows(event.get_backend(), "token", rows, _TOKEN)


def _dated(event: Table, case: Table, tokens: Table, days: Table) -> Table:
    joined = event.join(case, "case_key")
    joined = joined.join(days, joined.occurred_on == days.day_on, how="left")
    joined = joined.join(tokens, ["activity_code", "unit_id", "milestone_code"])
    return joined.select("case_number", "seq", "token", "day_number")


def _milestones(event: Table, tokens: Table) -> Table:
    """Keep the events that reach another milestone than the milestone before them."""
    reached = event.join(tokens.select("token", "milestone_token"), "token")
    reached = reached.filter(reached.milestone_token.notnull())
    order = ibis.window(group_by="case_number", order_by="seq")
    reached = reached.mutate(before=ibis.coalesce(reached.milestone_token.lag(1).over(order), 0))
    reached = reached.filter(reached.before != reached.milestone_token)
    return reached.select("case_number", "seq", "day_number", token="milestone_token")


def _together(parts: Sequence[Table]) -> Table | None:
    return ibis.union(*parts) if parts else None
