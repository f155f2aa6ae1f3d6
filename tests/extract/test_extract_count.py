"""How many rows a query gives is asked of the database, without making the rows."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from etl.extract import load_sources
from etl.extract.database import open_database

QUERIES = {
    "a join that adds no row": "select r.* from subject_row r left join once o on o.ref = r.ref order by r.ref",
    "a join that adds rows": "select r.*, t.ref as other from subject_row r left join twice t on t.ref = r.ref",
    "a join that takes rows away": "select r.* from subject_row r join once o on o.ref = r.ref",
    "a left outer join with a limit": "select r.* from subject_row r LEFT OUTER JOIN twice t on t.ref = r.ref limit 3",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_count_is_that_of_the_rows(office: Any, query: str) -> None:
    """Whatever the query joins: counting leaves out only what adds no row."""
    for ref in ("a", "b", "c"):
        office.request(ref)
    instance = office.write()
    with sqlite3.connect(instance.root / "office" / "desk.db") as con:
        con.execute("create table once (ref text primary key)")
        con.execute("create table twice (ref text)")
        con.execute("insert into once values ('a'), ('b')")
        con.execute("insert into twice values ('a'), ('a'), ('b')")
        expected = len(con.execute(query).fetchall())
    (instance.sources / "desk" / "case.sql").write_text(query, encoding="utf-8")
    [desk] = load_sources(instance.sources, instance.settings, only=["desk"])
    with open_database(desk, instance.root) as rows:
        assert rows.count("case") == expected
