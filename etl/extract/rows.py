"""Raw rows of a source in bounded batches: a CSV file, or a database over SQLAlchemy in one read-only transaction.

Where it stands: first step inside extraction. Only columns that the mapping names are kept; values live in memory for one
batch. FINDINGS: `partitions()` without a size loads everything. It writes nothing and understands no value.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from etl.errors import SettingsError, SourceError
from etl.extract.file_bytes import BoundedBytes, open_bytes, read_header, wrong_encoding
from etl.extract.mapping import SourceMap, is_workbook
from etl.extract.sheet import Sheet

BATCH_ROWS = 20_000
_BLOCK_BYTES = 4 << 20
_PLAIN = (pa.string(), pa.int64())  # of which two equal values are one value, written one way


@dataclass(frozen=True)
class Encoded:
    """One column of a batch: its distinct values and, row by row, the place of the value among them."""

    values: list[Any]
    places: pa.Array  # int32, NULL where the source has none

    def take(self, converted: list[Any], kind: pa.DataType) -> pa.Array:
        """Spread one converted value per distinct value over the rows."""
        return pa.array(converted, type=kind).take(self.places)

    def rows(self) -> list[Any]:
        """List the values row by row."""
        return [None if place is None else self.values[place] for place in self.places.to_pylist()]


@dataclass(frozen=True)
class Batch:
    """Some rows of one source: `first_row` counts from 1 over data rows of the source."""

    first_row: int
    size: int
    columns: dict[str, Encoded]


class OpenSource:
    """A source inside its transaction: rows of its tables, and the instant they stand for."""

    def snapshot_text(self, query: str) -> object:
        """Run the snapshot query; only databases have one."""
        raise NotImplementedError

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[Batch]:
        """Give the named columns of `case` or `event` rows (for a file: of its rows) in bounded batches."""
        raise NotImplementedError


@contextmanager
def open_source(source: SourceMap, root: Path) -> Iterator[OpenSource]:
    """Open a source for reading; SourceError (exit 21) where it cannot be reached, SettingsError where it is misnamed."""
    if source.kind == "table":
        opened = _SheetSource if is_workbook(source) else _CsvSource
        yield opened(source, _file_of(source, root))
        return
    engine = _engine_of(source, root)
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


def size_of(source: SourceMap, root: Path) -> int:
    """Say how many bytes a source has, as far as its address tells: a database on a server counts as endless."""
    if source.kind == "table":
        return _file_of(source, root).stat().st_size
    url = _engine_of(source, root).url
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        return sys.maxsize
    return Path(url.database.removeprefix("file:")).stat().st_size


class _CsvSource(OpenSource):
    def __init__(self, source: SourceMap, path: Path) -> None:
        self._source = source
        self._path = path

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the file's named columns as text; the names are pushed into the reader."""
        _check_columns(columns, read_header(self._path, self._source), self._source.name)
        try:
            with open_bytes(self._path, self._source) as stream:
                row = 1
                for batch in self._open(stream, columns):
                    if batch.num_rows:
                        encoded = {name: _encode_arrow(batch.column(name)) for name in columns}
                        yield Batch(row, batch.num_rows, encoded)
                    row += batch.num_rows
        except pa.ArrowInvalid as error:
            raise _explain_csv(self._source, str(error)) from None

    def _open(self, stream: BoundedBytes, columns: Sequence[str]) -> pa_csv.CSVStreamingReader:
        return pa_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pa_csv.ReadOptions(block_size=max(_BLOCK_BYTES, self._source.limits.line_bytes)),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, delimiter=self._source.delimiter),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(columns),
                column_types={name: pa.string() for name in columns},
                strings_can_be_null=False,
            ),
        )


def _explain_csv(source: SourceMap, message: str) -> SourceError:
    """Say what the CSV reader met, without the row's text that its message ends with."""
    if "UTF8" in message:
        return wrong_encoding(source)
    lengths = re.match(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message)
    found = "rows that cannot be told apart"
    if lengths:
        place = f" (row {int(lengths[1]) - 1:,})" if lengths[1] else ""
        found = f"a row of {int(lengths[3]):,} cells under {int(lengths[2]):,} names{place}"
    return SourceError(
        "source-table",
        found=f"{found} in the file of source {source.name!r}",
        expected="rows of equal length under one header line",
        todo="Look at that row: a delimiter or a quote in a cell that is not quoted, or a row cut off.",
    )


class _SheetSource(OpenSource):
    def __init__(self, source: SourceMap, path: Path) -> None:
        self._source = source
        self._path = path

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the sheet's named columns, 20,000 rows at a time."""
        sheet = Sheet(self._path, self._source)
        _check_columns(columns, sheet.names, self._source.name)
        places = [sheet.names.index(name) for name in columns]
        row = 1
        for part in sheet.batches(BATCH_ROWS):
            encoded = {
                name: _encode([cells[place] for cells in part]) for name, place in zip(columns, places, strict=True)
            }
            yield Batch(row, len(part), encoded)
            row += len(part)


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

    def batches(self, table: str, columns: Sequence[str]) -> Iterator[Batch]:
        """Run `case.sql` or `event.sql` and keep the named columns, 20,000 rows at a time."""
        text = _sql_text(self._source, table)
        try:
            result = self._connection.execution_options(yield_per=BATCH_ROWS).execute(sa.text(text))
            names = list(result.keys())
        except SQLAlchemyError as error:
            raise _query_fails(self._source, f"{table}.sql", error) from None
        _check_columns(columns, names, self._source.name)
        places = [names.index(name) for name in columns]
        row = 1
        while part := result.cursor_strategy.fetchmany(result, result.cursor, BATCH_ROWS):  # the driver's own tuples
            by_column = list(zip(*part, strict=True))
            encoded = {name: _encode(by_column[place]) for name, place in zip(columns, places, strict=True)}
            yield Batch(row, len(part), encoded)
            row += len(part)


def _connect(engine: sa.Engine, source: SourceMap) -> sa.Connection:
    """Connect and start the transaction of the rows; what the driver says may hold the address, so it is not shown."""
    try:
        return _read_only(engine.connect())
    except SQLAlchemyError as error:
        raise SourceError(
            "source-unreachable",
            found=f"no connection to the database of source {source.name!r} ({type(error).__name__})",
            expected="a database that answers and lets this account in",
            todo="Check that it runs, its address, the account and the password in the environment.",
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


def _engine_of(source: SourceMap, root: Path) -> sa.Engine:
    try:
        return sa.create_engine(_address_of(source, root))
    except (SQLAlchemyError, ModuleNotFoundError):
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
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        return url
    path = root / url.database
    if not _is_file(path):
        raise _unreachable(source, "database file")
    return url.set(database=f"file:{path.resolve()}", query={"mode": "ro", "uri": "true"})


def _file_of(source: SourceMap, root: Path) -> Path:
    text = source.path
    if "${SHAFAF_DATA}" in text:
        text = text.replace("${SHAFAF_DATA}", str(_data_folder(root)))
    path = root / text
    if not _is_file(path):
        raise _unreachable(source, "file")
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _data_folder(root: Path) -> Path:
    """Find the folder of real input: SHAFAF_DATA, else the nearest `../shared/data` walking up from the instance."""
    named = os.environ.get("SHAFAF_DATA")
    if named:
        return Path(named)
    root = root.resolve()
    candidates = [folder.parent / "shared" / "data" for folder in (root, *root.parents)]
    return next((folder for folder in candidates if folder.is_dir()), candidates[0])


def _unreachable(source: SourceMap, what: str) -> SourceError:
    return SourceError(
        "source-absent",
        found=f"no {what} at the address of source {source.name!r}",
        expected=f"the {what} that source.toml names",
        todo="Put it there, set SHAFAF_DATA, or correct source.toml.",
    )


def _check_columns(wanted: Sequence[str], names: Sequence[str], source: str) -> None:
    """Check that each wanted name is there once; a name is told only where it is near: a headless file begins with values."""
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
            todo = f"Nearest: {near[0]!r}. " if near else "Look at the header line and the delimiter. "
            raise SourceError(
                "source-column-gone",
                found=f"no column {name!r} in source {source!r}",
                expected=f"the columns that the mapping names (the source has {len(names)})",
                todo=f"{todo}Correct source.toml, the file or the query.",
            )
        if names.count(name) > 1:
            raise SourceError(
                "source-column-twice",
                found=f"{names.count(name)} columns {name!r} in source {source!r}",
                expected="each column that the mapping names once",
                todo="Rename one of them in the file or in the query.",
            )


def _encode(values: Sequence[Any]) -> Encoded:
    """Encode a column of Python values: by Arrow where all are texts or all are integers, else one after the other."""
    column = array_of(values)
    if column is not None and column.type in _PLAIN:
        return _encode_arrow(column)
    seen: dict[Any, int] = {}
    places = [None if value is None else seen.setdefault(value, len(seen)) for value in values]
    return Encoded(list(seen), pa.array(places, type=pa.int32()))


def array_of(values: Sequence[Any]) -> pa.Array | None:
    """Make an Arrow array of values of one type; None where they are of several, or of none that Arrow has."""
    try:
        column = pa.array(values)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return None
    return column if isinstance(column, pa.Array) else None


def _encode_arrow(column: pa.Array) -> Encoded:
    encoded = column.dictionary_encode()
    return Encoded(encoded.dictionary.to_pylist(), encoded.indices)
