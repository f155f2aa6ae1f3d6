"""Jalali and Gregorian periods, working days; no clock, no files."""

from etl.calendars.periods import Period, months_between, parse_period, period_of, year_month
from etl.calendars.working_days import CALENDAR_DAY, WorkingCalendar

__all__ = [
    "CALENDAR_DAY",
    "Period",
    "WorkingCalendar",
    "months_between",
    "parse_period",
    "period_of",
    "year_month",
]
