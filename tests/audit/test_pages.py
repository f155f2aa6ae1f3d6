"""Pages, files and reports that say more than the tables beside them are seen."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.audit import pages, read_evidence
from etl.audit.pages import small_counts
from etl.instance import Instance
from tests.audit.conftest import copy_of, learnt

RELEASE = "datasets/releases/1403-02"
LINKED = '<p>{text} <a class="fig" href="/data/portal/{query}?body=alef">Count</a></p>'


def _write_page(folder: Path, *sentences: str) -> None:
    for lang in ("fa", "en"):
        page = folder / "public" / "1403-03" / lang / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(sentences), encoding="utf-8")


def _csv_row(folder: Path) -> None:
    path = folder / RELEASE / "margin.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress((text + text.splitlines()[1] + "\n").encode(), mtime=0))


def _csv_cell(folder: Path) -> None:
    path = folder / RELEASE / "case_group.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace(",granted_full,", ",refused_exempt,", 1).encode(), mtime=0))


def _floor(folder: Path) -> None:
    _report(folder, {"floor_count": 4})


def _more(folder: Path) -> None:
    _report(folder, {"refused": {"alef": 2}})


def _report(folder: Path, said: dict[str, object]) -> None:
    path = folder / RELEASE / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | said), encoding="utf-8")


def _sentence(folder: Path) -> None:
    _write_page(folder, LINKED.format(text="۴ درخواست رد شد.", query="outcomes"))


def test_a_clean_copy_says_what_the_tables_say(published: Instance, tmp_path: Path) -> None:
    """Files, reports, and pages with small numbers where they may stand."""
    copy = copy_of(published, tmp_path / "copy")
    allowed = [
        LINKED.format(text="4 cases past the limit and still open, of 7 open ones", query="stock"),
        "<p>For 3 of 40 cases the outcome is not shown.</p>",
        "<p>Answered in 3 days; 9% of cases; 40 cases refused</p>",
    ]
    _write_page(copy, *allowed)
    attack = pages.attack(read_evidence(copy), seed=1, attempts=1)
    assert (attack.hit_count, attack.findings) == (0, ())
    assert attack.attempts > 30


@pytest.mark.parametrize(
    ("plant", "slug"),
    [
        (_csv_row, "file_more"),
        (_csv_cell, "file_more"),
        (_floor, "report_more"),
        (_more, "report_more"),
        (_sentence, "small_count"),
    ],
)
def test_what_says_more_is_seen(published: Instance, tmp_path: Path, plant: Callable[[Path], None], slug: str) -> None:
    """A row or a cell of a file, an exact floor, a key of a report, four refusals in a sentence."""
    copy = copy_of(published, tmp_path / "copy")
    plant(copy)
    assert learnt(pages.attack(read_evidence(copy), seed=1, attempts=1)) == {slug}


@pytest.mark.parametrize("text", ["9 cases refused", "۹ شکایت", "از ۵ نامه", "1 person", "2&nbsp;people"])
def test_small_numbers_are_read_in_both_languages(text: str) -> None:
    """Digits of three scripts, words for cases and for people, with or without a query beside them."""
    assert list(small_counts(f"<li><b>{text}</b></li>", 10))
    assert list(small_counts(LINKED.format(text=text, query="outcomes"), 10))
    assert not list(small_counts(LINKED.format(text=text, query="monthly_flow"), 10))


def test_a_name_is_no_number() -> None:
    """A step that a source calls "08_005 request complete", and one that is called "Send 2 letters"."""
    page = "<li>08_005 request complete day 35</li><li>Send 2 letters day 4</li>"
    assert list(small_counts(page, 10)) == [(2, "Send 2 letters day 4")]
    assert not list(small_counts(page, 10, names=["Send 2 letters"]))
