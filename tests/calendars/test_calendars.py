"""Periods and working days: nested, gapless, and equal to a count by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.calendars import CALENDAR_DAY, WorkingCalendar, months_between, parse_period, period_of
from etl.errors import SettingsError, UsageError

DAYS = st.dates(date(2010, 1, 1), date(2040, 12, 31))
SYSTEMS = st.sampled_from(["jalali", "gregorian"])
IRAN = WorkingCalendar("jalali", ("thursday", "friday"), "IR")


@settings(derandomize=True, max_examples=200)
@given(SYSTEMS, DAYS)
def test_month_season_and_year_nest(system: str, day: date) -> None:
    """A day's month lies in its season and its season in its year, and each code reads back."""
    month, season, year = (period_of(system, kind, day) for kind in ("month", "season", "year"))
    assert day in month
    assert year.first_on <= season.first_on <= month.first_on
    assert month.last_on <= season.last_on <= year.last_on
    assert [parse_period(system, p.code) for p in (month, season, year)] == [month, season, year]


@pytest.mark.parametrize("system", ["jalali", "gregorian"])
def test_months_leave_no_gap(system: str) -> None:
    """Each month begins the day after the last; twelve make a year."""
    months = months_between(system, date(2020, 3, 20), date(2025, 3, 20))
    for before, after in zip(months, months[1:], strict=False):
        assert after.first_on == before.last_on + timedelta(days=1)
    assert {m.kind for m in months} == {"month"}


def test_a_leap_year_of_the_jalali_calendar_has_thirty_days_in_esfand() -> None:
    """1403 is a leap year, 1404 is not."""
    assert parse_period("jalali", "1403-12").last_on - parse_period("jalali", "1403-12").first_on == timedelta(days=29)
    assert parse_period("jalali", "1404-12").last_on - parse_period("jalali", "1404-12").first_on == timedelta(days=28)


@pytest.mark.parametrize(
    "code", ["", "1403-13", "1403-00", "1403-S5", "03-05", "1403/05", "۱۴۰۳-۰۵x", "1403-5", "0000-01", "9999-12"]
)
def test_what_is_no_period_is_refused(code: str) -> None:
    """The error shows the three forms."""
    with pytest.raises(UsageError, match="1403-S2"):
        parse_period("jalali", code)


def test_nowruz_and_the_weekend_are_no_working_days() -> None:
    """The first four days of Farvardin are holidays; Thursday and Friday are the weekend by setting."""
    assert not any(IRAN.is_working(date(2025, 3, day)) for day in (21, 22, 23, 24))
    assert not IRAN.is_working(date(2025, 7, 3))
    assert not IRAN.is_working(date(2025, 7, 4))
    assert IRAN.is_working(date(2025, 7, 1))


@settings(derandomize=True, max_examples=60)
@given(st.dates(date(2024, 3, 20), date(2026, 1, 1)), st.integers(1, 60))
def test_numbers_count_what_walking_counts(start: date, count: int) -> None:
    """The difference of two working-day numbers is the number of working days after one, up to the other."""
    due = IRAN.add_working_days(start, count)
    table = IRAN.days(date(2024, 3, 20), date(2026, 6, 30)).to_pydict()
    number = dict(zip(table["day_on"], table["working_day_number"], strict=True))
    assert IRAN.is_working(due)
    assert number[due] - number[start] == count


def test_the_table_has_a_row_for_every_day() -> None:
    """No day is left out and the schema is the published one."""
    table = IRAN.days(date(2025, 3, 1), date(2025, 4, 30))
    assert table.schema == CALENDAR_DAY
    assert table.num_rows == 61


def test_an_unknown_country_is_an_error_in_three_parts() -> None:
    """The setting is named."""
    with pytest.raises(SettingsError, match="holidays"):
        WorkingCalendar("jalali", (), "XX").is_working(date(2025, 1, 1))
