"""Selections of rows by published columns, as a reader's SQL makes them, and their sums (the fuzzer's ammunition).

Every column is a row of small numbers that keep its order (0: NULL), so that a predicate costs a comparison of integers
and ten thousand of them a second or two. `text` gives the same predicate as SQL that anyone can try on a published database.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
NULL = 0
COUNTED = "case_count"
_COMPARED: dict[str, Callable[..., Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<=": np.less_equal,
    ">": np.greater,
}
OPERATIONS = ("=", "=", "=", "=", "<>", "<=", ">", "is null", "is not null")


@dataclass(frozen=True)
class Condition:
    """One comparison of a column with the number of a value; NULL answers as in SQL."""

    column: str
    operation: str
    number: int = NULL


class Selectable:
    """A table whose rows can be selected by any of its columns but `case_count`."""

    def __init__(self, table: pa.Table) -> None:
        """Turn each column into numbers; memory: eight bytes a cell."""
        self.count: Numbers = _whole(table[COUNTED])
        self.names = tuple(name for name in table.column_names if name != COUNTED)
        self._numbers: dict[str, Numbers] = {}
        self._values: dict[str, list[Any]] = {}
        for name in self.names:
            self._numbers[name], self._values[name] = _ranked(table[name])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.count)

    def numbers(self, name: str) -> Numbers:
        """Give a column as numbers that keep the order of its values; 0 is NULL."""
        return self._numbers[name]

    def values(self, name: str) -> list[Any]:
        """Give the values of a column in order; number n stands for values[n - 1]."""
        return self._values[name]

    def draw(self, chance: random.Random, *, conditions: int) -> tuple[Condition, ...]:
        """Draw a predicate that at least one row of the table is near to."""
        row = chance.randrange(self.rows)
        columns = chance.sample(self.names, min(conditions, len(self.names)))
        return tuple(self.condition(chance, name, row=row) for name in columns)

    def condition(self, chance: random.Random, name: str, *, row: int) -> Condition:
        """Draw a comparison of one column with the value that a row has there."""
        number = int(self._numbers[name][row])
        operation = "is null" if number == NULL else chance.choice(OPERATIONS)
        return Condition(name, operation, number)

    def where(self, predicate: Sequence[Condition]) -> Mask:
        """Say of each row whether a predicate is true of it."""
        chosen: Mask = np.ones(self.rows, dtype=bool)
        for condition in predicate:
            chosen &= self._holds(condition)
        return chosen

    def text(self, predicate: Sequence[Condition]) -> str:
        """Write a predicate as SQL."""
        return " and ".join(self._write(condition) for condition in predicate) or "true"

    def _holds(self, condition: Condition) -> Mask:
        numbers = self._numbers[condition.column]
        if condition.operation == "is null":
            unknown: Mask = np.equal(numbers, NULL)
            return unknown
        known: Mask = np.not_equal(numbers, NULL)
        if condition.operation == "is not null":
            return known
        compared: Mask = _COMPARED[condition.operation](numbers, condition.number)
        return known & compared

    def _write(self, condition: Condition) -> str:
        if condition.operation.startswith("is "):
            return f"{condition.column} {condition.operation}"
        value = self._values[condition.column][condition.number - 1]
        return f"{condition.column} {condition.operation} {_literal(value)}"


def key_text(key: dict[str, Any]) -> str:
    """Write an equality on several columns as SQL.

    >>> key_text({"body_id": "abfa", "outcome_code": None, "is_loop": True})
    "body_id = 'abfa' and outcome_code is null and is_loop = 1"
    """
    return " and ".join(f"{n} is null" if v is None else f"{n} = {_literal(v)}" for n, v in key.items())


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | date):
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)


def _whole(column: pa.ChunkedArray) -> Numbers:
    numbers: Numbers = pc.fill_null(column, 0).to_numpy().astype(np.int64)
    return numbers


def _ranked(column: pa.ChunkedArray) -> tuple[Numbers, list[Any]]:
    coded = pc.dictionary_encode(column.combine_chunks())
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    values = coded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=lambda at: values[at])
    rank = np.zeros(len(values) + 1, dtype=np.int64)  # the last place is for NULL
    rank[order] = np.arange(1, len(values) + 1)
    places = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return rank[places], [values[at] for at in order]
