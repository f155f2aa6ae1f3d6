"""Persian text as it comes and as it is compared: digits of three scripts, Arabic letter variants, ZWNJ, marks.

`fold` is for matching only (search, code lists); it never changes a label that a person reads. Unlike ASCII
normalisers it keeps Persian letters.
"""

from __future__ import annotations

import re
import unicodedata

_DIGITS = dict(zip("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789", strict=True))
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_LETTERS = {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ؤ": "و"}
_FOLDED = _LETTERS | _DIGITS
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u0640]")
_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"\s+")


def latin_digits(text: str) -> str:
    """Write Persian and Arabic-Indic digits as ASCII digits.

    >>> latin_digits("۱۴۰۳/٠5")
    '1403/05'
    """
    if text.isascii():
        return text
    for digit in _DIGITS.keys() & set(text):  # far quicker than to translate, where the text is long
        text = text.replace(digit, _DIGITS[digit])
    return text


def persian_digits(text: str) -> str:
    """Write ASCII digits as Persian digits.

    >>> persian_digits("1403")
    '۱۴۰۳'
    """
    return text.translate(_PERSIAN)


def fold(text: str) -> str:
    """Reduce a text to what two spellings of the same words share: for comparing, never for showing.

    >>> fold("كتابخانه\u200cهاي  ملّي ۱۲") == fold("کتابخانه‌های ملی 12")
    True
    """
    if text.isascii():  # nothing below but spaces and case concerns such a text; most keys and codes are
        return " ".join(text.split()).casefold()
    text = unicodedata.normalize("NFKC", text)
    for character in _FOLDED.keys() & set(text):  # far quicker than to translate, where the text is long
        text = text.replace(character, _FOLDED[character])
    text = unicodedata.normalize("NFD", text)
    for mark in filter(unicodedata.combining, set(text)):
        text = text.replace(mark, "")
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _SPACE.sub(" ", text).strip().casefold()


def has_bidi_control(text: str) -> bool:
    """Say whether a text holds an invisible direction control (refused in released cells).

    >>> has_bidi_control("abc\u202e")
    True
    """
    return bool(_BIDI.search(text))


_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Make an ASCII snake_case code from a Latin-script name; empty where nothing of it is Latin.

    Dashes of every kind and spaces are one underscore. The caller resolves clashes (two names, one slug).

    >>> slug("UFPel – Fundação Universidade Federal")
    'ufpel_fundacao_universidade_federal'
    """
    plain = unicodedata.normalize("NFKD", text)
    return _SLUG.sub("_", plain.encode("ascii", "ignore").decode().lower()).strip("_") if plain else ""
