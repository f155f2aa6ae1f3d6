"""The tour is what the office gives today: made again from nothing, compared whole."""

from __future__ import annotations

import re

import pytest

from tests.docs import tour
from tests.docs.story import STORY

pytestmark = pytest.mark.long  # an office of 20,000 cases


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Both pages, made again."""
    return tour.tour_pages()


@pytest.mark.parametrize("lang", sorted(tour.PAGES))
def test_the_tour_is_fresh(made: dict[str, str], lang: str) -> None:
    """The page says what the office gives; `make docs` writes it again."""
    assert tour.PAGES[lang].read_text(encoding="utf-8") == made[lang]


def test_the_tour_masks_and_finds_nobody(made: dict[str, str]) -> None:
    """Rows of the two systems are masked, and no marked value was found in anything that is kept or published."""
    for page in made.values():
        assert page.count(tour.MASK) > 20
        searched = re.findall(r"^\| ([^|\d][^|]*) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
        assert [row[3] for row in searched if int(row[2]) > 10 and int(row[1]) > 0][:3] == ["0", "0", "0"]


def test_both_languages_show_the_same_blocks() -> None:
    """No stage and no item of the story is missing in one language."""
    blocks = {lang: sorted(_blocks(lang)) for lang in tour.PAGES}
    assert blocks["en"] == blocks["fa"]
    assert {item.name for item in STORY} <= set(blocks["en"])


def _blocks(lang: str) -> list[str]:
    text = (tour.PROJECT / "tests" / "docs" / f"tour.{lang}.md").read_text(encoding="utf-8")
    return re.findall(r"\{\{(\w+)\}\}", text)
