"""Texts as small integers while cases are compared: peeling and counting look at numbers, readers get the texts back.

A case has some twenty texts, and every rung compares all cases by ten of them; a national body has millions of cases.
Every column of texts therefore gets a list of its values, and a case holds the place in it. The lists are relations
like any other: equal texts have equal codes within a run, NULL stays NULL, and no code is ever published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold_rows

if TYPE_CHECKING:
    from ibis.expr.types import Table

Lists = Mapping[str, "Table"]  # name of a list -> its values: code from 1, value
_LIST = pa.schema([("code", pa.int32()), ("value", pa.string())])


def encode(relation: Table, columns: Mapping[str, Sequence[str]]) -> tuple[Table, Lists]:
    """Put codes in the place of texts: `columns` names, for each list, the columns of the relation that draw on it.

    Give the (lazy) relation with int32 columns of the same names, and the lists. The relation is read once a column to
    find the values, so it should be held.
    """
    found: dict[str, set[str]] = {name: set() for name in columns}
    distinct = [
        relation.select(list=ibis.literal(name), value=relation[column]).distinct()
        for name, drawing in columns.items()
        for column in drawing
    ]
    if not distinct:  # a ladder may show nothing but its floor keys
        return relation, {}
    for row in fetch(ibis.union(*distinct)):
        if row["value"] is not None:
            found[row["list"]].add(row["value"])
    lists = {name: _hold_list(relation, name, sorted(values)) for name, values in found.items()}
    drawn = {column: lists[name] for name, drawing in columns.items() for column in drawing}
    return _replaced(relation, drawn, key="value", wanted="code"), lists


def decode(relation: Table, lists: Lists, columns: Mapping[str, str]) -> Table:
    """Put texts back in the place of codes; `columns`: column of the relation -> name of its list."""
    drawn = {column: lists[name] for column, name in columns.items()}
    return _replaced(relation, drawn, key="code", wanted="value")


def _hold_list(relation: Table, name: str, values: Sequence[str]) -> Table:
    rows = [{"code": code, "value": value} for code, value in enumerate(values, 1)]
    return hold_rows(relation.get_backend(), f"list_{name}", rows, _LIST)


def _replaced(relation: Table, drawn: Lists, *, key: str, wanted: str) -> Table:
    """Put the values wanted in the place of those that are found under the keys; drawn: column -> its list."""
    joined, found = relation, {}
    for number, (column, values) in enumerate(drawn.items()):
        listed = values.select(**{f"key_{number}": values[key], f"value_{number}": values[wanted]})
        joined = joined.join(listed, [(column, f"key_{number}")], how="left")
        found[column] = f"value_{number}"
    return joined.select(*(joined[found.get(name, name)].name(name) for name in relation.columns))
