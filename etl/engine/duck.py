"""DuckDB as an Ibis backend, over the one connection of `etl.engine.connection`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from etl.engine.connection import connect_duckdb

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


def open_duckdb(temp: Path, **settings: Any) -> Backend:
    """Open DuckDB as an Ibis backend; settings as of `connect_duckdb`."""
    return ibis.duckdb.from_connection(connect_duckdb(temp, **settings))
