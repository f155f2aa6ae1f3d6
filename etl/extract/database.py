"""Rows of a database over SQLAlchemy, in one read-only transaction: whole, or of the cases that changed.

Where it stands: beside `etl.extract.opening`, which opens it. The operator's own queries run as they are, or as subqueries
of ours. FINDINGS: `partitions()` without a size loads everything. It writes nothing and understands no value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from etl.errors import SettingsError, SourceError
from etl.extract.mapping import SourceMap
from etl.extract.rows import BATCH_ROWS, Batch, Marks, OpenSource, encode, find_columns

# the order that a query ends with, where nothing behind it could be more than names: a count needs none and is quicker without
_ORDER = re.compile(r"\border\s+by\b(?:(?!\blimit\b|\boffset\b|\bfetch\b|\bfor\b|--|/\*)[^()'\"])*\Z", re.IGNORECASE)
_JOIN = re.compile(r"\bleft\s+(?:outer\s+)?join\b", re.IGNORECASE)


@contextmanager
def open_database(source: SourceMap, root: Path) -> Iterator[OpenSource]:
    """Open the database of a source inside the transaction of its rows; SourceError where it cannot be reached."""
    engine = engine_of(source, root)
    try:
        with _connect(engine, source) as connection:
            yield _SqlSource(source, connection)
    except SQLAlchemyError as error:
        raise SourceError(
            "source-database",
            found=f"a database error ({type(error).__name__}) while reading source {source.name!r}",
            expected="a database that gives its rows to the end",
            todo="Run again; if it stays, look at the connection and at the database's own log.",
        ) from None
    finally:
        engine.dispose()


class _SqlSource(OpenSource):
    def __init__(self, source: SourceMap, connection: sa.Connection) -> None:
        self._source = source
        self._connection = connection

    def snapshot_text(self, query: str) -> object:
        """Run the snapshot query in the transaction of the rows."""
        try:
            return self._connection.execute(sa.text(query)).scalar()
        except SQLAlchemyError as error:
            raise _query_fails(self._source, "snapshot_query", error) from None

    def batches(self, table: str, columns: Sequence[str], since: Marks | None = None) -> Iterator[Batch]:
        """Run `case.sql` or `event.sql` and keep the named columns, 20,000 rows at a time."""
        if since is None:
            yield from self._run(table, columns, sa.text(_sql_text(self._source, table)))
            return
        rows, touched = self._subquery(table, "q"), self._touched(since)
        query = sa.text(f"select * from {rows} where q.{self._ref} in ({touched.text})")
        yield from self._run(table, columns, query, touched.values)

    def count(self, table: str) -> int:
        """Count the rows that `case.sql` or `event.sql` gives."""
        rows = self._unordered(table)
        if self._connection.dialect.name == "sqlite" and _JOIN.search(rows):
            rows = f"select 1 from (\n{rows}\n) q limit -1"  # only so does it leave out the joins that add no row
        return int(self._scalar(table, sa.text(f"select count(*) from (\n{rows}\n) q")))

    def case_refs(self) -> Iterator[Batch]:
        """Run `case.sql` for the ids alone."""
        query = sa.text(f"select q.{self._ref} from {self._subquery('case', 'q')}")
        return self._run("case", [self._source.link.case_ref], query)

    def mark(self, table: str) -> object:
        """Give the value of changes at the overlap: the smallest of so many newest; None where no row has one."""
        changes = self._source.changes
        name = changes.column if table == "case" else changes.event_column
        column: sa.ColumnElement[Any] = sa.literal_column(f"q.{self._quoted(name)}")
        rows = sa.text(self._subquery(table, "q"))
        newest = sa.select(column.label("c")).select_from(rows).where(column.is_not(None)).order_by(column.desc())
        return self._scalar(table, sa.select(sa.func.min(newest.limit(changes.overlap).subquery("n").c.c)))

    def _touched(self, since: Marks) -> _Query:
        """Say which cases changed since the marks, or may have: a row without a value always may."""
        changes = self._source.changes
        tables = {"case": (changes.column, since.case)}
        tables |= {"event": (changes.event_column, since.event)} if changes.event_column else {}
        parts = [  # two questions rather than one with an `or`, and no order: so an index answers them
            f"select t.{self._ref} from (\n{self._unordered(table)}\n) t where t.{self._quoted(column)} {condition}"
            for table, (column, _) in tables.items()
            for condition in (f">= :{table}_since", "is null")
        ]
        return _Query(" union ".join(parts), {f"{table}_since": value for table, (_, value) in tables.items()})

    @property
    def _ref(self) -> str:
        return self._quoted(self._source.link.case_ref)

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote(name)

    def _unordered(self, table: str) -> str:
        return _ORDER.sub("", _sql_text(self._source, table))

    def _subquery(self, table: str, name: str) -> str:
        return f"(\n{_sql_text(self._source, table)}\n) {name}"

    def _scalar(self, table: str, query: sa.Executable) -> Any:
        try:
            return self._connection.execute(query).scalar()
        except SQLAlchemyError as error:
            raise _query_fails(self._source, f"{table}.sql", error) from None

    def _run(
        self, table: str, columns: Sequence[str], query: sa.TextClause, values: Mapping[str, Any] | None = None
    ) -> Iterator[Batch]:
        try:
            result = self._connection.execution_options(yield_per=BATCH_ROWS).execute(query, values or {})
            names = list(result.keys())
        except SQLAlchemyError as error:
            raise _query_fails(self._source, f"{table}.sql", error) from None
        places = find_columns(columns, names, self._source.name)
        row = 1
        while part := result.cursor_strategy.fetchmany(result, result.cursor, BATCH_ROWS):  # the driver's own tuples
            by_column = list(zip(*part, strict=True))
            encoded = {name: encode(by_column[place]) for name, place in places.items()}
            yield Batch(pa.arange(row, row + len(part)), encoded)
            row += len(part)


@dataclass(frozen=True)
class _Query:
    """SQL and the values that it takes."""

    text: str
    values: Mapping[str, Any]


def _connect(engine: sa.Engine, source: SourceMap) -> sa.Connection:
    """Connect and start the transaction of the rows; what the driver says may hold the address, so it is not shown."""
    try:
        return _read_only(engine.connect())
    except SQLAlchemyError as error:
        todo = "Check that it runs, its address, the account and the password in the environment."
        if engine.dialect.name == "sqlite":
            todo = "Is it a database, and not locked by a program? In WAL mode its folder must be writable; else read a copy."
        raise SourceError(
            "source-unreachable",
            found=f"no connection to the database of source {source.name!r} ({type(error).__name__})",
            expected="a database that answers and lets this account in",
            todo=todo,
        ) from None


def _query_fails(source: SourceMap, name: str, error: SQLAlchemyError) -> SourceError:
    return SourceError(
        "source-query-fails",
        found=f"{name} of source {source.name!r}, which the database refuses ({type(error).__name__})",
        expected="one query that reads and gives rows",
        todo="Try the query by hand with the same account: names, rights, one statement only.",
    )


def _read_only(connection: sa.Connection) -> sa.Connection:
    """Start one consistent, read-only snapshot where the database has such a thing."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # the snapshot begins with the first read
    return connection


def _sql_text(source: SourceMap, table: str) -> str:
    path = source.folder / f"{table}.sql"
    try:
        return path.read_text(encoding="utf-8").strip().rstrip(";").replace(":", r"\:")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            "source-query",
            found=f"no readable sources/{source.name}/{table}.sql",
            expected="the query that gives its rows, in UTF-8",
            todo="Write it beside source.toml.",
        ) from None


def engine_of(source: SourceMap, root: Path) -> sa.Engine:
    """Make the engine of a source's address; SettingsError where it is none, SourceError where its file is absent."""
    try:
        return sa.create_engine(_address_of(source, root))
    except (SQLAlchemyError, ModuleNotFoundError, ValueError):  # a port that is no number, a NUL
        raise SettingsError(
            "source-url",
            found=f"no usable address of source {source.name!r}",
            expected='url = "env:NAME" with NAME in the environment, or an address whose driver is installed',
            todo="Set the variable, correct url in source.toml, or install the driver.",
        ) from None


def _address_of(source: SourceMap, root: Path) -> sa.URL:
    text = source.url
    if text.startswith("env:"):
        text = os.environ.get(source.url.removeprefix("env:"), "")
    url = sa.make_url(text)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return url
    path = root / url.database
    if not is_file(path):
        raise unreachable(source, "database file")
    return url.set(database=path.resolve().as_uri(), query={"mode": "ro", "uri": "true"})


def is_file(path: Path) -> bool:
    """Say whether there is a file of that name, whatever the name."""
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def unreachable(source: SourceMap, what: str) -> SourceError:
    """Make the error of a source whose file is not there."""
    return SourceError(
        "source-absent",
        found=f"no {what} at the address of source {source.name!r}",
        expected=f"the {what} that source.toml names",
        todo="Put it there, set SHAFAF_DATA, or correct source.toml.",
    )
