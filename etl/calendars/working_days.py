"""Working days: one row per civil date, seeded from `holidays` and the instance's weekend (published as calendar_day).

`holidays` knows only Friday as Iran's weekend, so the weekend is the instance's own setting. Working days between two
dates a and b, (a, b], are the difference of `working_day_number`; the day of registration counts as day 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import pyarrow as pa

from etl.calendars.periods import period_of, year_month
from etl.errors import SettingsError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

CALENDAR_DAY = pa.schema(
    [
        ("day_on", pa.date32()),
        ("month_code", pa.string()),
        ("season_code", pa.string()),
        ("year_code", pa.string()),
        ("calendar_year", pa.int32()),
        ("calendar_month", pa.int32()),
        ("calendar_day", pa.int32()),
        ("is_working", pa.bool_()),
        (
            "working_day_number",
            pa.int32(),
        ),  # working days from the table's first day to this one, both included
        ("holiday_name", pa.string()),  # as `holidays` names it; NULL on ordinary days
    ]
)


@dataclass(frozen=True)
class WorkingCalendar:
    """The working calendar of an instance: which days count, by weekend and public holidays.

    system: jalali or gregorian. weekend: English weekday names. country: ISO code known to `holidays`, or "" for none.
    """

    system: str
    weekend: tuple[str, ...]
    country: str

    def days(self, first: date, last: date) -> pa.Table:
        """Make the CALENDAR_DAY table from `first` to `last`, both included; numbering starts at `first`."""
        off = {WEEKDAYS.index(name) for name in self.weekend}
        public = _public_holidays(self.country, first.year, last.year)
        rows: list[dict[str, object]] = []
        number = 0
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            name = public.get(day)
            is_working = day.weekday() not in off and name is None
            number += is_working
            month = period_of(self.system, "month", day)
            year, month_number = year_month(self.system, day)
            rows.append(
                {
                    "day_on": day,
                    "month_code": month.code,
                    "season_code": period_of(self.system, "season", day).code,
                    "year_code": f"{year:04}",
                    "calendar_year": year,
                    "calendar_month": month_number,
                    "calendar_day": (day - month.first_on).days + 1,
                    "is_working": is_working,
                    "working_day_number": number,
                    "holiday_name": name,
                }
            )
        return pa.Table.from_pylist(rows, schema=CALENDAR_DAY)

    def is_working(self, day: date) -> bool:
        """Say whether a civil date is a working day."""
        off = {WEEKDAYS.index(name) for name in self.weekend}
        return day.weekday() not in off and day not in _public_holidays(self.country, day.year, day.year)

    def add_working_days(self, day: date, count: int) -> date:
        """Give the date on which the `count`-th working day after `day` falls (day itself is day 0)."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day


@lru_cache(maxsize=64)
def _public_holidays(country: str, first_year: int, last_year: int) -> dict[date, str]:
    if not country:
        return {}
    if country not in holidays.list_supported_countries():
        raise SettingsError(
            "calendar-holidays",
            found=f"the holidays of {country!r}",
            expected='an ISO country code that the package "holidays" knows, or an empty text',
            todo="Correct x-shafaf.calendar.holidays in metadata.yml.",
        )
    # the package writes the names in the country's own language where it can
    return dict(holidays.country_holidays(country, years=range(first_year, last_year + 1)).items())
