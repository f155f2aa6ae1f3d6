"""The one opener of DuckDB through Ibis: bounded memory, spill under var/tmp, no downloads, UTC (FINDINGS "Engine")."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


def open_duckdb(temp: Path, *, memory_limit: str = "1500MB", threads: int = 2, database: str = ":memory:") -> Backend:
    """Open DuckDB as an Ibis backend; it spills only to `temp` (private), installs nothing and speaks UTC."""
    backend = ibis.duckdb.connect(
        database,
        temp_directory=str(temp),
        memory_limit=memory_limit,
        threads=threads,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    backend.raw_sql("SET TimeZone='UTC'; SET preserve_insertion_order=false;")
    return backend
