"""Numbers, dates and ranges read as a native writes them."""

from __future__ import annotations

from datetime import date

import pytest

from portal import formats


def test_persian_numbers_have_persian_digits_and_separators() -> None:
    """Thousands take «٬», decimals «٫»."""
    assert formats.number(1234567, "fa") == "۱٬۲۳۴٬۵۶۷"
    assert formats.number(2.5, "fa", decimals=1) == "۲٫۵"
    assert formats.number(1234567, "en") == "1,234,567"


def test_missing_number_is_a_dash() -> None:
    """Nothing is never written as zero."""
    assert formats.number(None, "fa") == "–"


def test_jalali_date_is_written_with_its_month_name() -> None:
    """31 Shahrivar 1405 is 22 September 2026."""
    assert formats.day(date(2026, 9, 22), "fa", "jalali") == "۳۱ شهریور ۱۴۰۵"
    assert formats.day(date(2026, 9, 22), "en", "jalali", year=False, weekday=True) == "Tue 31 Shahrivar"


def test_gregorian_instance_keeps_gregorian_months_in_both_languages() -> None:
    """A Brazilian portal shows its own calendar, with Persian digits in Persian."""
    assert formats.day(date(2015, 7, 3), "fa", "gregorian") == "۳ ژوئیه ۲۰۱۵"
    assert formats.period("2015-S3", "fa", "gregorian") == "سه‌ماههٔ سوم ۲۰۱۵"


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0.61, 0.74, "۶۱ تا ۷۴٪"), (0.5, 0.501, "۵۰٪"), (0.0, 0.2, "حداکثر ۲۰٪")]
)
def test_range_is_written_in_words(low: float, high: float, text: str) -> None:
    """A range has no dash between digits, since a dash flips in right-to-left text."""
    assert formats.percent_range(low, high, "fa") == text


def test_something_is_never_written_as_nothing() -> None:
    """A share above zero is not printed as 0 %, one below all not as 100 %."""
    assert formats.percent(0.002, "en") == "under 1%"
    assert formats.percent(0.999, "en") == "99%"
    assert formats.percent(1.0, "en") == "100%"


@pytest.mark.parametrize("code", ["1405-06", "1405-S2", "1405"])
@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_kind_of_period_has_words(code: str, lang: str) -> None:
    """Months, seasons and years never show their code."""
    assert code not in formats.period(code, lang, "jalali") or code == "1405" and lang == "en"


def test_size_is_told_in_units_of_people() -> None:
    """Bytes become kilobytes and megabytes."""
    assert formats.size(900, "en") == "900 bytes"
    assert formats.size(12_345, "fa") == "۱۲ کیلوبایت"
    assert formats.size(2_500_000, "en") == "2.5 MB"
