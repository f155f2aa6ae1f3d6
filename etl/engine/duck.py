"""DuckDB as an Ibis backend, over the one connection of `etl.engine.connection`.

A release holds some eighty relations, and with few cases due it is their making that takes time, not their rows. Ibis
looks through each for what nothing here uses (functions of Python, places on a map), copies it whole into a second
statement, and asks the engine what it has just been told. What it deliberately does not do: anything that Ibis does not.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.expr import operations as ops

from etl.engine.connection import connect_duckdb

if TYPE_CHECKING:
    from ibis.expr.datatypes import DataType
    from ibis.expr.types import Expr, Table

_TEMPORARY = ops.Namespace(catalog="temp", database="main")
_GIVEN = "given_rows"


class DuckBackend(Backend):
    """Ibis' DuckDB backend with a shorter way to a temporary table."""

    def create_table(self, name: str, /, obj: Any = None, *, temp: bool = False, **options: Any) -> Table:
        """Create a table; a temporary one in two plain statements, of the columns and types that Ibis says it has."""
        if not temp or options or obj is None:
            return super().create_table(name, obj, temp=temp, **options)
        if isinstance(obj, pa.Table):
            kinds, rows = ibis.schema(obj.schema), f"select * from {_GIVEN}"
            self.con.register(_GIVEN, obj)
        else:
            kinds, rows = obj.schema(), self.compile(obj)
        columns = ", ".join(f"{_quoted(column)} {_written(kind)}" for column, kind in kinds.items())
        self.con.execute(f"create temporary table {_quoted(name)} ({columns}); insert into {_quoted(name)} {rows}")
        if isinstance(obj, pa.Table):
            self.con.unregister(_GIVEN)
        held = ibis.schema({column: _as_read(kind) for column, kind in kinds.items()})
        return ops.DatabaseTable(name, schema=held, source=self, namespace=_TEMPORARY).to_expr()

    def drop_table(self, name: str, /, **place: Any) -> None:
        """Drop a table; a temporary one in a plain statement."""
        if place.get("database") != (_TEMPORARY.catalog, _TEMPORARY.database):
            super().drop_table(name, **place)
        else:
            self.con.execute(f"drop table {_TEMPORARY.catalog}.{_TEMPORARY.database}.{_quoted(name)}")

    def _run_pre_execute_hooks(self, expr: Expr) -> None:
        """Put tables of Python in place; there is nothing else to prepare."""
        self._register_in_memory_tables(expr)


def open_duckdb(temp: Path, **settings: Any) -> DuckBackend:
    """Open DuckDB as an Ibis backend; settings as of `connect_duckdb`."""
    # the engine fuses selects itself; in Ibis that is a sixth of what a small release takes
    ibis.options.sql.fuse_selects = False
    backend: DuckBackend = DuckBackend.from_connection(connect_duckdb(temp, **settings))
    return backend


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=256)
def _written(kind: DataType) -> str:
    text: str = DuckBackend.compiler.type_mapper.to_string(kind)
    return text if kind.nullable else f"{text} not null"


@lru_cache(maxsize=256)
def _as_read(kind: DataType) -> DataType:
    """Give the type under which Ibis would find a column that was made with `kind`."""
    return DuckBackend.compiler.type_mapper.from_string(_written(kind.copy(nullable=True)), nullable=kind.nullable)
