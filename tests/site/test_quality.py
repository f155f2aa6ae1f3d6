"""The quality of the data as pages tell it: ranges beside every body, nothing ranked, and a way to say that a figure is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etl.instance import Instance
from portal import build_site
from portal.formats import singular
from portal.questions import TEN
from tests.site.maker import META, make_released


def text_of(path: Path) -> str:
    """Give a page as one line of HTML."""
    return re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))


def test_every_body_has_its_lines(built: Path) -> None:
    """The page names what was set aside and each body's ranges, and each body's page has its own card."""
    page = text_of(built / "en" / "quality.html")
    assert "100 to 999 cases" in page
    assert "Unknown code" in page
    assert 'id="body-mosharekat"' in page
    card = text_of(built / "en" / "body" / "mosharekat" / "index.html").partition('id="quality"')[2]
    assert re.search(r"Followed into the office automation <span[^>]*><a[^>]*>90 to 95%", card)
    assert card.count("Too few cases to give a share") == 1
    assert re.search(r"Too few cases to give a share <span[^>]*><a[^>]*>[^<;]+; [^<;]+</a>", card)
    assert re.search(r"How often these are missing is not known[^<]*<span[^>]*><a[^>]*>[a-z, ]*outcome", card)
    assert "at least 0 cases" not in card


def test_quality_ranks_no_body(built: Path) -> None:
    """Bodies stand in the order of their names."""
    found = re.findall(r'id="body-(\w+)"', text_of(built / "en" / "quality.html"))
    assert found == ["archive", "mosharekat"]


def test_ten_questions_show_their_sql_and_rows(built: Path) -> None:
    """Each of the ten has a statement and an answer, and its address leaves no parameter open."""
    page = text_of(built / "en" / "data.html").partition('id="ten"')[2].partition('id="cite"')[0]
    assert page.count("<h3>") == page.count("<pre") == len(TEN) == 10
    assert page.count('<table class="raw">') >= 9


def test_no_ready_question_leads_to_an_empty_form(built: Path) -> None:
    """Every link to a named query on the data page fills in all its parameters."""
    page = text_of(built / "en" / "data.html")
    for name in ("monthly_flow", "service_steps", "within_days"):
        assert re.search(rf'href="/data/portal/{name}\?', page), name


def test_figure_without_contact_has_no_report_line(built: Path) -> None:
    """Where the instance names no contact, no address is made up."""
    assert "Report a problem" not in text_of(built / "en" / "index.html")


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("open@example.org", "mailto:open@example.org?subject=1405-06%20en/data.html"),
        ("https://example.org/report", "https://example.org/report"),
    ],
)
def test_report_line_names_release_and_page(tmp_path: Path, contact: str, link: str) -> None:
    """A letter about a wrong figure says of which release and page it speaks."""
    make_released(tmp_path / "datasets", meta=META | {"contact": contact})
    page = text_of(build_site(Instance(tmp_path)) / "en" / "data.html")
    assert f'href="{link}"' in page


def test_one_is_singular_in_english() -> None:
    """A count of one is one case, wherever the number is marked up."""
    assert singular('<a href="?n=1">1 cases</a> of 31 cases') == '<a href="?n=1">1 case</a> of 31 cases'
