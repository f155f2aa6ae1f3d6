"""What a connection to the published database may do: read, and nothing that eats the machine.

Stands before every query that comes from outside (Datasette's pages, search). SQLite's progress handler cannot stop a
query inside one function call, so the calls that can run for long or grow without bound are limited or refused
(SQLite "Defense Against The Dark Arts", https://www.sqlite.org/security.html). It does not decide who may ask what:
arbitrary SQL is turned off elsewhere (`portal.serving.explorer`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

HEAP_BYTES: Final = 300_000_000  # of SQLite, for the whole process (`limit_heap`)

LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}

_ACTIONS: Final = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
# What Datasette asks of a schema. Its table-valued twins (`pragma_database_list()` tells the path) stay refused.
_PRAGMAS: Final = frozenset(
    {
        "schema_version",
        "data_version",
        "table_info",
        "table_xinfo",
        "foreign_key_list",
        "index_list",
        "index_info",
        "database_list",
    }
)
_DENIED_FUNCTIONS: Final = frozenset(
    {"printf", "format", "zeroblob", "randomblob", "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
)


def guard_connection(connection: sqlite3.Connection) -> None:
    """Limit a connection to bounded reading: sizes, statements, functions, and a `trim` that is linear."""
    for category, value in LIMITS.items():
        connection.setlimit(category, value)
    connection.execute("PRAGMA query_only=1").close()
    connection.execute("PRAGMA trusted_schema=0").close()
    for name, strip in (("trim", str.strip), ("ltrim", str.lstrip), ("rtrim", str.rstrip)):
        connection.create_function(name, 2, _linear(strip), deterministic=True)
    connection.set_authorizer(_authorize)


def open_reading(path: Path) -> closing[sqlite3.Connection]:
    """Open a published database for one guarded look, closed at the end of the `with` block."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True, check_same_thread=False)
    guard_connection(connection)
    return closing(connection)


def limit_heap() -> None:
    """Bound SQLite's memory for this whole process; for `serve` only, never for a run that builds databases."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit={HEAP_BYTES}").close()


def _linear(strip: Callable[[str, str], str]) -> Callable[[object, object], str | None]:
    def trim(text: object, characters: object) -> str | None:
        return None if text is None or characters is None else strip(str(text), str(characters))

    return trim


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if action == sqlite3.SQLITE_READ and (first or "").startswith("pragma_"):
        return sqlite3.SQLITE_DENY
    if action in _ACTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (second or "").lower() in _DENIED_FUNCTIONS else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # full-text search declares its table so; a true change stays impossible (query_only)
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
