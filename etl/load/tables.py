"""Schema and bulk rows of the published database (DESIGN §5).

Schema, keys and indexes are made by sqlite-utils from the dictionary; rows go in through its connection by
`executemany` from Arrow (seven times as fast as inserting dictionaries). Ids come from the release files unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlite_utils import Database

from etl.errors import ReleaseError
from etl.load.archive import Release, read_table
from etl.metadata import TableSpec, load_dictionary


def create_tables(database: Database) -> None:
    """Create every table of the dictionary with its primary key, foreign keys and indexes, all empty."""
    tables = load_dictionary().tables
    for spec in _by_reference(tables):
        foreign = [
            (column.name, column.references, tables[column.references].key)
            for column in spec.columns
            if column.references
        ]
        types = {column.name: column.sqlite_type for column in spec.columns}
        database.table(spec.name).create(types, pk=spec.key, foreign_keys=foreign)
        for name in spec.index:
            database.table(spec.name).create_index([name])


def load_releases(database: Database, releases: Sequence[Release]) -> None:
    """Load every released table: `release` scope from all releases, `reference` scope from the newest one."""
    for spec in load_dictionary().tables.values():
        if spec.scope == "release":
            for release in releases:
                insert_rows(database, spec, sqlite_rows(read_table(release, spec)))
        elif spec.scope == "reference":
            insert_rows(database, spec, sqlite_rows(read_table(releases[-1], spec).sort_by(spec.key)))


def load_files(database: Database, releases: Sequence[Release]) -> None:
    """List every released file with its size and hash in table `file`."""
    spec = load_dictionary().tables["file"]
    rows = [
        (release.release_id, file.name, file.byte_count, file.sha256) for release in releases for file in release.files
    ]
    insert_rows(database, spec, ((number, *row) for number, row in enumerate(rows, 1)))


def insert_rows(database: Database, spec: TableSpec, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows given in the column order of the dictionary."""
    marks = ", ".join("?" * len(spec.columns))
    names = ", ".join(f'"{name}"' for name in spec.names)
    database.conn.executemany(f'insert into "{spec.name}" ({names}) values ({marks})', rows)


def sqlite_rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    """Turn an Arrow table into tuples for SQLite: dates as ISO text, booleans as 0 and 1."""
    return zip(*[_plain(column).to_pylist() for column in table.columns], strict=True)


def check_references(database: Database) -> None:
    """Check every foreign key of the loaded rows; ReleaseError naming the table."""
    broken = database.conn.execute("pragma foreign_key_check").fetchone()
    if broken is not None:
        raise ReleaseError(
            "foreign-key",
            found=f"rows of table {broken[0]} that refer to a missing row of {broken[2]}",
            expected="every id to have its row",
            todo="Complete services.csv, units.csv or the bodies in metadata.yml; releases name ids that these lack.",
        )


def _by_reference(tables: Mapping[str, TableSpec]) -> list[TableSpec]:
    """Order tables so that each stands after those it refers to; always the same, as the bytes of the database are."""
    refers = {
        spec.name: sorted({c.references for c in spec.columns if c.references} - {spec.name})
        for spec in tables.values()
    }
    return [tables[name] for name in TopologicalSorter(refers).static_order()]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return pc.cast(column, pa.int8())
    if pa.types.is_date(column.type):
        return pc.cast(column, pa.string())
    return column
