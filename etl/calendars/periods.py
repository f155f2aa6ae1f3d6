"""Periods of the civil calendar an instance counts in: month, season, year; Jalali or Gregorian (CONTRACT "Periods").

Codes are `1403-05` or `2015-07` (month), `1403-S2` (season, S1 is Farvardin to Khordad or January to March), `1403`
(year). Sort periods by `first_on`, never by text. Jalali arithmetic is persiantools' (checked there against 63,838 days).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from persiantools.jdatetime import JalaliDate

from etl.errors import UsageError

_CODE = re.compile(r"^(?P<year>\d{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|S(?P<season>[1-4])))?$")
SYSTEMS = ("jalali", "gregorian")


@dataclass(frozen=True)
class Period:
    """A month, season or year; `first_on` and `last_on` are civil dates (Gregorian values of `datetime.date`)."""

    code: str
    kind: str  # month, season, year
    first_on: date
    last_on: date

    def __contains__(self, day: date) -> bool:
        """Say whether a civil date lies in the period."""
        return self.first_on <= day <= self.last_on


@lru_cache(maxsize=8192)
def year_month(system: str, day: date) -> tuple[int, int]:
    """Give the calendar year and month of a civil date.

    >>> year_month("jalali", date(2024, 3, 20))
    (1403, 1)
    """
    if system == "jalali":
        jalali = JalaliDate(day)
        return jalali.year, jalali.month
    return day.year, day.month


def _first_of(system: str, year: int, month: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return JalaliDate(year, month, 1).to_gregorian() if system == "jalali" else date(year, month, 1)


@lru_cache(maxsize=8192)
def parse_period(system: str, code: str) -> Period:
    """Read a period code; UsageError where it is none.

    >>> parse_period("jalali", "1403-S2").first_on
    datetime.date(2024, 6, 21)
    """
    match = _CODE.match(code)
    if match is None:
        raise _no_period(code)
    year = int(match["year"])
    if match["month"]:
        kind, first, length = "month", int(match["month"]), 1
    elif match["season"]:
        kind, first, length = "season", int(match["season"]) * 3 - 2, 3
    else:
        kind, first, length = "year", 1, 12
    try:
        last_on = _first_of(system, year, first + length) - timedelta(days=1)
        return Period(code, kind, _first_of(system, year, first), last_on)
    except (ValueError, OverflowError):  # a year that the calendar does not reach
        raise _no_period(code) from None


def _no_period(code: str) -> UsageError:
    return UsageError(
        "period-code",
        found=f"the period {code!r}",
        expected="a month (1403-05), a season (1403-S2) or a year (1403)",
        todo="Write the period in one of these forms.",
    )


def period_of(system: str, kind: str, day: date) -> Period:
    """Give the month, season or year (`kind`) in which a civil date lies.

    >>> period_of("jalali", "season", date(2024, 9, 1)).code
    '1403-S2'
    """
    year, month = year_month(system, day)
    code = {
        "month": f"{year:04}-{month:02}",
        "season": f"{year:04}-S{(month + 2) // 3}",
        "year": f"{year:04}",
    }[kind]
    return parse_period(system, code)


def months_between(system: str, first: date, last: date) -> list[Period]:
    """List the months from the one of `first` to the one of `last`, both included."""
    months = []
    month = period_of(system, "month", first)
    while month.first_on <= last:
        months.append(month)
        month = period_of(system, "month", month.last_on + timedelta(days=1))
    return months
