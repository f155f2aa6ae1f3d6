"""What the how-to pages tell a reader to type works, block by block; the tutorial whole is `make tutorial`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from portal.catalogue import _read as read_query
from tests.docs.typed import blocks, type_in
from tests.site.maker import make_released


def test_both_tutorials_type_the_same(project: Path) -> None:
    """The Persian page differs in words, not in what is typed."""
    folder = project / "docs" / "tutorials"
    for kind in ("sh", "ini"):
        assert blocks(folder / "operator.md", kind) == blocks(folder / "operator.fa.md", kind)


def test_both_readmes_type_the_same(project: Path) -> None:
    """What `make tutorial` types of the English README, the Persian one says too."""
    typed = [
        [each.partition("#")[0].strip() for each in blocks(project / name, "sh")]
        for name in ("README.md", "README.fa.md")
    ]
    assert typed[0] == typed[1] == ["make run"]


def test_the_file_of_add_a_source_is_read(project: Path, tmp_path: Path) -> None:
    """The export and the mapping of the page stage all their cases."""
    page = project / "docs" / "how-to" / "add-a-source.md"
    type_in(tmp_path, "shafaf init try")
    (tmp_path / "try" / "requests.csv").write_text(blocks(page, "csv")[0], encoding="utf-8")
    folder = tmp_path / "try" / "sources" / "requests"
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text(blocks(page, "toml")[0], encoding="utf-8")
    assert "3 read = 3 staged" in type_in(tmp_path, "shafaf --portal try extract --dry-run")


def test_the_query_of_add_an_indicator_answers(project: Path, tmp_path: Path) -> None:
    """The query of the page has its head and answers on a published database."""
    page = project / "docs" / "how-to" / "add-an-indicator.md"
    query = read_query("overdue_share", blocks(page, "sql")[0])
    make_released(tmp_path / "datasets")
    values = {"body": "mosharekat", "case_type": "foi", "first_release": "1404-07", "release": "1405-06"}
    with closing(sqlite3.connect(tmp_path / "datasets" / "portal-1405-06.db")) as connection:
        answer = connection.execute(query.sql, values)
        assert [part[0] for part in answer.description][-1] == "overdue_share"
        assert answer.fetchall()
