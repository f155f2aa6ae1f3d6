"""Texts of dates and instants into numbers, a whole batch at a time: days since 1970 and microseconds of UTC.

Where it stands: between `formats`, which understands one text, and the columns of a batch. A source has few days and few
clock times but millions of pairs of them, so a day is read once and the time of day is added to it. That is done only
where the reader itself shows that it may be: the day's first and last minute are read, lie on that day, and are a whole
day apart, so that the zone's offset is the same all day. Every other text is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.extract.formats import Moment, Reader
from etl.extract.rows import array_of
from etl.model.text import latin_digits

PRECISION = "second"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_MEMO_SIZE = 100_000
_EDGES = {5: ("00:00", "23:59", 86_340), 8: ("00:00:00", "23:59:59", 86_399)}  # first, last, seconds between them

Read = tuple[int, int, str]  # microseconds since 1970 in UTC, days since 1970 in the source's zone, precision


@dataclass(frozen=True)
class Moments:
    """The values of one batch's distinct texts, in their order; `bad` holds the places that no format fits."""

    at: pa.Int64Array
    on: pa.Int32Array
    precision: pa.StringArray
    bad: tuple[int, ...]


class MomentReader:
    """Reads distinct values of one column; remembers days, clock times and whole texts between batches."""

    def __init__(self, read: Reader, missing: Collection[str]) -> None:
        """Take the reader of one value and the texts that mean "nothing recorded"."""
        self._read = read
        self._missing = missing
        self._known: dict[object, Read | None] = {}
        self._days: dict[tuple[str, int], tuple[int, int] | None] = {}
        self._clocks: dict[str, int | None] = {}

    def read_all(self, values: Sequence[object]) -> Moments:
        """Read every value of a sequence of distinct ones: by their parts where that may be, else whole."""
        at, on = self._by_parts(values)
        left = at.is_null()
        whole: list[Read | tuple[None, None, None]] = []
        bad: list[int] = []
        for place in pc.indices_nonzero(left).to_pylist():
            value = values[place]
            is_missing = value is None or str(value).strip() in self._missing
            found = None if is_missing else self._whole(value)
            whole.append(found or (None, None, None))
            if found is None and not is_missing:
                bad.append(place)
        more_at, more_on, more_precision = zip(*whole, strict=True) if whole else ((), (), ())
        precision = pc.if_else(left, None, pa.scalar(PRECISION))
        return Moments(
            pc.replace_with_mask(at, left, pa.array(more_at, pa.int64())),
            pc.replace_with_mask(on, left, pa.array(more_on, pa.int32())),
            pc.replace_with_mask(precision, left, pa.array(more_precision, pa.string())),
            tuple(bad),
        )

    def _by_parts(self, values: Sequence[object]) -> tuple[pa.Int64Array, pa.Int32Array]:
        """Add the time of day to the start of its day, all values at once; NULL where only the whole text can tell."""
        at, on = pa.nulls(len(values), pa.int64()), pa.nulls(len(values), pa.int32())
        texts = array_of(values)
        if texts is None or texts.type != pa.string():
            return at, on
        parts = pc.split_pattern(texts, " ", max_splits=1, reverse=True)
        parts = pc.if_else(pc.equal(pc.list_value_length(parts), 2), parts, pa.scalar(["", ""]))
        days = pc.list_element(parts, 0).dictionary_encode()
        clocks = pc.list_element(parts, 1).dictionary_encode()
        names, times = days.dictionary.to_pylist(), clocks.dictionary.to_pylist()
        past = pa.array([self._past(clock) for clock in times], pa.int64()).take(clocks.indices)
        digits = pa.array([len(clock) for clock in times], pa.int64()).take(clocks.indices)
        for length in _EDGES.keys() & set(digits.unique().to_pylist()):
            begun = [self._begun(day, length) or (None, None) for day in names]
            starts, civil = (pa.array(numbers, pa.int64()).take(days.indices) for numbers in zip(*begun, strict=True))
            here = pc.and_kleene(pc.equal(digits, length), pc.is_valid(pc.add(starts, past)))
            at, on = pc.if_else(here, pc.add(starts, past), at), pc.if_else(here, civil.cast(pa.int32()), on)
        return at, on

    def _past(self, clock: str) -> int | None:
        if clock not in self._clocks:
            _make_room(self._clocks)
            self._clocks[clock] = _clock_of(clock)
        return self._clocks[clock]

    def _begun(self, day: str, length: int) -> tuple[int, int] | None:
        place = (day, length)
        if place not in self._days:
            _make_room(self._days)
            self._days[place] = self._day_of(day, length)
        return self._days[place]

    def _day_of(self, day: str, length: int) -> tuple[int, int] | None:
        """Read the first and the last time of a day: its start, where the zone's clocks run evenly through it.

        None also where a text that means "nothing recorded" begins with the day.
        """
        if any(text.startswith(day.strip()) for text in self._missing):
            return None
        first_clock, last_clock, seconds = _EDGES[length]
        first, last = self._whole(f"{day} {first_clock}"), self._whole(f"{day} {last_clock}")
        if first is None or last is None or first[1:] != last[1:] or first[2] != PRECISION:
            return None
        return first[:2] if last[0] - first[0] == seconds * 1_000_000 else None

    def _whole(self, value: object) -> Read | None:
        if value not in self._known:
            _make_room(self._known)
            self._known[value] = _numbers_of(self._read(value))
        return self._known[value]


def _numbers_of(found: Moment | None) -> Read | None:
    if found is None:
        return None
    return (found.at - _EPOCH) // _MICROSECOND, found.on.toordinal() - _EPOCH_DAY, found.precision


def _clock_of(text: str) -> int | None:
    """Give the microseconds since midnight of `HH:MM` or `HH:MM:SS`.

    >>> _clock_of("14:05"), _clock_of("۰۰:۰۱"), _clock_of("24:00"), _clock_of("2:05")
    (50700000000, 60000000, None, None)
    """
    found = _CLOCK.fullmatch(latin_digits(text))
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (hours * 3600 + minutes * 60 + seconds) * 1_000_000


def _make_room(memo: dict[Any, Any]) -> None:
    if len(memo) >= _MEMO_SIZE:
        memo.clear()
