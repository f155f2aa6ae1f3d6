"""Reading a day once and adding the time of day gives what reading every text whole gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from etl.extract.formats import make_reader
from etl.extract.moments import MomentReader

CLOCKS = ("00:00", "00:29", "01:30", "02:30", "12:05:07", "23:59", "23:59:59", "24:00", "7:05", "۱۴:۰۵", "12:60")
DAYS = ("1401/01/01", "1401/01/02", "1401/06/30", "1401/06/31", "1403/12/30", "1404/12/30", "1403/07/31", "۱۴۰۳/۰۵/۰۷")
GREGORIAN = ("2024-03-30", "2024-03-31", "2024-10-27", "2023-02-29", "1753-01-01", "9999-01-01")


@pytest.mark.parametrize(
    ("formats", "calendar", "zone", "days"),
    [
        ((), "jalali", "Asia/Tehran", DAYS),
        ((), "gregorian", "Europe/Amsterdam", GREGORIAN),
        (("%Y-%m-%d %I:%M", "%Y-%m-%d %H:%M:%S"), "gregorian", "America/New_York", GREGORIAN),
    ],
)
def test_parts_give_what_whole_texts_give(
    formats: tuple[str, ...], calendar: str, zone: str, days: tuple[str, ...]
) -> None:
    """Days on which clocks are moved, days that are none, and three scripts of digits: both ways agree on each."""
    read = make_reader(formats, calendar=calendar, zone=zone)
    texts = [f"{day} {clock}" for day in days for clock in CLOCKS] + [*days, "", "-", " "]
    made = MomentReader(read, ("", "-")).read_all(texts)
    at, on, precision = (column.to_pylist() for column in (made.at, made.on, made.precision))
    for place, text in enumerate(texts):
        whole = None if text.strip() in ("", "-") else read(text)
        if whole is None:
            assert (at[place], on[place], precision[place]) == (None, None, None)
            assert (place in made.bad) == (text.strip() not in ("", "-")), text
        else:
            assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at[place] or 0) == whole.at, text
            assert date(1970, 1, 1) + timedelta(days=on[place] or 0) == whole.on, text
            assert precision[place] == whole.precision, text


def test_values_that_are_no_texts_are_read_whole() -> None:
    """A database may give dates and instants as such."""
    read = make_reader((), calendar="gregorian", zone="UTC")
    made = MomentReader(read, ()).read_all([date(1970, 1, 3), datetime(1970, 1, 1, 0, 1), None])
    assert (made.at.to_pylist(), made.on.to_pylist(), made.precision.to_pylist()) == (
        [2 * 86_400_000_000, 60_000_000, None],
        [2, 0, None],
        ["day", "second", None],
    )


@pytest.mark.parametrize("missing", ["1404/05/01 00:00", "1404/05/01"])
def test_a_text_that_means_nothing_is_never_read_by_its_parts(missing: str) -> None:
    """A placeholder that looks like a time is no time, whatever else is known of its day."""
    read = make_reader((), calendar="jalali", zone="Asia/Tehran")
    made = MomentReader(read, (missing,)).read_all(["1404/05/01 00:01", f" {missing}", "1404/05/02 00:00"])
    assert made.at.is_null().to_pylist() == [False, True, False]
    assert made.bad == ()
