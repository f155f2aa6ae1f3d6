"""A connection to DuckDB: bounded memory, spill under var/tmp, no downloads, UTC (FINDINGS "Engine")."""

from __future__ import annotations

from pathlib import Path

import duckdb


def connect_duckdb(
    temp: Path, *, memory_limit: str = "1500MB", threads: int = 2, database: str = ":memory:"
) -> duckdb.DuckDBPyConnection:
    """Connect to DuckDB; it spills only to `temp` (private), installs nothing and speaks UTC."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(temp),
        "memory_limit": memory_limit,
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    connection = duckdb.connect(database, config=settings)
    connection.execute("SET TimeZone='UTC'; SET python_enable_replacements=false;")
    return connection
