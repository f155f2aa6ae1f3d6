"""The office's time: working minutes from a first day on, and Jalali dates as people type them.

A *position* counts working minutes (480 a working day, 08:00 to 16:00) from the first working day of the clock, so that
a timeline is a sum of gaps and never falls on a holiday. Civil days are proleptic Gregorian ordinals.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

from persiantools.jdatetime import JalaliDate

from etl.calendars import WorkingCalendar
from etl.model.text import persian_digits

DAY_MINUTES = 480
OPENING_MINUTE = 480
CALENDAR = WorkingCalendar("jalali", ("thursday", "friday"), "IR")


@dataclass(frozen=True)
class OfficeClock:
    """Working time and its texts between two civil dates; what lies beyond the last day is held at the last day."""

    first: int
    last: int
    working: tuple[int, ...]  # ordinals of working days, in order
    day_texts: tuple[tuple[str, ...], ...]  # by style, then by ordinal - first
    minute_texts: tuple[tuple[str, ...], ...]  # by style, then by minute of the day
    years: tuple[str, ...]  # the Jalali year, by ordinal - first

    def at(self, position: int) -> tuple[int, int]:
        """Give the civil day (ordinal) and minute of the day of a position."""
        index, minute = divmod(position, DAY_MINUTES)
        return self.working[min(index, len(self.working) - 1)], OPENING_MINUTE + minute

    def index_of(self, day: int) -> int:
        """Give the number of the first working day on or after a civil day."""
        return bisect_left(self.working, day)

    def day_text(self, day: int, style: int) -> str:
        """Write a civil day as Jalali text in one of the three styles."""
        return self.day_texts[style][min(max(day, self.first), self.last) - self.first]

    def month_of(self, day: int) -> tuple[int, int]:
        """Give the Jalali year and month of a civil day."""
        year, month, _ = self.day_text(day, 0).split("/")
        return int(year), int(month)

    def year_text(self, day: int) -> str:
        """Write the Jalali year of a civil day."""
        return self.years[min(max(day, self.first), self.last) - self.first]


def make_clock(first: date, last: date) -> OfficeClock:
    """Make the clock of the days from `first` to `last`, both included."""
    days = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    jalali = [JalaliDate(day) for day in days]
    padded = tuple(f"{day.year:04}/{day.month:02}/{day.day:02}" for day in jalali)
    plain = tuple(f"{day.year}/{day.month}/{day.day}" for day in jalali)
    minutes = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))
    return OfficeClock(
        first.toordinal(),
        last.toordinal(),
        tuple(day.toordinal() for day in days if CALENDAR.is_working(day)),
        (padded, tuple(persian_digits(text) for text in padded), plain),
        (minutes, tuple(persian_digits(text) for text in minutes), minutes),
        tuple(str(day.year) for day in jalali),
    )
