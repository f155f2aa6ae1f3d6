"""Every sentence exists in Persian and English, and the two say the same things about the same values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from portal.released import Label
from portal.words import LANGUAGES, Words, name_html

KEYWORDS = {"_": None, "say": None, "rich": None, "mark": None}
METHODS = [("serving/**", "ignore"), ("**.py", "python"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
VALUE = re.compile(r"%\((\w+)\)s")
NAMES = re.compile("SHA-256|UTF-8")  # written so in Persian, too


def catalogue(lang: str) -> Catalog:
    """Read the catalogue of a language."""
    with files("portal").joinpath("locales", lang, "LC_MESSAGES", "portal.po").open("rb") as file:
        return read_po(file, locale=lang)


def said() -> Iterator[str]:
    """Give every message that templates and code say."""
    with as_file(files("portal")) as folder:
        for _, _, message, _, _ in extract_from_dir(Path(folder), METHODS, OPTIONS, keywords=KEYWORDS):
            yield message if isinstance(message, str) else message[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sentence_has_its_words(lang: str) -> None:
    """No page falls back to the other language."""
    known = {message.id for message in catalogue(lang) if message.id and message.string}
    assert set(said()) - known == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_is_left_over(lang: str) -> None:
    """The catalogue holds nothing that no page says."""
    assert {message.id for message in catalogue(lang) if message.id} - set(said()) == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_use_the_values_they_are_given(lang: str) -> None:
    """A translation neither loses a number nor asks for another one."""
    for message in catalogue(lang):
        if message.id:
            assert set(VALUE.findall(message.id)) == set(VALUE.findall(message.string)), message.id


def test_persian_sentences_are_persian() -> None:
    """No Arabic yeh or kaf, no Latin digit, no dash between digits."""
    for message in catalogue("fa"):
        if message.id:
            text = NAMES.sub("", VALUE.sub("", message.string))
            assert not re.search("[يك٠-٩]", text), message.string
            assert not re.search(r"\d", text) or re.search("[۰-۹]", text), message.string
            assert not re.search("[0-9۰-۹][-–][0-9۰-۹]", text), message.string


def test_values_in_a_rich_sentence_are_escaped() -> None:
    """A label with markup stays text; the emphasis is ours."""
    text = Words("en", "jalali").rich(
        "Of every 10 %(noun)s, [%(some)s %(verb)s in time]%(law)s.", noun="<b>", some="1", verb="v", law=""
    )
    assert "<em>1 v in time</em>" in text
    assert "&lt;b&gt;" in text


def test_foreign_name_keeps_its_language() -> None:
    """A name without a Persian label is shown as the source has it, with lang and dir=auto."""
    assert name_html(Label("Olá & <b>", "pt")) == '<bdi lang="pt" dir="auto">Olá &amp; &lt;b&gt;</bdi>'


@pytest.mark.parametrize(("count", "text"), [(1, "one working day"), (10, "10 working days")])
def test_days_are_counted_in_words(count: int, text: str) -> None:
    """One day is not "1 days"."""
    assert Words("en", "jalali").days(count, "working") == text
