"""The report as a page for people: one file, Persian first and English below, without script or network."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from etl.audit.run import Audit
from etl.audit.words import LANGUAGES, load_words
from etl.model.text import persian_digits


def audit_page(report: Audit) -> str:
    """Write a report as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("etl.audit").joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(report=report, languages=LANGUAGES, words=load_words(), number=_number)


def _number(value: int, lang: str) -> str:
    text = f"{value:,}"
    return persian_digits(text.replace(",", "٬")) if lang == "fa" else text
