"""A guarded connection: what would eat the machine is refused or bounded, what pages need works."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.serving.guard import guard_connection, open_reading

ATTACKS = (
    "select hex(zeroblob(200000000))",
    "select randomblob(900000000)",
    "select printf('%900000000d', 1)",
    "select format('%.*c', 900000000, 'x')",
    "select load_extension('x')",
    "select * from pragma_database_list()",
    "select * from pragma_table_list()",
    "attach database '/tmp/x.db' as x",
    "pragma journal_mode=wal",
    "pragma writable_schema=1",
    "pragma temp_store_directory",
    "insert into t values ('x')",
    "update sqlite_master set sql = ''",
    "delete from t",
    "create table u (a)",
    "create temp table u (a)",
    "drop table t",
    "vacuum into '/tmp/x.db'",
    "select replace(hex(a), '0', hex(a)) from t where length(replace(hex(a), '0', hex(a))) > 1",
    "select " + "+".join(["1"] * 500),
    "select 1 " + "union all select 1 " * 50,
    "select 1 where 'a' like '" + "%a" * 200 + "'",
    "select '" + "x" * 30_000 + "'",
)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give a guarded connection to a small database with one long text."""
    path = tmp_path / "small.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a)")
    connection.execute("insert into t values (?)", ("0" * 50_000,))
    connection.commit()
    connection.close()
    connection = sqlite3.connect(path)
    guard_connection(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_is_refused_at_once(guarded, sql):
    """An error within half a second, before memory is taken."""
    begun = time.perf_counter()
    with pytest.raises(sqlite3.Error):
        guarded.execute(sql).fetchall()
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize("name", ["trim", "ltrim", "rtrim"])
def test_trimming_a_long_text_by_a_long_set_is_linear(guarded, name):
    """SQLite's own needs half a minute for 100 KB and cannot be stopped."""
    begun = time.perf_counter()
    guarded.execute(f"select length({name}(a, a)) from t").fetchall()
    assert time.perf_counter() - begun < 0.5


def test_trim_gives_what_sqlite_gives(guarded):
    """Both ends, one end, and nothing of nothing."""
    row = guarded.execute("select trim('xaxx', 'x'), ltrim('xax', 'x'), rtrim('xax', 'x'), trim(null, 'x')").fetchone()
    assert row == ("a", "ax", "xa", None)


def test_ordinary_reading_works(guarded):
    """Counts, groups, windows, recursion and the schema."""
    assert guarded.execute("select count(*), max(length(a)) over () from t").fetchone() == (1, 50_000)
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select sum(i) from n"
    assert guarded.execute(numbers).fetchone() == (15,)
    assert guarded.execute("pragma table_info(t)").fetchall()[0][1] == "a"


def test_a_look_is_closed_at_its_end(tmp_path):
    """No file stays open."""
    sqlite3.connect(tmp_path / "x.db").close()
    with open_reading(tmp_path / "x.db") as connection:
        connection.execute("select 1")
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("select 1")
