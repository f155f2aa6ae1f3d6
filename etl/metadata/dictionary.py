"""The shipped dictionary of published tables: read once, turned into SQLite types, Parquet schemas and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

import pyarrow as pa

from etl.model.plain_yaml import parse_yaml

_ARROW = {
    "integer": pa.int64(),
    "real": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
_SQLITE = {"integer": int, "real": float, "text": str, "date": str, "boolean": int}


@dataclass(frozen=True)
class Column:
    """A published column: its kind (integer, real, text, date, boolean), unit, labels and what it refers to."""

    name: str
    kind: str
    title: Mapping[str, str]
    unit: str | None = None
    references: str | None = None
    caveat: Mapping[str, str] | None = None
    codes: str | None = None  # the list in table `code` that holds every value of the column

    @property
    def sqlite_type(self) -> type:
        """The Python type that sqlite-utils turns into the column's SQLite type; dates are ISO texts, booleans 0 and 1."""
        return _SQLITE[self.kind]


@dataclass(frozen=True)
class TableSpec:
    """A published table; `scope` is release (grows), reference (newest wins) or database (made with the database)."""

    name: str
    key: str
    scope: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    columns: tuple[Column, ...]
    index: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The column names in their published order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Parquet schema of the released file."""
        return pa.schema([(column.name, _ARROW[column.kind]) for column in self.columns])


@dataclass(frozen=True)
class Dictionary:
    """All published tables in the order in which they can be loaded and read."""

    schema_version: int
    tables: Mapping[str, TableSpec]


@lru_cache(maxsize=1)
def load_dictionary() -> Dictionary:
    """Read `dictionary.yml`, shipped beside this module."""
    raw = parse_yaml(files("etl.metadata").joinpath("dictionary.yml").read_text(encoding="utf-8"))
    tables = {}
    for name, table in raw["tables"].items():
        columns = tuple(_column(column, *parts) for column, parts in table["columns"].items())
        tables[name] = TableSpec(
            name,
            table["key"],
            table["scope"],
            table["title"],
            table["text"],
            columns,
            tuple(table.get("index", ())),
        )
    return Dictionary(raw["schema_version"], tables)


def _column(name: str, kind: str, title_fa: str, title_en: str, more: Mapping[str, str] | None = None) -> Column:
    more = more or {}
    caveat = {"fa": more["caveat_fa"], "en": more["caveat_en"]} if "caveat_fa" in more else None
    title = {"fa": title_fa, "en": title_en}
    return Column(name, kind, title, more.get("unit"), more.get("references"), caveat, more.get("codes"))
