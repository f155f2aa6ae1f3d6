"""The page of a search's results: the built `find.html` of the site with what a question found put into its place."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from portal.find_page import FOUND
from portal.serving.find import Found
from portal.serving.words import FOUND_NOTHING, FOUND_TITLE

_BOX: Final = 'value=""'


def find_page(built: str, language: str, question: str, found: Sequence[Found]) -> str:
    """Fill the built page of a language (fa, en) with a question and its answers; without a question it stays as it is."""
    if not question:
        return built
    answers = _answers(language, found)
    titled = built.replace("<title>", f"<title>{escape(question)}: {escape(FOUND_TITLE[language])} · ", 1)
    return titled.replace(_BOX, f'value="{escape(question)}"', 1).replace(FOUND, answers, 1)


def _answers(language: str, found: Sequence[Found]) -> str:
    if not found:
        return f'<p class="proof" role="status">{escape(FOUND_NOTHING[language])}</p>'
    items = "".join(
        f'<li><a href="{escape(item.path)}" dir="auto">{escape(item.title(language))}</a></li>' for item in found
    )
    return f'<section class="card"><h2>{escape(FOUND_TITLE[language])}</h2><ul class="list">{items}</ul></section>'
