"""The page of a search's results: the plain frame of the server, in the reader's language, without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from portal.serving.find import Found

PAGES: Final = Path(__file__).parent / "pages"


def find_page(language: str, question: str, found: Sequence[Found]) -> str:
    """Render what a question found, for a language (fa, en)."""
    direction = "rtl" if language == "fa" else "ltr"
    return _template().render(lang=language, dir=direction, question=question, found=found)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("find.html")
