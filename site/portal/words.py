"""The words of a language: sentences from its gettext catalogue, numbers and dates by our own filters.

Catalogues are `locales/<lang>/LC_MESSAGES/portal.po`, read with Babel at build; there is no compiled copy to forget.
Values are formatted before they enter a sentence, since neither gettext nor Babel writes Persian digits.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

from portal import formats
from portal.released import Label

LANGUAGES = ("fa", "en")


@lru_cache(maxsize=4)
def translations(lang: str) -> GNUTranslations:
    """Read the catalogue of a language."""
    path = files("portal").joinpath("locales", lang, "LC_MESSAGES", "portal.po")
    with path.open("rb") as file:
        catalogue = read_po(file, locale=lang)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@dataclass(frozen=True)
class Words:
    """A language together with the calendar of the instance."""

    lang: str
    system: str

    def say(self, message: str, /, **values: object) -> str:
        """Give a sentence as plain text."""
        text = translations(self.lang).gettext(message)
        return text % values if values else text

    def rich(self, message: str, /, **values: object) -> Markup:
        """Give a sentence as HTML: `[` and `]` in the message mark emphasis, values are escaped."""
        text = translations(self.lang).gettext(message)
        marked = Markup(text.replace("[", "<em>").replace("]", "</em>"))
        return marked % values if values else marked

    def num(self, value: float | None, decimals: int = 0) -> str:
        """Write a number."""
        return formats.number(value, self.lang, decimals=decimals)

    def pct(self, share: float) -> str:
        """Write a share as a percentage."""
        return formats.percent(share, self.lang)

    def pct_range(self, low: float, high: float) -> str:
        """Write an interval of shares."""
        return formats.percent_range(low, high, self.lang)

    def date(self, value: datetime.date) -> str:
        """Write a civil date with its year."""
        return formats.day(value, self.lang, self.system)

    def weekday(self, value: datetime.date) -> str:
        """Write a civil date with its weekday, without its year."""
        return formats.day(value, self.lang, self.system, year=False, weekday=True)

    def short_date(self, value: datetime.date) -> str:
        """Write a civil date without its year."""
        return formats.day(value, self.lang, self.system, year=False)

    def period(self, code: str) -> str:
        """Write a month, season or year."""
        return formats.period(code, self.lang, self.system)

    def tick(self, code: str) -> str:
        """Write a month for an axis."""
        return formats.month_tick(code, self.lang, self.system)

    def digits(self, text: str) -> str:
        """Write the digits of a label in the script of the language."""
        return formats.digits(text, self.lang)

    def days(self, count: int, kind: str) -> str:
        """Write a number of working or calendar days."""
        if kind == "working":
            return self.say("one working day") if count == 1 else self.say("%(n)s working days", n=self.num(count))
        return self.say("one day") if count == 1 else self.say("%(n)s days", n=self.num(count))

    def median_days(self, value: float) -> str:
        """Write a median of days, which may be under one."""
        if value < 1:
            return self.say("under one day")
        return self.say("one day") if value == 1 else self.say("%(n)s days", n=self.num(value))

    @property
    def filters(self) -> dict[str, Callable[..., object]]:
        """The filters that templates use."""
        return {
            "num": self.num,
            "pct": self.pct,
            "jdate": self.date,
            "weekday": self.weekday,
            "short_date": self.short_date,
            "period": self.period,
            "digits": self.digits,
            "size": lambda value: formats.size(value, self.lang),
            "label": name_html,
        }


def mark(message: str) -> str:
    """Mark a message for the catalogue where it is kept in a table and said later."""
    return message


def name_html(label: Label) -> Markup:
    """Write a label as HTML: isolated, and with its own language where it is neither Persian nor English."""
    if label.lang:
        return Markup('<bdi lang="{}" dir="auto">{}</bdi>').format(label.lang, label.text)
    return Markup("<bdi>{}</bdi>").format(label.text)
