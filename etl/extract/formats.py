"""Dates and instants as sources write them: Jalali or Gregorian, three digit scripts, padded or not, with or without zone.

Where it stands: called once per distinct text of a batch while reading; nothing after extraction parses a date. Jalali
arithmetic is persiantools'. Does not guess: a text that no declared format fits is `None`, and its row is quarantined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate

from etl.model.text import latin_digits

JALALI_DEFAULT = ("jalali:%Y/%m/%d %H:%M:%S", "jalali:%Y/%m/%d %H:%M", "jalali:%Y/%m/%d")
GREGORIAN_DEFAULT = ("iso",)
FIRST_YEAR = 1900

_PARTS = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>\d{1,2})",
    "%d": r"(?P<day>\d{1,2})",
    "%H": r"(?P<hour>\d{1,2})",
    "%M": r"(?P<minute>\d{1,2})",
    "%S": r"(?P<second>\d{1,2})",
}
_MARK = re.compile(r"%.?")
_RUN = re.compile(r"((?:%[YmdHMS]){2,})")  # numbers with nothing between them: only whole ones can be told apart
_STRPTIME_MARKS = frozenset(f"%{mark}" for mark in "YmdHIMSfpzbBaAjTZ%")


@dataclass(frozen=True)
class Moment:
    """A point in time: its civil date in the source's zone, its instant in UTC, and how precisely it is known."""

    on: date
    at: datetime
    precision: str  # second or day


Reader = Callable[[object], Moment | None]


def make_reader(formats: Sequence[str], *, calendar: str, zone: str) -> Reader:
    """Make a function from a source's value (text, date, datetime) to a Moment, or None where no format fits.

    >>> read = make_reader((), calendar="jalali", zone="Asia/Tehran")
    >>> read("۱۴۰۳/۵/۷ 14:05").at.isoformat(), read("1403/07/31")
    ('2024-07-28T10:35:00+00:00', None)
    """
    area = ZoneInfo(zone)
    chosen = tuple(formats) or (JALALI_DEFAULT if calendar == "jalali" else GREGORIAN_DEFAULT)
    parsers = [_parser(form) for form in chosen]

    def read(value: object) -> Moment | None:
        if isinstance(value, date):
            return _moment(value, area)
        text = latin_digits(str(value)).strip()
        for parse in parsers:
            found = parse(text)
            if found is not None:
                return _moment(found, area)
        return None

    return read


def fault_of(form: str) -> str:
    """Say what is wrong with a format of source.toml; empty where it names a whole day without guessing.

    >>> fault_of("%d/%m/%y"), fault_of("jalali:%Y/%m/%d"), fault_of("%m/%d/%Y %I:%M")
    ('two digits for a year', '', '%I without %p')
    """
    if form == "iso":
        return ""
    marks = _MARK.findall(form)
    known = set(_PARTS) if form.startswith("jalali:") else _STRPTIME_MARKS
    unknown = [mark for mark in marks if mark not in known]
    if "%y" in unknown:
        return "two digits for a year"
    if unknown:
        return f"the unknown part {unknown[0]}"
    if "%I" in marks and "%p" not in marks:
        return "%I without %p"
    if len(set(marks)) < len(marks):
        return "one part twice"
    whole = "%Y" in marks and ("%j" in marks or ("%d" in marks and bool({"%m", "%b", "%B"} & set(marks))))
    return "" if whole else "no whole day (%Y, %m and %d)"


def start_of(day: date, zone: str) -> datetime:
    """Give the instant (UTC) at which a civil date begins in a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _moment(value: date, area: ZoneInfo) -> Moment | None:
    """Place a date or datetime in a zone; None before FIRST_YEAR (placeholders) or out of range."""
    if not FIRST_YEAR <= value.year < 9999:
        return None
    if not isinstance(value, datetime):
        return Moment(value, _midnight(value, area), "day")
    local = value.replace(tzinfo=area) if value.tzinfo is None else value.astimezone(area)
    at = local.astimezone(UTC)
    if value.tzinfo is None and at.astimezone(area).replace(tzinfo=None) != value.replace(fold=0):
        # a time that the zone's clocks jumped over; midnight is how a day without a time is written, and days are never lost
        return Moment(value.date(), _midnight(value.date(), area), "day") if value.time() == time() else None
    return Moment(local.date(), at, "second")


@lru_cache(maxsize=65_536)
def _midnight(day: date, area: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), area).astimezone(UTC)


def _parser(form: str) -> Callable[[str], date | None]:
    if form == "iso":
        return _iso
    is_jalali, form = form.startswith("jalali:"), form.removeprefix("jalali:")
    parse = _jalali(form) if is_jalali else _strptime(form)
    return _of_whole_runs(form, parse) if _RUN.search(form) else parse


def _of_whole_runs(form: str, parse: Callable[[str], date | None]) -> Callable[[str], date | None]:
    """Let a parser see only texts whose numbers are padded where nothing stands between them: 1404111 is two days."""
    pattern = "".join(
        rf"\d{{{len(part) + 2 * part.count('%Y')}}}" if place % 2 else _MARK.sub(".+", re.escape(part))
        for place, part in enumerate(_RUN.split(form))
    )
    match = re.compile(pattern).fullmatch
    return lambda text: parse(text) if match(text) else None


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _strptime(form: str) -> Callable[[str], date | None]:
    has_time = any(mark in form for mark in ("%H", "%I", "%T", "%X", "%c", "%s"))

    def parse(text: str) -> date | None:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            return None
        return found if has_time else found.date()

    return parse


def _jalali(form: str) -> Callable[[str], date | None]:
    pattern = re.escape(form).replace(r"\%", "%")
    for mark, part in _PARTS.items():
        pattern = pattern.replace(mark, part)
    match = re.compile(pattern).fullmatch

    def parse(text: str) -> date | None:
        found = match(text)
        if found is None:
            return None
        parts = {name: int(number) for name, number in found.groupdict().items()}
        day = _jalali_day(parts["year"], parts["month"], parts["day"])
        if day is None or "hour" not in parts:
            return day
        try:
            return datetime.combine(day, time(parts["hour"], parts.get("minute", 0), parts.get("second", 0)))
        except ValueError:
            return None

    return parse


@lru_cache(maxsize=65_536)
def _jalali_day(year: int, month: int, day: int) -> date | None:
    if not 1200 <= year < 1600:
        return None
    try:
        found: date = JalaliDate(year, month, day).to_gregorian()
    except ValueError:
        return None
    return found
