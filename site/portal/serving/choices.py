"""What a reader may put into a named query, and what the codes of an answer are called; both from the published database.

A query with a value left out, or with a body that does not exist, counts nothing and answers 0: a figure that is false and
looks true. So pages offer the values that exist, and machines get a 400 that names what is missing instead of zeros.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final, Protocol

from etl.metadata import load_dictionary
from portal.catalogue import Query

Labels = Mapping[str, tuple[str, str]]  # value: its names in English and Persian


class Row(Protocol):
    """A row of an answer, as sqlite3 and Datasette give it."""

    def keys(self) -> Any:
        """The names of its columns."""

    def __getitem__(self, key: str, /) -> Any:
        """The value of a column."""


_RELEASES: Final = "select release_id, release_id, release_id from release order by release_number desc"
_NAMED: Final = (
    "select {table}_id, coalesce(title_en, {table}_id), coalesce(title_fa, {table}_id) from {table} order by 1"
)
_CODES: Final = (
    "select code, coalesce(title_en, title_source, code), coalesce(title_fa, title_source, code) from code"
    " where list_code = ? order by position, code"
)
_CASE_TYPES: Final = (
    "select m.case_type_code, coalesce(c.title_en, m.case_type_code), coalesce(c.title_fa, m.case_type_code)"
    " from (select distinct case_type_code from margin) m"
    " left join code c on c.list_code = 'case_type' and c.code = m.case_type_code order by c.position, 1"
)
_NAMES: Final = ("body", "unit", "service")


def read_choices(connection: sqlite3.Connection) -> dict[str, Labels]:
    """Give for each parameter the values that exist, newest release first; a parameter without a list takes any value."""
    releases = _labels(connection, _RELEASES)
    return {
        "release": releases,
        "first_release": releases,
        "body": _labels(connection, _NAMED.format(table="body")),
        "service": _labels(connection, _NAMED.format(table="service")),
        "case_type": _labels(connection, _CASE_TYPES),
        "band": _labels(connection, _CODES, "duration_band"),
    }


def read_labels(connection: sqlite3.Connection) -> dict[str, Labels]:
    """Give for each published column of codes or ids the names of its values; dimensions of the yearly table by their code."""
    names = {f"{table}_id": _labels(connection, _NAMED.format(table=table)) for table in _NAMES}
    lists = {row[0] for row in connection.execute("select distinct list_code from code")}
    codes = {name: _labels(connection, _CODES, name) for name in lists if name}
    columns = [column for table in load_dictionary().tables.values() for column in table.columns]
    return {**codes, **{c.name: codes[c.codes] for c in columns if c.codes and c.codes in codes}, **names}


def label_of(labels: Mapping[str, Labels], row: Row, column: str) -> tuple[str, str] | None:
    """Give the names of a cell's value, None where it has none; the yearly table says in its row which list it is from."""
    named = column
    if column == "value_code" and "dimension_code" in row.keys():  # noqa: SIM118 - a sqlite3.Row holds values
        named = str(row["dimension_code"]).removesuffix("_bylaw").removesuffix("_law")
    return labels.get(named, {}).get(str(row[column]))


def unfit(query: Query, choices: Mapping[str, Labels], given: Mapping[str, str]) -> list[str]:
    """List the parameters that are empty or hold a value that does not exist, in the order of the query.

    >>> asked = Query("q", {}, {}, "select :body, :release", ("body", "release"))
    >>> unfit(asked, {"body": {"sabt": ("Registry", "ثبت")}}, {"body": "sabt"})
    ['release']
    """
    return [
        name
        for name in query.parameters
        if not given.get(name) or (choices.get(name) and given[name] not in choices[name])
    ]


def _labels(connection: sqlite3.Connection, sql: str, *values: str) -> dict[str, tuple[str, str]]:
    return {str(row[0]): (str(row[1]), str(row[2])) for row in connection.execute(sql, values)}
