"""What a source gives: encoded columns in bounded batches, and the questions that every kind of source answers.

Where it stands: beneath the readers (`etl.extract.opening`, `etl.extract.database`) and the converter. Only columns that the
mapping names are kept; values live in memory for one batch. It understands no value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from etl.errors import SourceError
from etl.model.text import fold

BATCH_ROWS = 20_000
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
    """Some rows of one source: `numbers` (int64) count from 1 over data rows of the source, those left out too."""

    numbers: pa.Array
    columns: dict[str, Encoded]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.numbers)


@dataclass(frozen=True)
class Marks:
    """Values of the columns of changes from which on a source is read, as its driver gives them."""

    case: Any
    event: Any = None


class OpenSource:
    """A source inside its transaction: rows of its tables, and the instant they stand for.

    left_out: rows that were met so far and are none by `[leave_out]`. first_rows: of a source of several files, the number
    of the first row of each that was read.
    """

    left_out: int = 0
    first_rows: Mapping[str, int] = MappingProxyType({})

    def snapshot_text(self, query: str) -> object:
        """Run the snapshot query; only databases have one."""
        raise NotImplementedError

    def batches(self, table: str, columns: Sequence[str], since: Marks | None = None) -> Iterator[Batch]:
        """Give the named columns of `case` or `event` rows (for a file: of its rows) in bounded batches.

        since: only of the cases that changed since then; of a database.
        """
        raise NotImplementedError

    def count(self, table: str) -> int:
        """Count the rows of a table of a database."""
        raise NotImplementedError

    def case_refs(self) -> Iterator[Batch]:
        """Give only the ids of the cases of a database."""
        raise NotImplementedError

    def mark(self, table: str) -> object:
        """Give the value that the row at the overlap has: so many rows of a database changed since."""
        raise NotImplementedError


def find_columns(wanted: Sequence[str], names: Sequence[str], source: str) -> dict[str, int]:
    """Give the place of each wanted name among the names of a source; SourceError where it is not there once.

    Names are compared as they stand, then folded (blanks around them, invisible marks, Arabic letters and digits, case).
    A name is told only where it is near: a headless file begins with values.
    """
    folded = [fold(name) for name in names]
    places: dict[str, int] = {}
    for name in wanted:
        exact = [place for place, other in enumerate(names) if other == name]
        found = exact or [place for place, other in enumerate(folded) if other == fold(name)]
        if not found:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
            todo = f"Nearest: {near[0]!r}. " if near else "Look at the header line and the delimiter. "
            raise SourceError(
                "source-column-gone",
                found=f"no column {name!r} in source {source!r}",
                expected=f"the columns that the mapping names (the source has {len(names)})",
                todo=f"{todo}Correct source.toml, the file or the query.",
            )
        if len(found) > 1:
            raise SourceError(
                "source-column-twice",
                found=f"{len(found)} columns {name!r} in source {source!r}",
                expected="each column that the mapping names once",
                todo="Rename one of them in the file or in the query.",
            )
        places[name] = found[0]
    return places


def encode(values: Sequence[Any]) -> Encoded:
    """Encode a column of Python values: by Arrow where all are texts or all are integers, else one after the other."""
    column = array_of(values)
    if column is not None and column.type in _PLAIN:
        return encode_arrow(column)
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


def encode_arrow(column: pa.Array) -> Encoded:
    """Encode an Arrow column."""
    encoded = column.dictionary_encode()
    return Encoded(encoded.dictionary.to_pylist(), encoded.indices)
