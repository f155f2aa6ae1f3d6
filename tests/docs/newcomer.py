"""The path of a newcomer, typed from a fresh copy: README, the tour, then `add an indicator`; part of `make tutorial`.

The copy makes an environment of its own, as a clone does, so that this needs a package index and some minutes.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.typed import blocks, type_in

# what a clone has not: the state of the demo, the environment, and the caches
ABSENT = (
    ".git",
    ".venv*",
    "office",
    "var",
    "public",
    "__pycache__",
    ".*_cache",
    ".coverage*",
    ".hypothesis",
    "*.db",
    "releases",
)
BOUND = 1500  # seconds, most of them of the package index
ASKED = re.compile(r"^```sql\n(.*?)```\n\n(\|.*?)\n\n", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\| `([\w/.]+)` \| `(.+)` \| `(.+)` \|$", re.MULTILINE)


def insert(path: Path, after: str, line: str) -> None:
    """Write a line after the only one that reads `after`, as far in as it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    [place] = [number for number, each in enumerate(lines) if each.strip() == after]
    lines.insert(place + 1, lines[place].removesuffix(after) + line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy in which the README was typed."""
    clone = tmp_path_factory.mktemp("newcomer") / "clone"
    shutil.copytree(project, clone, ignore=shutil.ignore_patterns(*ABSENT))
    said = type_in(clone, "\n".join(blocks(clone / "README.md", "sh")), own=True, bound=BOUND)
    assert "k ≥ 10 checked" in said
    return clone


@pytest.mark.timeout(2 * BOUND)
@pytest.mark.parametrize("page", ["tour.md", "tour.fa.md"])
def test_the_tour_can_be_typed(clone: Path, page: str) -> None:
    """The office of the tour, made by its commands, gives the answers that stand below its statements, and its line."""
    if not (clone / "tour").exists():
        type_in(clone, "\n".join(blocks(clone / "docs" / page, "sh")), own=True, bound=BOUND)
    assert blocks(clone / "docs" / "tour.md", "sh") == blocks(clone / "docs" / "tour.fa.md", "sh")
    text = (clone / "docs" / page).read_text(encoding="utf-8")
    answered = 0
    with closing(sqlite3.connect(clone / "tour" / "datasets" / "portal-1405-06.db")) as connection:
        for sql, table in ASKED.findall(text):
            if ":body" not in sql and "automation." not in sql and "parquet" not in sql:
                rows = [[str("" if cell is None else cell) for cell in row] for row in connection.execute(sql)]
                assert rows == [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
                answered += 1
    assert answered >= 5
    with gzip.open(clone / "tour" / "datasets" / "releases" / "1405-05" / "case_group.csv.gz", "rt") as lines:
        written = set(lines.read().splitlines())
    [line] = re.findall(r"^```\n(case_group_id,.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert set(line.splitlines()) <= written


@pytest.mark.timeout(2 * BOUND)
def test_the_path_of_a_newcomer_works(clone: Path) -> None:
    """From the README to a new figure on a page, which is a link to its own query, in both languages."""
    page = clone / "docs" / "how-to" / "add-an-indicator.md"
    look, test, break_once, build, show = blocks(page, "sh")
    assert len(re.findall(r"^\('1405-", type_in(clone, look, own=True), re.MULTILINE)) == 3
    (clone / "site" / "portal" / "queries" / "overdue_share.sql").write_text(blocks(page, "sql")[0], encoding="utf-8")
    (clone / "tests" / "site" / "test_overdue_share.py").write_text(blocks(page, "python")[0], encoding="utf-8")
    type_in(clone, test, own=True, bound=BOUND)
    assert "the test sees it" in type_in(clone, break_once, own=True)
    type_in(clone, build, own=True)
    site = clone / "public" / "1405-06"
    assert "/data/portal/overdue_share?" in (site / "fa" / "data.html").read_text(encoding="utf-8")

    for name, after, line in STEP.findall(page.read_text(encoding="utf-8")):
        insert(clone / name, after, line)
    type_in(clone, show, own=True, bound=BOUND)
    type_in(clone, ".venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy", own=True, bound=BOUND)
    with closing(sqlite3.connect(clone / "datasets" / "portal-1405-06.db")) as connection:
        overdue, waiting = connection.execute(
            "select open_overdue_count, open_count from margin"
            " where release_id = '1405-06' and body_id = 'sabt' and case_type_code = 'service'"
        ).fetchone()
    shown = (site / "en" / "body" / "sabt" / "index.html").read_text(encoding="utf-8")
    share = round(100 * overdue / waiting)
    assert re.search(rf'<a class="fig" href="/data/portal/overdue_share[^>]*>{share}% of open cases', shown)
