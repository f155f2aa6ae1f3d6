"""The published database: built fresh from the release files, complete, verified, without residue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from etl.errors import ReleaseError
from etl.instance import Instance
from etl.load import build_database, view_sources, write_releases
from etl.load.database import BUILDING
from etl.metadata import load_dictionary
from etl.model.text import fold
from tests.load.builder import AS_OF, Office, floor, group

Database = Callable[[Office], sqlite3.Connection]
OFFICE = Office(
    ["1403-01", "1403-02"],
    [
        group(outcome_code="granted_full", service_id="build", service_level="leaf", is_loop=False),
        floor(),
        group("1403-02", outcome_code="not_held", body_id="be", trace="t", trace_level="steps", rung_number=1),
    ],
    traces={"t": ("steps", [("review", None, False)])},
)


def test_the_database_holds_every_table_and_view(database: Database) -> None:
    """Tables, columns and types are those of the dictionary; the views are those of the view files."""
    found = database(OFFICE)
    for spec in load_dictionary().tables.values():
        columns = found.execute(f"pragma table_info({spec.name})").fetchall()
        assert [column["name"] for column in columns] == list(spec.names)
        assert [column["name"] for column in columns if column["pk"]] == [spec.key]
    views = {row[0] for row in found.execute("select name from sqlite_master where type = 'view'")}
    assert views == set(view_sources())
    assert found.execute("pragma user_version").fetchone()[0] == load_dictionary().schema_version
    assert found.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_only_index_columns_are_indexed(database: Database) -> None:
    """An index on a sortable column would make Datasette's paging lose rows."""
    found = database(OFFICE)
    for spec in load_dictionary().tables.values():
        for index in found.execute(f"pragma index_list({spec.name})").fetchall():
            column = found.execute(f"pragma index_info({index['name']})").fetchone()["name"]
            assert column in spec.index or index["origin"] == "pk"


def test_rows_keep_the_ids_of_the_files(database: Database) -> None:
    """Ids, dates, flags and NULL arrive as they were released; all releases are there."""
    found = database(OFFICE)
    rows = found.execute("select * from case_group order by case_group_id").fetchall()
    assert [row["case_group_id"] for row in rows] == [10_000_001, 10_000_002, 20_000_001]
    assert (rows[0]["period_first_on"], rows[0]["is_loop"], rows[0]["unit_id"]) == ("2024-03-20", 0, None)
    assert rows[2]["trace_id"] == 20_000_001
    assert [row[0] for row in found.execute("select release_id from release")] == ["1403-01", "1403-02"]
    assert found.execute("select count(*) from rung").fetchone()[0] == 6
    assert not found.execute("pragma foreign_key_check").fetchall()


def test_law_one_can_be_checked_by_anyone(database: Database) -> None:
    """The sentence of the README about k is a query that runs."""
    found = database(OFFICE)
    assert found.execute("select min(case_count) from case_group where not is_floor").fetchone()[0] >= 10


def test_meta_says_what_a_page_needs(database: Database) -> None:
    """Title, licence, clocks, k and the next release stand in the database, so that the portal needs no settings."""
    meta = dict(database(OFFICE).execute("select key, value from meta").fetchall())
    assert (meta["title_fa"], meta["k"], meta["calendar_code"]) == ("نمونه", "10", "jalali")
    assert (meta["headline_clock"], meta["bylaw_days"], meta["bylaw_kind"]) == ("bylaw", "10", "working")
    assert meta["wait_day_kind"] == "working"
    assert "law_days" not in meta
    assert (meta["first_release"], meta["newest_release"]) == ("1403-01", "1403-02")
    assert (meta["next_release"], meta["next_release_on"]) == ("1403-03", "2024-07-05")
    assert meta["as_of_on"] == "2025-06-10"


def test_current_names_the_newest_database(instance: Instance, database: Database) -> None:
    """current.json is written last and names release, file and date; Datasette's metadata lies beside it."""
    database(OFFICE)
    current = json.loads((instance.datasets / "current.json").read_text())
    assert current == {"as_of_on": "2025-06-10", "database": "portal-1403-02.db", "release_id": "1403-02"}
    tables = json.loads((instance.datasets / "datasette.json").read_text())["databases"]["portal"]["tables"]
    assert "release_id" not in tables["case_group"]["sortable_columns"]
    assert "جمع بزنید" in tables["case_group"]["columns"]["case_count"]
    assert set(load_dictionary().tables) | set(view_sources()) == set(tables)


def test_the_two_newest_databases_stay(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Readers of the one before are not cut off; older files go."""
    for month in ("1403-01", "1403-02", "1403-03"):
        release(Office([month], [group(month, outcome_code="not_held")]))
        build_database(instance)
    names = sorted(path.name for path in instance.datasets.glob("*.db"))
    assert names == ["portal-1403-02.db", "portal-1403-03.db"]


def test_building_again_gives_the_same_bytes(instance: Instance, release: Callable[[Office], Any]) -> None:
    """The database is a function of the release files and the settings."""
    release(OFFICE)
    first = build_database(instance).read_bytes()
    (instance.datasets / BUILDING).write_bytes(b"left by a run that died")
    assert build_database(instance).read_bytes() == first


@pytest.mark.parametrize("harm", ["edit", "add", "remove"])
def test_a_changed_release_is_not_loaded(instance: Instance, release: Callable[[Office], Any], harm: str) -> None:
    """One bit more, one file more or one file less than the manifest says stops the build and names the file."""
    release(OFFICE)
    folder = instance.releases / "1403-01"
    if harm == "edit":
        content = bytearray((folder / "margin.parquet").read_bytes())
        content[10] ^= 1
        (folder / "margin.parquet").write_bytes(content)
    elif harm == "add":
        (folder / "margin.bak").write_bytes(b"")
    else:
        (folder / "margin.csv.gz").unlink()
    with pytest.raises(ReleaseError) as error:
        build_database(instance)
    assert error.value.slug == "release-changed"
    assert "margin" in str(error.value)
    assert not (instance.datasets / "current.json").exists()


def test_nothing_to_build_is_an_error_in_words(instance: Instance) -> None:
    """Without a release there is no database."""
    with pytest.raises(ReleaseError) as error:
        build_database(instance)
    assert error.value.slug == "no-release"


def test_every_file_is_listed(instance: Instance, database: Database) -> None:
    """Table `file` names each released file with size and hash."""
    found = database(OFFICE)
    manifest = json.loads((instance.releases / "1403-01" / "manifest.json").read_text())
    listed = found.execute("select name, byte_count, sha256 from file where release_id = '1403-01'").fetchall()
    assert [tuple(row) for row in listed] == [(f["name"], f["bytes"], f["sha256"]) for f in manifest["files"]]


@pytest.mark.parametrize(
    ("typed", "item"),
    [("ساخت و ساز", None), ("يكي", "build"), ("شهرداري كرج", "be"), ("trade", "shop"), ("پروانه", "build")],
)
def test_search_unites_spellings(database: Database, typed: str, item: str | None) -> None:
    """Arabic and Persian letters meet through the folded text, in titles and in search words."""
    query = "select item_id from search where search_id in (select rowid from search_fts where search_fts match ?)"
    found = [row[0] for row in database(OFFICE).execute(query, [" ".join(f'"{word}"' for word in fold(typed).split())])]
    assert item in found if item else True


def test_no_residue_of_earlier_states(instance: Instance, backend: Any, release: Callable[[Office], Any]) -> None:
    """A label that was changed leaves no trace in the newest file, and no temporary file stays."""
    release(OFFICE)
    build_database(instance)
    text = (instance.root / "metadata.yml").read_text(encoding="utf-8").replace("شهرداری کرج", "شهرداری یزد")
    (instance.root / "metadata.yml").write_text(text, encoding="utf-8")
    changed = Instance(instance.root)
    later = Office(["1403-03"], [group("1403-03", body_id=body) for body in ("alef", "be")])
    write_releases(changed, backend, later.published(), as_of=AS_OF, due=later.months)
    content = build_database(changed).read_bytes()
    assert "شهرداری کرج".encode() not in content
    assert "شهرداری یزد".encode() in content
    assert sorted(p.name for p in changed.datasets.iterdir() if p.name.startswith(".")) == []


def test_views_have_labels_and_leave_out_withdrawn_groups(instance: Instance, database: Database) -> None:
    """A labelled group shows titles in both languages; a withdrawn one is gone from the view and stays in the table."""
    found = database(OFFICE)
    row = found.execute("select * from case_group_v1 where case_group_id = 10000002").fetchone()
    assert (row["body_fa"], row["service_en"], row["is_floor"]) == ("سازمان الف", None, 1)
    built = found.execute("select * from case_group_v1 where service_id = 'build'").fetchone()
    assert (built["service_fa"], built["outcome_en"]) == ("پروانه ساختمان", "Granted in full")
    found.execute("insert into withdrawal values (1, '1403-02', 10000001, 'wrong', null)")
    assert found.execute("select count(*) from case_group_v1").fetchone()[0] == 2
    assert found.execute("select count(*) from case_group").fetchone()[0] == 3
    margin = found.execute("select case_type_fa, finished_count from margin_v1 where body_id = 'alef'").fetchone()
    assert tuple(margin) == ("درخواست دسترسی به اطلاعات", 15)
