"""Sources into files of typed rows, and these into the working tables `case_raw`, `event_raw`, `quarantine` of DuckDB.

Where it stands: after this step nothing of a source but codes, dates, keyed hashes and public names exists. Shapes:
`case_raw` one row per case row (for shape `events`: per event row, folded to one a case by `fold_event_rows`);
`event_raw` one row per event row or date column, `position` keeps the source's order; `quarantine` one row per bad cell.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.errors import SourceError
from etl.extract.convert import INSTANT, KEY, QUARANTINE, BadCells, Converter
from etl.extract.formats import start_of
from etl.extract.mapping import ColumnMap, SourceMap
from etl.extract.rows import Batch, Marks, OpenSource
from etl.model.codes import MILESTONES
from etl.model.progress import Progress

CASE_RAW = pa.schema(
    [
        ("source", pa.string()),
        ("role", pa.string()),
        ("row_number", pa.int64()),
        ("case_key", KEY),
        ("is_secret", pa.bool_()),
        ("link_keys", pa.list_(pa.string())),
        ("case_type_code", pa.string()),
        ("body_id", pa.string()),
        ("unit_id", pa.string()),
        ("service_id", pa.string()),
        ("channel_code", pa.string()),
        ("applicant_kind_code", pa.string()),
        ("applicant_province_code", pa.string()),
        ("track_code", pa.string()),
        ("requester_key", pa.string()),
        ("received_at", INSTANT),
        ("received_on", pa.date32()),
        ("registered_on", pa.date32()),
        ("promised_on", pa.date32()),
        ("decided_on", pa.date32()),
        ("closed_on", pa.date32()),
        ("status_code", pa.string()),
        ("outcome_code", pa.string()),
        ("complaint_ground_code", pa.string()),
        ("reason_code", pa.string()),
        ("letter_direction_code", pa.string()),
        ("score", pa.int8()),
        ("parent_case_key", KEY),
        ("exemption_code", pa.string()),
        ("is_notified_each", pa.bool_()),
    ]
)
EVENT_RAW = pa.schema(
    [
        ("source", pa.string()),
        ("position", pa.int64()),
        ("case_key", KEY),
        ("is_secret", pa.bool_()),
        ("activity_code", pa.string()),
        ("milestone_code", pa.string()),
        ("occurred_at", INSTANT),
        ("occurred_on", pa.date32()),
        ("time_precision_code", pa.string()),
        ("time_source_code", pa.string()),
        ("from_unit_id", pa.string()),
        ("to_unit_id", pa.string()),
        ("order_no", pa.int64()),
    ]
)
_TABLES = {"case_raw": CASE_RAW, "event_raw": EVENT_RAW, "quarantine": QUARANTINE}
_CODED = (
    "activity_code",
    "milestone_code",
    "time_precision_code",
    "time_source_code",
    "from_unit_id",
    "to_unit_id",
)
_MADE_CODES = (*MILESTONES, "unknown", "system")  # which the timeline says of events that say nothing
_CODES = """
create type code as enum (select code from ({columns} select unnest($made)) as seen(code) where code is not null order by code)
"""
_FOLDED = "source, role, case_key"


def read_source(
    rows: OpenSource,
    converter: Converter,
    folder: Path,
    *,
    system: str,
    progress: Progress,
    since: Marks | None = None,
) -> None:
    """Read one source into files of `folder`: whole, or the cases that changed `since` the marks, each of them whole.

    Errors: SourceError where it breaks off or lacks a column.
    """
    source = converter.source
    with _uncollected(), RowFiles(folder) as files:
        for table, columns in _tables_of(source).items():
            for batch in rows.batches(table, columns, since):
                _read_batch(files, converter, batch, table, system=system)
                progress.step(f"read {source.name}", batch.numbers[-1].as_py())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles out: each row is a tuple, in no cycle, and looking through them is a third of reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load_tables(
    con: duckdb.DuckDBPyConnection, folder: Path, sources: Sequence[SourceMap], *, codes: Iterable[str] | None = ()
) -> None:
    """Make the working tables of the files in the folders of `folder`; rows of shape `events` are folded to cases.

    codes: what an event can show beside what the files hold; None where more rows are to come, whose codes nobody knows yet.
    Where all are known the table of events is small: ten million fit in the memory that there is.
    """
    for name, schema in _TABLES.items():
        paths = [str(path) for path in folder.glob(f"*/{name}.parquet")]
        coded = ""
        if name == "event_raw" and codes is not None:
            name_codes(con, sources, rows="read_parquet($paths)" if paths else "", codes=codes, paths=paths)
            coded = f"replace ({', '.join(f'{column}::code as {column}' for column in _CODED)})"
        con.register("empty_shape", schema.empty_table())
        con.execute(f"create table {name} as select * {coded} from empty_shape")
        con.unregister("empty_shape")
        if paths:
            con.execute(f"insert into {name} select * from read_parquet(?)", [paths])
    for source in sources:
        if source.shape == "events":
            fold_event_rows(con, source.name)


def place_rows(con: duckdb.DuckDBPyConnection, first_rows: Mapping[str, Mapping[str, int]]) -> None:
    """Make `broken_place`: the rows of `quarantine`, each with its `row_in_file` and, of several files, its `file`.

    first_rows: of each source, the number of the first row of each of its files.
    """
    found = [(source, file, row) for source, files in first_rows.items() for file, row in files.items()]
    con.execute("create table file_start (source varchar, file varchar, first_row bigint)")
    if found:
        con.executemany("insert into file_start values (?, ?, ?)", found)
    con.execute(
        """create view broken_place as select q.*, file, q.row_number - coalesce(first_row - 1, 0) as row_in_file
           from quarantine q asof left join file_start f on f.source = q.source and f.first_row <= q.row_number"""
    )


def name_codes(
    con: duckdb.DuckDBPyConnection,
    sources: Iterable[SourceMap],
    *,
    rows: str = "event_raw",
    codes: Iterable[str] = (),
    paths: Sequence[str] = (),
) -> None:
    """Make the type `code` of all that the coded columns of some rows of events hold, and of some codes more."""
    columns = "".join(f"select {column} from {rows} union " for column in _CODED if rows)
    milestones = (code for source in sources for code in source.milestone.values())
    values: dict[str, Any] = {"made": sorted({*_MADE_CODES, *milestones, *codes})}
    con.execute(_CODES.format(columns=columns), values | ({"paths": list(paths)} if paths else {}))


class RowFiles:
    """Files of typed rows in one folder, a Parquet file for each working table that gets rows."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}

    def append(self, name: str, rows: pa.Table) -> None:
        """Append rows in the shape of their table."""
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", rows.schema, compression="lz4")
        self._writers[name].write_table(rows)

    def __enter__(self) -> Self:
        """Write inside."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the files."""
        for writer in self._writers.values():
            writer.close()


def fold_event_rows(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Fold attributes repeated on event rows into one case row; rows that disagree make an `attribute_conflict`."""
    names = [field.name for field in CASE_RAW if field.name not in ("source", "role", "row_number", "case_key")]
    values = [name for name in names if name not in ("is_secret", "link_keys")]
    taken = ", ".join(f"min({name}) as {name}" for name in values)
    differs = " or ".join(f"min({name}) is distinct from max({name})" for name in values)
    con.execute(
        f"""create temp table folded as select source, role, min(row_number) as row_number, case_key,
              bool_or(is_secret) as is_secret, arg_min(link_keys, row_number) as link_keys, {taken}, {differs} as differs
            from case_raw where source = ? and case_key is not null group by {_FOLDED}""",
        [source],
    )
    con.execute("update quarantine set table_name = 'event' where table_name = 'row'")
    con.execute(
        """insert into quarantine
           select source, 'case', row_number, null, 'attribute_conflict' from folded where differs"""
    )
    con.execute("delete from case_raw where source = ?", [source])
    con.execute("insert into case_raw by name select * exclude (differs) from folded")
    con.execute("drop table folded")


def _tables_of(source: SourceMap) -> dict[str, list[str]]:
    """Say which source columns each table of a source must give: the allow-list."""
    case = [name for how in source.case.values() for name in how.names]
    case += [source.link.case_ref, source.secrecy.column, *(n for ref in source.link.link_ref for n in ref)]
    case += [source.leave_out.column]
    case += [name for event in source.date_events for name in (event.column, event.to_unit)]
    event = [*(name for how in source.event.values() for name in how.names), source.link.case_ref]
    event += [source.changes.order]
    if source.kind == "table":
        return {"row" if source.shape == "events" else "case": _distinct(case + event if source.event else case)}
    return {"case": _distinct(case)} | ({"event": _distinct(event)} if source.event else {})


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _read_batch(files: RowFiles, converter: Converter, batch: Batch, table: str, *, system: str) -> None:
    bad = BadCells(converter.source.name, table, batch.numbers)
    keys = converter.case_keys(batch.columns[converter.source.link.case_ref])
    secret = converter.is_secret(batch) if table != "event" else pa.repeat(pa.scalar(False), batch.size)
    if table != "event":
        case = _case_rows(converter, batch, bad, system=system)
        case |= {"case_key": keys, "is_secret": secret}
        files.append("case_raw", _shaped(CASE_RAW, case, batch, converter.source))
        _append_date_events(files, converter, batch, bad, keys=keys, secret=secret)
    if table != "case":
        event = converter.columns(converter.source.event, batch, bad)
        event |= {"case_key": keys, "is_secret": secret, "position": batch.numbers}
        order = converter.source.changes.order
        event |= {"order_no": converter.orders(batch.columns[order], bad)} if order else {}
        files.append("event_raw", _shaped(EVENT_RAW, event, batch, converter.source))
    if bad.rows:
        files.append("quarantine", bad.table_rows())


def _case_rows(converter: Converter, batch: Batch, bad: BadCells, *, system: str) -> dict[str, pa.Array]:
    source = converter.source
    made = converter.columns(source.case, batch, bad)
    made["row_number"] = batch.numbers
    made["role"] = pa.repeat(pa.scalar(source.role), batch.size)
    made["link_keys"] = converter.link_keys(batch)
    if "requester_key" in source.case:
        nothing = pa.nulls(batch.size, pa.date32())
        days = pc.coalesce(made.get("received_on", nothing), made.get("registered_on", nothing))
        persons = converter.encoded(source.case["requester_key"], batch)
        made["requester_key"] = converter.requester_keys(persons, days, system)
    return made


def _append_date_events(
    files: RowFiles,
    converter: Converter,
    batch: Batch,
    bad: BadCells,
    *,
    keys: pa.Array,
    secret: pa.Array,
) -> None:
    """Make events of the date columns of case rows; a missing date makes none."""
    events = converter.source.date_events
    for place, event in enumerate(events):
        silent = BadCells(bad.source, bad.table, bad.numbers)
        mapped = any(how.column == event.column for how in converter.source.case.values())
        moments = converter.moments(event.column, event.format, batch.columns[event.column], silent if mapped else bad)
        made: dict[str, Any] = {
            "case_key": keys,
            "is_secret": secret,
            "position": pc.add(pc.multiply(batch.numbers, len(events)), place),
            "activity_code": pa.repeat(pa.scalar(event.activity), batch.size),
            "milestone_code": pa.repeat(pa.scalar(event.milestone or None, pa.string()), batch.size),
            "occurred_at": moments["at"],
            "occurred_on": moments["on"],
            "time_precision_code": moments["precision"],
        }
        if converter.source.changes.column:
            made["order_no"] = pa.repeat(pa.scalar(place, pa.int64()), batch.size)
        if event.to_unit:
            how = ColumnMap(column=event.to_unit, map=event.map)
            made["to_unit_id"] = converter.units(event.to_unit, how, batch.columns[event.to_unit], bad)
        table = _shaped(EVENT_RAW, made, batch, converter.source)
        files.append("event_raw", table.filter(pc.is_valid(table["occurred_on"])))


def _shaped(schema: pa.Schema, made: dict[str, Any], batch: Batch, source: SourceMap) -> pa.Table:
    made = {**made, "source": pa.repeat(pa.scalar(source.name), batch.size)}
    return pa.table([made[f.name] if f.name in made else pa.nulls(batch.size, f.type) for f in schema], schema=schema)


def read_snapshot(source: SourceMap, rows: OpenSource) -> datetime:
    """Give the instant (UTC) the rows of a source stand for; SourceError where its query gives none."""
    if source.snapshot_on is not None:
        return start_of(source.snapshot_on, source.zone)
    value = rows.snapshot_text(source.snapshot_query)
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise SourceError(
            "source-snapshot-value",
            found=f"no instant with an offset from snapshot_query of source {source.name!r}",
            expected="ISO 8601 with its offset, such as 2026-09-22T20:30:00+00:00",
            todo="Correct the query.",
        )
    return found.astimezone(UTC)
