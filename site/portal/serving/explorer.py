"""Datasette over one release's database: tables, JSON and named queries, free SQL off (DESIGN §7, `/data/`).

Reads `portal-<release_id>.db` (immutable) and `datasets/datasette.json`; the queries are the site's own `.sql` files.
The database is always shown under the name `portal`, so that an address never changes with the release. Datasette's
paging loses rows on some layouts, so which columns may be sorted is decided here, from the schema (`sortable_columns`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from datasette.app import Datasette
from datasette.database import Database

from etl.metadata import Column, load_dictionary
from portal.catalogue import TOPICS, load_queries, queries_by_topic
from portal.serving.choices import read_choices, read_labels, unfit
from portal.serving.guard import open_reading
from portal.serving.plugin import DATABASE, register

PREFIX: Final = "/data"
PAGES: Final = Path(__file__).parent / "explorer_pages"
SETTINGS: Final[Mapping[str, object]] = {
    "base_url": f"{PREFIX}/",
    "default_allow_sql": False,
    "allow_download": False,
    "allow_csv_stream": False,
    "allow_facet": False,  # declared facets stay
    "suggest_facets": False,
    "sql_time_limit_ms": 1_000,
    "facet_time_limit_ms": 200,
    "num_sql_threads": 4,
    "default_page_size": 50,  # a page of the widest table stays under 100 KB
    "max_returned_rows": 1_000,
    "max_csv_mb": 10,
    "default_cache_ttl": 60,
    "truncate_cells_html": 300,
}
_EXAMPLES: Final = (
    (("release",), "select release_id from release order by release_number desc limit 1"),
    (
        ("first_release",),
        "select release_id from (select * from release order by release_number desc limit 12) order by release_number",
    ),
    (
        ("body", "case_type"),
        "select body_id, case_type_code from margin group by 1, 2 order by sum(finished_count) desc, 1, 2 limit 1",
    ),
    (
        ("service",),
        "select service_id from case_group where body_id = :body and case_type_code = :case_type and service_level = 'leaf'"
        " group by 1 order by max(trace_id is not null) desc, sum(case_count) desc, 1 limit 1",
    ),
    (("band",), "select code from code where list_code = 'duration_band' order by position limit 1 offset 2"),
)


class Explorer:
    """A running Datasette on one database file; `app` is its ASGI application, without our prefix."""

    def __init__(self, database: Path, metadata: Mapping[str, Any]) -> None:
        """Set Datasette up on a file; nothing is read before `start`."""
        register()
        self.database = database
        shown = explorer_metadata(database, metadata)
        self._described = shown["databases"][DATABASE]
        with open_reading(database) as connection:
            self._columns = {name: _columns(connection, name) for name in _relations(connection)}
        self._datasette = Datasette(
            metadata=shown,
            settings=dict(SETTINGS),
            template_dir=str(PAGES),
            memory=False,
        )
        self._datasette.remove_database("_memory")
        self._file = _Quiet(self._datasette, str(database), is_mutable=False)
        self._datasette.add_database(self._file, name=DATABASE)
        self.app = self._datasette.app()

    async def start(self) -> None:
        """Read the schema and count the rows once, so that a broken file shows before a reader meets it."""
        await self._datasette.invoke_startup()
        await self._file.table_counts(limit=60_000)
        await self._datasette.refresh_schemas()

    @staticmethod
    def is_query(name: str) -> bool:
        """Say whether an address is that of a named query."""
        return name in load_queries()

    def refuse(self, name: str, given: Mapping[str, str]) -> str | None:
        """Say what an address asks of a named query or a table that nothing can answer; None where an answer is true."""
        query = load_queries().get(name)
        if query is None:
            return self._unknown_columns(name, given)
        wrong = unfit(query, self._described["choices"], given)
        if not wrong:
            return None
        named = ", ".join(f"{each}={given[each]}" if given.get(each) else each for each in wrong)
        example = self._described["queries"][name]["example"]
        return f"Missing or unknown: {named}. The same question with values that have an answer: {example}"

    def _unknown_columns(self, table: str, given: Mapping[str, str]) -> str | None:
        """Name the filters by a column that a table does not have: SQLite reads its name as a text, and finds no row."""
        columns = self._columns.get(table, ())
        wrong = [key for key in given if columns and key[:1] != "_" and key.partition("__")[0] not in columns]
        return f"No such column: {', '.join(wrong)}. {table} has: {', '.join(columns)}" if wrong else None

    async def close(self) -> None:
        """End the reading threads and close the file; only when no request uses it any more.

        Datasette's writing thread (of its own small list of tables in memory) knows no end: one idle thread stays per
        release and is gone with the process.
        """
        self._datasette.executor.shutdown(wait=True)
        self._file.close()


class _Quiet(Database):  # type: ignore[misc]
    """A database that does not print the readers' values where their query fails."""

    async def execute(self, sql: str, params: object = None, **more: Any) -> Any:
        """Run a query; its error is answered, not printed."""
        return await super().execute(sql, params, **{**more, "log_sql_errors": False})


def explorer_metadata(database: Path, written: Mapping[str, Any]) -> dict[str, Any]:
    """Join what the release wrote about its tables with the named queries and the columns that page without loss.

    The release writes both languages into one text; a page needs them apart, each in its own direction.
    """
    metadata: dict[str, Any] = json.loads(json.dumps(written))
    described = metadata.setdefault("databases", {}).setdefault(DATABASE, {})
    tables = described.setdefault("tables", {})
    with open_reading(database) as connection:
        for name in _relations(connection):
            tables.setdefault(name, {})["sortable_columns"] = sortable_columns(connection, name)
        examples = example_values(connection)
        described |= {"choices": read_choices(connection), "labels": read_labels(connection)}
    for name, spec in load_dictionary().tables.items():
        if name in tables:
            tables[name] |= {
                "title": spec.title["en"],
                "title_fa": spec.title["fa"],
                "description": spec.text["en"],
                "description_fa": spec.text["fa"],
                "columns": {column.name: _told(column, "en") for column in spec.columns},
                "columns_fa": {column.name: _told(column, "fa") for column in spec.columns},
            }
    told = _told_names()
    described["topics"] = [
        {"title": TOPICS[topic], "queries": [query.name for query in queries]}
        for topic, queries in queries_by_topic().items()
    ]
    described["queries"] = {
        query.name: {
            "sql": query.sql,
            "columns": {**told["en"], **{name: text["en"] for name, text in query.columns.items()}},
            "columns_fa": {**told["fa"], **{name: text["fa"] for name, text in query.columns.items()}},
            "title": query.title["en"],
            "title_fa": query.title["fa"],
            "description": query.text["en"],
            "description_fa": query.text["fa"],
            "example": query.address(examples),
            "file": database.name,
        }
        for query in load_queries().values()
    }
    return metadata


def _told(column: Column, lang: str) -> str:
    unit = f" [{column.unit}]" if column.unit and lang == "en" else ""
    caveat = f": {column.caveat[lang]}" if column.caveat else ""
    return f"{column.title[lang]}{unit}{caveat}"


def _told_names() -> dict[str, dict[str, str]]:
    """Say what each published column means, for answers that keep its name; the first table that has it speaks."""
    columns = [column for table in reversed(tuple(load_dictionary().tables.values())) for column in table.columns]
    return {lang: {column.name: _told(column, lang) for column in columns} for lang in ("en", "fa")}


def example_values(connection: sqlite3.Connection) -> dict[str, object]:
    """Choose values for the parameters of named queries, so that a first look shows rows: newest, largest, first band."""
    found: dict[str, object] = {"above": 0, "body": "", "case_type": ""}
    for names, sql in _EXAMPLES:
        row = connection.execute(sql, found).fetchone() or ()
        found |= {name: value for name, value in zip(names, row, strict=False) if value is not None}
    return found


def sortable_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """List the columns by which a table can be paged without losing a row.

    Datasette breaks ties by the primary key only from the second page on, so the first page must come in key order by
    itself: the table is stored in key order (INTEGER PRIMARY KEY or WITHOUT ROWID) and no index leads with the column.
    """
    columns = connection.execute(f"PRAGMA table_info([{table}])").fetchall()
    keys = [row for row in columns if row[5]]
    indexes = connection.execute(f"PRAGMA index_list([{table}])").fetchall()
    by_key = any(row[3] == "pk" for row in indexes)
    integer_key = len(keys) == 1 and keys[0][2].upper() == "INTEGER" and not by_key
    without_rowid = by_key and not _has_rowid(connection, table)
    if not (integer_key or without_rowid):
        return []
    leading = {connection.execute(f"PRAGMA index_info([{row[1]}])").fetchone()[2] for row in indexes if row[3] != "pk"}
    return [row[1] for row in columns if row[1] not in leading]


def _relations(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("select name from sqlite_master where type in ('table', 'view')").fetchall()
    return [row[0] for row in rows]


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in connection.execute(f"PRAGMA table_info([{table}])"))


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    sql = connection.execute("select sql from sqlite_master where name = ?", (table,)).fetchone()[0]
    return "without rowid" not in sql.lower()
