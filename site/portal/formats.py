"""Numbers, dates, periods and ranges as a native writes them, in Persian and English; pure.

Persian: Persian digits, «٬» between thousands, «٫» before decimals, no dash between digits (it flips in RTL text).
Dates follow the calendar of the instance; Jalali ones are persiantools'. Babel's `fa` writes Latin digits and Gregorian
dates, so it is not used for either.
"""

from __future__ import annotations

import re
from datetime import date

from persiantools.jdatetime import JalaliDate

from etl.calendars import Period, parse_period
from etl.model.text import fold, persian_digits

JALALI_MONTHS = {
    "fa": ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
    "en": ("Farvardin", "Ordibehesht", "Khordad", "Tir", "Mordad", "Shahrivar")
    + ("Mehr", "Aban", "Azar", "Dey", "Bahman", "Esfand"),
}
GREGORIAN_MONTHS = {
    "fa": ("ژانویه", "فوریه", "مارس", "آوریل", "مه", "ژوئن", "ژوئیه", "اوت", "سپتامبر", "اکتبر", "نوامبر", "دسامبر"),
    "en": ("January", "February", "March", "April", "May", "June")
    + ("July", "August", "September", "October", "November", "December"),
}
WEEKDAYS = {
    "fa": ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
SEASONS = {
    ("jalali", "fa"): ("بهار", "تابستان", "پاییز", "زمستان"),
    ("jalali", "en"): ("spring", "summer", "autumn", "winter"),
    ("gregorian", "fa"): ("سه‌ماههٔ نخست", "سه‌ماههٔ دوم", "سه‌ماههٔ سوم", "سه‌ماههٔ چهارم"),
    ("gregorian", "en"): ("first quarter of", "second quarter of", "third quarter of", "fourth quarter of"),
}
_ALPHABET = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی"  # «آ» is folded to «ا»
_ORDER = {letter: 0x600 + place for place, letter in enumerate(_ALPHABET)}

_SINGULAR = {
    "cases": "case",
    "days": "day",
    "bodies publish": "body publishes",
    "bodies": "body",
    "rows": "row",
    "months": "month",
    "requests": "request",
    "working days": "working day",
}
_AFTER_ONE = re.compile(
    r"(?<![\w.,:;#&=-])(1(?:\s|<[^<>]*>)+)(working days|bodies publish|cases|days|bodies|rows|months|requests)\b"
)


def number(value: float | None, lang: str, *, decimals: int = 0) -> str:
    """Write a number with separators; a missing one is a dash.

    >>> number(61204, "fa"), number(2.45, "fa", decimals=1), number(1234.5, "en", decimals=1)
    ('۶۱٬۲۰۴', '۲٫۵', '1,234.5')
    """
    if value is None:
        return "–"
    text = f"{value + 1e-9:,.{decimals}f}" if decimals else f"{round(value):,}"
    return persian_digits(text.replace(",", "٬").replace(".", "٫")) if lang == "fa" else text


def digits(text: str, lang: str) -> str:
    """Write the digits of a text in the script of the language."""
    return persian_digits(text) if lang == "fa" else text


def percent(share: float, lang: str) -> str:
    """Write a share (0 to 1) as a whole percentage; what is not nothing is never written as 0.

    >>> percent(0.614, "fa"), percent(0.003, "en")
    ('۶۱٪', 'under 1%')
    """
    if 0 < share < 0.01:
        return "کمتر از ۱٪" if lang == "fa" else "under 1%"
    whole = 99 if 0.99 <= share < 1 else round(100 * share)
    return f"{number(whole, lang)}٪" if lang == "fa" else f"{whole}%"


def percent_range(low: float, high: float, lang: str) -> str:
    """Write an interval of shares in words; one percentage where both ends read alike.

    >>> percent_range(0.61, 0.74, "fa"), percent_range(0.61, 0.74, "en"), percent_range(0.5, 0.501, "en")
    ('۶۱ تا ۷۴٪', '61 to 74%', '50%')
    """
    first, last = percent(low, lang), percent(high, lang)
    if first == last:
        return first
    if low < 0.01:
        return f"حداکثر {last}" if lang == "fa" else f"at most {last}"
    return f"{first[:-1]} تا {last}" if lang == "fa" else f"{first[:-1]} to {last}"


def day(value: date, lang: str, system: str, *, year: bool = True, weekday: bool = False) -> str:
    """Write a civil date in the calendar of the instance.

    >>> day(date(2026, 9, 22), "fa", "jalali"), day(date(2026, 9, 22), "en", "gregorian")
    ('۳۱ شهریور ۱۴۰۵', '22 September 2026')
    """
    if system == "jalali":
        jalali = JalaliDate(value)
        parts = jalali.day, JALALI_MONTHS[lang][jalali.month - 1], jalali.year
    else:
        parts = value.day, GREGORIAN_MONTHS[lang][value.month - 1], value.year
    text = digits(f"{parts[0]} {parts[1]}" + (f" {parts[2]}" if year else ""), lang)
    return f"{WEEKDAYS[lang][value.weekday()]} {text}" if weekday else text


def period(code: str, lang: str, system: str) -> str:
    """Write a month, season or year.

    >>> period("1405-06", "fa", "jalali"), period("1405-S2", "fa", "jalali"), period("2015-S3", "en", "gregorian")
    ('شهریور ۱۴۰۵', 'تابستان ۱۴۰۵', 'third quarter of 2015')
    """
    found: Period = parse_period(system, code)
    year = digits(code[:4], lang)
    if found.kind == "month":
        months = JALALI_MONTHS if system == "jalali" else GREGORIAN_MONTHS
        return f"{months[lang][int(code[5:]) - 1]} {year}"
    if found.kind == "season":
        return f"{SEASONS[system, lang][int(code[-1]) - 1]} {year}"
    return f"سال {year}" if lang == "fa" else year


def month_tick(code: str, lang: str, system: str) -> str:
    """Write a month on two short lines for an axis: its name, its year."""
    months = JALALI_MONTHS if system == "jalali" else GREGORIAN_MONTHS
    name = months[lang][int(code[5:]) - 1]
    return f"{name if lang == 'fa' else name[:3]}\n{digits(code[:4], lang)}"


def sort_key(text: str) -> tuple[int, ...]:
    """Give the key that orders names as a Persian dictionary does (code points put «پ» after «و»); case is ignored.

    >>> sorted(["گواهی", "کارت", "پروانه", "بیمه", "آب"], key=sort_key)
    ['آب', 'بیمه', 'پروانه', 'کارت', 'گواهی']
    """
    return tuple(_ORDER.get(letter, ord(letter)) for letter in fold(text) if letter.isalnum() or letter == " ")


def size(byte_count: int, lang: str) -> str:
    """Write a size in bytes, kilobytes or megabytes."""
    units = ("بایت", "کیلوبایت", "مگابایت") if lang == "fa" else ("bytes", "KB", "MB")
    if byte_count < 1000:
        return f"{number(byte_count, lang)} {units[0]}"
    kilo = byte_count / 1000
    if kilo < 1000:
        return f"{number(kilo, lang)} {units[1]}"
    return f"{number(kilo / 1000, lang, decimals=1)} {units[2]}"


def singular(text: str) -> str:
    """Write what is counted in the singular after an English 1; text may be HTML.

    >>> singular("1 cases, 21 cases, 1,001 cases; <b>1</b> bodies")
    '1 case, 21 cases, 1,001 cases; <b>1</b> body'
    """
    return _AFTER_ONE.sub(lambda found: found[1] + _SINGULAR[found[2]], text)
