"""Dates as sources write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from etl.extract.formats import make_reader


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1404/01/01", date(2025, 3, 21)),
        ("۱۴۰۴/۱/۱", date(2025, 3, 21)),
        ("١٤٠٤/٠١/٠١", date(2025, 3, 21)),
        ("1403/12/30", date(2025, 3, 20)),
        (" 1404/06/31 ", date(2025, 9, 22)),
    ],
)
def test_jalali_dates_are_read_in_three_digit_scripts_padded_or_not(text: str, day: date) -> None:
    """A Jalali date is the same day in Latin, Persian and Arabic digits."""
    moment = make_reader((), calendar="jalali", zone="Asia/Tehran")(text)
    assert moment is not None
    assert (moment.on, moment.precision) == (day, "day")


@pytest.mark.parametrize("text", ["1404/07/31", "1404/12/30", "1404/13/01", "2025/03/21", "1404-01-01", "", "دیروز"])
def test_impossible_or_foreign_dates_are_no_dates(text: str) -> None:
    """31 Mehr, a leap day in a common year, a Gregorian year under a Jalali format: none is guessed."""
    assert make_reader((), calendar="jalali", zone="Asia/Tehran")(text) is None


def test_a_time_in_tehran_becomes_an_instant_in_utc() -> None:
    """14:05 in Tehran in summer 1403 is 10:35 in UTC: no summer time since 1401."""
    moment = make_reader((), calendar="jalali", zone="Asia/Tehran")("1403/05/07 14:05")
    assert moment is not None
    assert moment.at.isoformat() == "2024-07-28T10:35:00+00:00"
    assert (moment.on, moment.precision) == (date(2024, 7, 28), "second")


def test_the_civil_date_is_that_of_the_zone_not_of_utc() -> None:
    """23:30 UTC on 31 December is already New Year in Amsterdam."""
    moment = make_reader(("iso",), calendar="gregorian", zone="Europe/Amsterdam")("2011-12-31 23:30:00+00:00")
    assert moment is not None
    assert moment.on == date(2012, 1, 1)


def test_formats_are_tried_in_their_order() -> None:
    """Of several formats the first that fits is taken."""
    read = make_reader(("%d/%m/%Y", "%Y-%m-%d"), calendar="gregorian", zone="UTC")
    assert [read(text).on for text in ("07/05/2020", "2020-05-08")] == [date(2020, 5, 7), date(2020, 5, 8)]  # type: ignore[union-attr]


def test_values_that_a_driver_made_dates_of_are_kept() -> None:
    """A database that returns dates and datetimes needs no format."""
    read = make_reader((), calendar="gregorian", zone="Asia/Tehran")
    moments = [read(date(2020, 1, 2)), read(datetime(2020, 1, 2, 1, 0))]
    assert [(m.on, m.precision) for m in moments if m] == [(date(2020, 1, 2), "day"), (date(2020, 1, 2), "second")]


def test_placeholders_before_1900_are_no_dates() -> None:
    """A year 1 or 1753 that some databases write for nothing is not a date."""
    assert make_reader((), calendar="gregorian", zone="UTC")("1753-01-01") is None
