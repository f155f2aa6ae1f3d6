"""What changed in a source since an earlier run: the reader's side of an incremental extraction (decision 0018).

Where it stands: called where a source is read, in its transaction. It reads the touched cases whole, then counts: what the
count does not explain is looked for among the ids alone, and what that does not explain either makes the source be read
whole. The values of the columns of changes are never understood here; the database compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.errors import SourceError
from etl.extract.convert import KEY, Converter
from etl.extract.mapping import SourceMap
from etl.extract.rows import Marks, OpenSource

_KINDS: Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "text": (str, str, str),
    "number": (int, str, int),
    "decimal": (Decimal, str, Decimal),
    "instant": (datetime, datetime.isoformat, datetime.fromisoformat),
    "day": (date, date.isoformat, date.fromisoformat),
}


@dataclass(frozen=True)
class Window:
    """What an earlier run left: from where on to read, when the source was last read whole, and the rows it knows."""

    marks: Marks
    whole_at: datetime
    known: Path  # Parquet: case_key, case_rows, event_rows; every key of the source once


@dataclass(frozen=True)
class Gone:
    """The keys of cases that are no longer in a source."""

    keys: tuple[bytes, ...] = ()


def is_due(source: SourceMap, window: Window, snapshot_at: datetime) -> bool:
    """Say whether it is time to read a source whole: changes that it tells nobody are found then."""
    return snapshot_at - window.whole_at >= timedelta(days=source.changes.full_days)


def find_gone(rows: OpenSource, converter: Converter, folder: Path, known: Path) -> Gone | None:
    """Explain the number of rows of a source by those known and those just read into `folder`; None where it does not fit."""
    read = {table: _keys(folder / f"{table}_raw.parquet") for table in ("case", "event")}
    if read["case"].null_count or read["event"].null_count:
        return None
    rest = pq.read_table(known)
    touched = pa.concat_arrays([read["case"], read["event"]])
    rest = rest.filter(pc.invert(pc.is_in(_plain(rest["case_key"]), value_set=touched)))
    missing = _sum(rest, "case_rows") + len(read["case"]) - rows.count("case")
    gone = Gone()
    if missing > 0:
        is_here = pc.is_in(_plain(rest["case_key"]), value_set=_present(rows, converter))
        is_gone = pc.and_(pc.greater(rest["case_rows"].combine_chunks(), 0), pc.invert(is_here))
        lost = rest.filter(is_gone)
        gone, rest = Gone(tuple(_plain(lost["case_key"]).to_pylist())), rest.filter(pc.invert(is_gone))
        missing -= _sum(lost, "case_rows")
    if missing or (converter.source.event and _sum(rest, "event_rows") + len(read["event"]) != rows.count("event")):
        return None
    return gone


def read_marks(rows: OpenSource, source: SourceMap) -> Marks | None:
    """Give the marks from which the next run reads; None where the source has no row to take one from."""
    case = rows.mark("case")
    event = rows.mark("event") if source.changes.event_column else None
    return None if case is None or (source.changes.event_column and event is None) else Marks(case, event)


def pack_marks(marks: Marks, source: str) -> dict[str, tuple[str, str]]:
    """Write marks as pairs of texts, the kind of a value and the value; SourceError for one of no known kind."""
    packed = {}
    for table, value in (("case", marks.case), ("event", marks.event)):
        if value is not None:
            kind = next((kind for kind, (type_, _, _) in _KINDS.items() if type(value) is type_), None)
            if kind is None:
                raise SourceError(
                    "source-changes-value",
                    found=f"values of type {type(value).__name__} in the column of changes in {table}.sql of source {source!r}",
                    expected="texts, whole numbers, instants or days",
                    todo="Name another column in [changes], or cast it in the query.",
                )
            packed[table] = (kind, _KINDS[kind][1](value))
    return packed


def unpack_marks(packed: Mapping[str, tuple[str, str]]) -> Marks:
    """Read marks that `pack_marks` wrote."""
    values = {table: _KINDS[kind][2](text) for table, (kind, text) in packed.items()}
    return Marks(values["case"], values.get("event"))


def _keys(path: Path) -> pa.Array:
    if not path.exists():
        return _nothing()
    return _plain(pq.read_table(path, columns=["case_key"])["case_key"])


def _present(rows: OpenSource, converter: Converter) -> pa.Array:
    """Hash every id that a source has now."""
    name = converter.source.link.case_ref
    return pa.concat_arrays([*(converter.case_keys(b.columns[name]).storage for b in rows.case_refs()), _nothing()])


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays([*(chunk.storage for chunk in column.chunks), _nothing()])


def _nothing() -> pa.Array:
    return pa.array([], KEY.storage_type)


def _sum(rows: pa.Table, column: str) -> int:
    return int(pc.sum(rows[column]).as_py() or 0)
