"""Ids, order, names, clocks and leftovers: bytes that tell of cases are seen."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.audit import Evidence, read_evidence, side_channels
from etl.audit.sqlite_pages import read_pages
from etl.instance import Instance
from tests.audit.conftest import copy_of, learnt, planted

RELEASE = "datasets/releases/1403-02"
Rows = list[dict[str, Any]]


def _attack(evidence: Evidence) -> Any:
    return side_channels.attack(evidence, seed=1, attempts=1)


def _numbered(rows: Rows, order: list[int]) -> Rows:
    """Put rows in another order; ids count up along it."""
    ids = [row["case_group_id"] for row in rows]
    return [rows[at] | {"case_group_id": ids[place]} for place, at in enumerate(order)]


def test_a_clean_copy_tells_nothing(published: Instance, tmp_path: Path) -> None:
    """Files, database and a page beside them."""
    copy = copy_of(published, tmp_path / "copy")
    page = copy / "public" / "1403-03" / "fa" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>1403-03</p>", encoding="utf-8")
    evidence = read_evidence(copy)
    assert "public/1403-03/fa/index.html" in evidence.files
    attack = _attack(evidence)
    assert (attack.hit_count, learnt(attack)) == (0, set())


def test_ids_in_the_order_of_cases_are_seen(evidence: Evidence) -> None:
    """Rows in any order but that of their values, or ids with a gap."""
    size = evidence.table("case_group").num_rows
    swapped = [1, 0, *range(2, size)]
    assert learnt(_attack(planted(evidence, {"case_group": lambda rows: _numbered(rows, swapped)}))) == {"row_order"}
    gap = planted(evidence, {"case_group": lambda rows: [*rows[:-1], rows[-1] | {"case_group_id": 39_000_000}]})
    assert learnt(_attack(gap)) == {"row_order"}


def test_a_timeline_that_no_group_shows_is_seen(evidence: Evidence) -> None:
    """What is left of a case that fell below k."""

    def without(rows: Rows) -> Rows:
        return [row | {"trace_id": None} for row in rows]

    assert "stray_timeline" in learnt(_attack(planted(evidence, {"case_group": without})))


def _rewrite_column(folder: Path) -> None:
    path = folder / RELEASE / "margin.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("case_key", pa.nulls(table.num_rows, pa.string())), path)


def _clock(folder: Path) -> None:
    with gzip.GzipFile(folder / RELEASE / "margin.csv.gz", "wb", mtime=1_700_000_000) as file:
        file.write(b"a\n")


def _moment(folder: Path) -> None:
    (folder / RELEASE / "report.json").write_text(json.dumps({"made": "2025-06-10T08:15:02"}), encoding="utf-8")


def _hash(folder: Path) -> None:
    (folder / RELEASE / "report.json").write_text(json.dumps({"row": "ab" * 32}), encoding="utf-8")


def _name(folder: Path) -> None:
    (folder / RELEASE / "0123456789abcdef.json").write_text("{}", encoding="utf-8")


def _file(name: str) -> Callable[[Path], None]:
    """Plant an empty file, which no attacker would look into."""

    def plant(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    return plant


def _link(folder: Path) -> None:
    path = folder / "datasets" / "datasette.json"
    path.unlink()
    path.symlink_to(folder / "datasets" / "current.json")


@pytest.mark.parametrize(
    ("plant", "slug"),
    [
        (_rewrite_column, "unknown_column"),
        (_clock, "clock"),
        (_moment, "clock"),
        (_hash, "hash"),
        (_name, "file_name"),
        (_file("datasets/cases.xlsx"), "unknown_file"),
        (_file("datasets/portal-1399-01.db"), "unknown_file"),  # of no release: nobody opens it
        (_file("datasets/.staging-1403-04/case_group.parquet"), "unknown_file"),
        (_file("datasets/releases/1403-02/case.parquet"), "unknown_file"),
        (_file("datasets/releases/1403-02/case_group.parquet.bak"), "unknown_file"),
        (_file("public/1403-03/fa/export.csv"), "unknown_file"),
        (_file("public/1403-03/fa/body/lost.json"), "unknown_file"),  # figures of no page
        (_file("public/feed.xml"), "unknown_file"),
        (_link, "unknown_file"),
    ],
)
def test_bytes_that_tell_more_are_seen(
    published: Instance, tmp_path: Path, plant: Callable[[Path], None], slug: str
) -> None:
    """A column nobody declared, the moment of making, the hash of a row, a name like a key, a file of no known kind."""
    copy = copy_of(published, tmp_path / "copy")
    plant(copy)
    assert slug in learnt(_attack(read_evidence(copy)))


def test_deleted_rows_in_a_database_are_seen(evidence: Evidence, tmp_path: Path) -> None:
    """Edited in place instead of built fresh: free pages and free blocks keep what was there."""
    path = tmp_path / "portal-1403-03.db"
    shutil.copy(evidence.databases[-1], path)
    assert read_pages(path).dirty == ()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma secure_delete = off")  # some builds of SQLite overwrite what they delete
        connection.execute("create table secret (name text)")
        connection.executemany("insert into secret values (?)", [(f"person number {n}" * 3,) for n in range(300)])
        connection.commit()
        connection.execute("delete from secret where rowid % 3 = 0")
        connection.commit()
    pages = read_pages(path)
    assert len(pages.dirty) >= 3  # each page that a row was deleted from
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table secret")
        connection.commit()
    assert read_pages(path).free_count > 0


@pytest.mark.parametrize("item", ["x17", "alef"])
def test_a_table_or_a_search_text_of_nobody_knows_what_is_seen(published: Instance, tmp_path: Path, item: str) -> None:
    """The database holds the tables of the dictionary, and the index the words of bodies and services, known or not."""
    copy = copy_of(published, tmp_path / "copy")
    path = next((copy / "datasets").glob("*.db"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table note (text)")
        connection.execute(
            "insert into search (kind_code, item_id, text_folded) values ('body', ?, 'somebody')", [item]
        )
        connection.execute("update file set sha256 = ? where file_id = 1", ["ab" * 32])
        connection.commit()
    assert {"unknown_column", "index_text", "hash"} <= learnt(_attack(read_evidence(copy)))
