"""The trace level `pattern`: found among the cases that no earlier rung took, class by class, and written out with its gaps.

A class is the cases of one floor that agree in every other column of the rung. Its distinct timelines (activities, without
units) and their numbers of requesters are fetched, small tables; patterns are found in Python, the same on every engine
(`etl.anonymise.patterns`), or taken from what was released before (`patterns: public`); which timeline is shown by which
pattern goes back as a small table. Peeling counts again: a pattern that too few requesters share makes no group.

A gap is a step of its own (`is_gap`): any number of steps may lie there, also none. Where there is no gap, the steps
follow each other directly in every case of the group. A case's times at the steps of a pattern are those of the earliest
places where the pattern stands in it. Of a class, MOST_SEQUENCES timelines are looked at, the most frequent first, of at
most MOST_STEPS steps; the others go on to the next rung.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.embedding import END, FIRST_SYMBOL, Pattern, embed
from etl.anonymise.held import fetch, hold, hold_rows
from etl.anonymise.patterns import MOST_SEQUENCES, framed, known_patterns, mine_patterns
from etl.anonymise.peel import CASE, FLOOR, TRUE, Rung
from etl.anonymise.requesters import REQUESTER, count_requesters
from etl.anonymise.traces import PATTERN, STEPS, Timelines, trace_text
from etl.model.codes import GAP

if TYPE_CHECKING:
    from ibis.expr.types import Table

MOST_STEPS = 200
VALUE = f"trace_{PATTERN}"  # the column of a case that holds the number of its pattern
TIMELINE = f"trace_{STEPS}"  # the column that holds the number of its steps' trace
Written = tuple[tuple[str, bool], ...]  # activity_code and is_gap of each row
_PLACE = pa.schema(
    [
        *((name, pa.int64()) for name in ("trace_key", TIMELINE)),
        *((name, pa.int32()) for name in ("step_number", "at")),
        ("is_next", pa.bool_()),
    ]
)
_STEP = pa.schema(
    [("trace_key", pa.int64()), ("step_number", pa.int32()), ("activity_code", pa.string()), ("is_gap", pa.bool_())]
)


@dataclass
class PatternLevel:
    """The patterns of a run: filled while cases are peeled, read when groups are written.

    timeline_of: held, one row per case with a timeline: case_number, trace_steps. released: timelines and patterns of
    earlier releases, the only source of patterns where it is given.
    """

    timelines: Timelines
    timeline_of: Table
    k: int
    released: Sequence[Written] | None = None
    _numbers: dict[Written, int] = field(default_factory=dict)
    _places: dict[tuple[int, int], tuple[tuple[int, int, bool], ...]] = field(default_factory=dict)

    def compute(self, left: Table, rung: Rung) -> Table:
        """Give cases that came to a rung their pattern: case_number, trace_pattern (a number); others are left out."""
        keys = (FLOOR, *(name for name in rung.values if name != VALUE))
        for name in rung.barred_by:
            left = left.filter(left[name] != TRUE)
        fitting = hold(left.select(CASE, REQUESTER, *keys).join(self.timeline_of, CASE), "fitting")
        classes = self._classes(fitting, keys)
        sequences = self._sequences({timeline for own in classes.values() for timeline in own})
        rows = [
            dict(zip(keys, key, strict=True)) | {TIMELINE: timeline, VALUE: number}
            for key, own in sorted(classes.items())
            for timeline, number in self._assigned(own, sequences).items()
        ]
        kinds = fitting.schema().to_pyarrow()
        shape = pa.schema([*(kinds.field(name) for name in (*keys, TIMELINE)), pa.field(VALUE, pa.int64())])
        assigned = hold_rows(left.get_backend(), "assigned", rows, shape)
        return fitting.join(assigned, [*keys, TIMELINE]).select(CASE, VALUE)

    def case_steps(self, members: Table) -> Table:
        """Time the members' patterns: case_number, step_number (of the pattern), token, since_start, since_previous.

        since_previous: NULL after a gap, where another step may have come in between.
        """
        shown = members.filter(members.trace_level == PATTERN).select(CASE, "trace_key")
        rows = [
            {"trace_key": number, TIMELINE: timeline, "step_number": step, "at": at, "is_next": is_next}
            for (number, timeline), places in self._places.items()
            for step, at, is_next in places
        ]
        places = hold_rows(members.get_backend(), "place", rows, _PLACE)
        placed = shown.join(self.timeline_of, CASE).join(places, ["trace_key", TIMELINE])
        event = self.timelines.steps[STEPS].select(CASE, "token", "since_start", "since_previous", at="step_number")
        timed = placed.join(event, [CASE, "at"])
        since_previous = ibis.ifelse(timed.is_next, timed.since_previous, ibis.null("int32"))
        return hold(
            timed.select(CASE, "step_number", "token", "since_start", since_previous=since_previous), "pattern_step"
        )

    def written(self, members: Table) -> Table:
        """List the rows of the patterns that groups show: trace_key (a number), step_number, activity_code, is_gap."""
        rows = [
            {"trace_key": number, "step_number": step, "activity_code": activity, "is_gap": is_gap}
            for pattern, number in self._numbers.items()
            for step, (activity, is_gap) in enumerate(pattern, 1)
        ]
        listed = hold_rows(members.get_backend(), "pattern", rows, _STEP)
        shown = members.filter((members.trace_level == PATTERN) & members.group_number.notnull())
        return listed.join(shown.select("trace_key").distinct(), "trace_key")

    def _classes(self, fitting: Table, keys: tuple[str, ...]) -> dict[tuple[Any, ...], dict[int, int]]:
        """Fetch, by class, its most frequent timelines and their numbers of requesters; only classes that reach k."""
        counted = count_requesters(fitting, (*keys, TIMELINE))
        whole = counted.requester_count.sum().over(ibis.window(group_by=keys))
        counted = counted.mutate(whole_count=whole)
        found: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        for row in fetch(counted.filter(counted.whole_count >= self.k).select(*keys, TIMELINE, "requester_count")):
            found.setdefault(tuple(row[name] for name in keys), []).append((-row["requester_count"], row[TIMELINE]))
        return {key: {timeline: -n for n, timeline in sorted(own)[:MOST_SEQUENCES]} for key, own in found.items()}

    def _sequences(self, timelines: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
        """Fetch the activities of timelines, from one case of each; too long ones are left out."""
        backend = self.timeline_of.get_backend()
        rows = [{TIMELINE: timeline} for timeline in sorted(timelines)]
        wanted = hold_rows(backend, "wanted", rows, pa.schema([(TIMELINE, pa.int64())]))
        standing = self.timeline_of.join(wanted, TIMELINE)
        standing = hold(standing.group_by(TIMELINE).agg(**{CASE: standing[CASE].min()}), "standing")
        steps = self.timelines.steps[STEPS].join(standing, CASE).join(self.timelines.tokens, "token")
        found: dict[int, list[tuple[int, str]]] = {}
        for row in fetch(steps.select(TIMELINE, "step_number", "activity_code")):
            found.setdefault(row[TIMELINE], []).append((row["step_number"], row["activity_code"]))
        return {
            timeline: tuple(activity for _, activity in sorted(own))
            for timeline, own in found.items()
            if len(own) <= MOST_STEPS
        }

    def _assigned(self, own: Mapping[int, int], sequences: Mapping[int, tuple[str, ...]]) -> dict[int, int]:
        """Give timelines of a class the number of their pattern."""
        timelines = [timeline for timeline in own if timeline in sequences]
        activities = sorted({activity for timeline in timelines for activity in sequences[timeline]})
        symbol_of = {activity: FIRST_SYMBOL + place for place, activity in enumerate(activities)}
        coded = [tuple(symbol_of[activity] for activity in sequences[timeline]) for timeline in timelines]
        known = None if self.released is None else known_patterns(self.released, symbol_of)
        mined = mine_patterns(coded, [own[timeline] for timeline in timelines], k=self.k, known=known)
        assigned = {}
        for place, pattern in sorted(mined.items(), key=lambda item: item[1]):
            content = _content(pattern, activities)
            number = self._numbers.setdefault(content, len(self._numbers) + 1)
            assigned[timelines[place]] = number
            self._places[number, timelines[place]] = _places(content, pattern, coded[place])
        return assigned


def pattern_rows(level: PatternLevel, members: Table) -> Table:
    """Write the patterns of groups out, as `trace_steps` does: with trace_key and level_code."""
    rows = level.written(members).mutate(trace_level=ibis.literal(PATTERN))
    return rows.select(
        "step_number",
        "activity_code",
        trace_key=trace_text(rows),
        level_code="trace_level",
        unit_id=ibis.null("string"),
        is_gap="is_gap",
    )


def _content(pattern: Pattern, activities: Sequence[str]) -> Written:
    rows: list[tuple[str, bool]] = []
    for symbol, is_next in zip(pattern.symbols[1:], pattern.is_next[1:], strict=True):
        if not is_next:
            rows.append((GAP, True))
        if symbol != END:
            rows.append((activities[symbol - FIRST_SYMBOL], False))
    return tuple(rows)


def _places(content: Written, pattern: Pattern, sequence: Sequence[int]) -> tuple[tuple[int, int, bool], ...]:
    """Pair the written steps of a pattern with the steps of a timeline where it stands first (both count from 1).

    The third says whether the step is directly next to a step of the pattern before it.
    """
    steps = [number for number, (_, is_gap) in enumerate(content, 1) if not is_gap]
    found = embed(pattern, framed(sequence))
    return () if found is None else tuple(zip(steps, found[1:-1], pattern.is_next[1:-1], strict=True))
