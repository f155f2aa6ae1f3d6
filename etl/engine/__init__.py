"""The one opener of query engines: DuckDB always, and for anonymisation the engine that the policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from etl.engine.choose import ENGINES, open_engine
    from etl.engine.connection import connect_duckdb
    from etl.engine.duck import open_duckdb

__all__ = ["ENGINES", "connect_duckdb", "open_duckdb", "open_engine"]
__getattr__ = late(
    __name__,
    {"choose": ("ENGINES", "open_engine"), "connection": ("connect_duckdb",), "duck": ("open_duckdb",)},
)
