"""Texts of dates and instants into numbers, a whole batch at a time: days since 1970 and microseconds of UTC.

Where it stands: between `formats`, which understands one text, and the columns of a batch. A source has few days and few
clock times but millions of pairs of them, so a day is read once and the time of day is added to it. That is done only
where the reader itself shows that it may be: the day's first and last minute are read, lie on that day, and are a whole
day apart, so that the zone's offset is the same all day. Every other text is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from etl.extract.formats import Moment, Reader
from etl.model.text import latin_digits

PRECISION = "second"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_MEMO_SIZE = 100_000
_EDGES = {5: ("00:00", "23:59", 86_340), 8: ("00:00:00", "23:59:59", 86_399)}  # first, last, seconds between them

Read = tuple[int, int, str]  # microseconds since 1970 in UTC, days since 1970 in the source's zone, precision


@dataclass
class Moments:
    """The values of one batch's distinct texts, in their order; `bad` holds the places that no format fits."""

    at: list[int | None] = field(default_factory=list)
    on: list[int | None] = field(default_factory=list)
    precision: list[str | None] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)


class MomentReader:
    """Reads distinct texts of one column; remembers days, clock times and whole texts between batches."""

    def __init__(self, read: Reader, is_missing: Callable[[object], bool]) -> None:
        """Take the reader of one value and what says that a value is none."""
        self._read = read
        self._is_missing = is_missing
        self._known: dict[object, Read | None] = {}
        self._days: dict[tuple[str, int], tuple[int, int] | None] = {}
        self._clocks: dict[str, int | None] = {}

    def read_all(self, values: Iterable[object]) -> Moments:
        """Read every value of an iterable of distinct ones."""
        made = Moments()
        for place, value in enumerate(values):
            found = None
            if not self._is_missing(value):
                found = (self._by_parts(value) if isinstance(value, str) else None) or self._whole(value)
                if found is None:
                    made.bad.append(place)
            at, on, precision = found or (None, None, None)
            made.at.append(at)
            made.on.append(on)
            made.precision.append(precision)
        return made

    def _by_parts(self, text: str) -> Read | None:
        day, _, clock = text.rpartition(" ")
        if clock not in self._clocks:
            _make_room(self._clocks)
            self._clocks[clock] = _clock_of(clock)
        past = self._clocks[clock]
        if past is None:
            return None
        place = (day, len(clock))
        if place not in self._days:
            _make_room(self._days)
            self._days[place] = self._day_of(*place)
        begun = self._days[place]
        return None if begun is None else (begun[0] + past, begun[1], PRECISION)

    def _day_of(self, day: str, length: int) -> tuple[int, int] | None:
        """Read the first and the last time of a day: its start, where the zone's clocks run evenly through it."""
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
