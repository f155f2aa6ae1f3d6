"""The intervals of the views against a plain recount, and against every truth that the groups allow."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from etl.engine import open_duckdb
from etl.load import build_database, write_releases
from etl.load.totals import ancestry
from etl.metadata import shipped_codes
from tests.load.builder import AS_OF, Office, floor, group, make_instance

Database = Callable[[Office], sqlite3.Connection]
PARENTS: dict[str, dict[str, str | None]] = {
    "outcome": {code: labels[2] for code, labels in shipped_codes()["outcome"].items()},
    "lateness": dict.fromkeys(shipped_codes()["lateness"]),
    "channel": dict.fromkeys(shipped_codes()["channel"]),
    "service": {
        "permits": None,
        "build": "permits",
        "shop": "permits",
        "welfare": None,
        "loan": "welfare",
        "not_recorded": None,
    },
    "unit": {"alef_head": None, "alef_tech": "alef_head", "not_recorded": None},
}
COLUMNS = {name: f"{name}_{'id' if name in ('service', 'unit') else 'code'}" for name in PARENTS}
DUE = ["1402-10", "1402-11", "1402-12", "1403-01", "1403-02", "1403-03"]


def coarser(column: str, value: str) -> set[str]:
    """The values that a row may show instead of `value`."""
    found: set[str] = set()
    step = PARENTS[column][value]
    while step is not None:
        found.add(step)
        step = PARENTS[column][step]
    return found


def recount(column: str, value: str, rows: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Count by hand: certain, possible beside it, all."""
    name = COLUMNS[column]
    certain = sum(
        r["case_count"] for r in rows if r[name] is not None and (r[name] == value or value in coarser(column, r[name]))
    )
    possible = sum(r["case_count"] for r in rows if r[name] is None or r[name] in coarser(column, value))
    return certain, possible, sum(r["case_count"] for r in rows)


def random_office(seed: int) -> Office:
    """An office of six months in two years with groups, floors and late groups of every kind."""
    rng = random.Random(seed)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def some(column: str) -> str | None:
        return rng.choice([None, *PARENTS[column]])

    for month in DUE:
        for body in ("alef", "be"):
            late_for = rng.choice([None, None, DUE[0], "earlier"]) if month > DUE[1] else None
            values = {COLUMNS[name]: some(name) for name in PARENTS if name != "unit" or body == "alef"}
            made = group(
                month,
                rng.randint(10, 40),
                period_code=late_for or month,
                body_id=body,
                late_for_code=late_for,
                **values,
            )
            rows[tuple(v for k, v in made.items() if k != "case_count")] = made
            if rng.random() < 0.5:
                made = floor(month, rng.randint(1, 12), body_id=body)
                rows[tuple(v for k, v in made.items() if k != "case_count")] = made
    return Office(DUE, list(rows.values()))


@pytest.fixture(scope="module", params=[1, 2])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Office, sqlite3.Connection]]:
    """A random office and its database, made once for all tests that only read."""
    office = random_office(request.param)
    root = tmp_path_factory.mktemp("random")
    instance = make_instance(root / "instance")
    backend = open_duckdb(root / "spill", threads=1)
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    connection = sqlite3.connect(build_database(instance))
    connection.row_factory = sqlite3.Row
    yield office, connection
    connection.close()
    backend.disconnect()


@pytest.mark.parametrize("column", PARENTS)
def test_year_totals_equal_a_recount(built: tuple[Office, sqlite3.Connection], column: str) -> None:
    """at_least, not_shown, at_most and total per body and year equal a plain count over the groups."""
    office, connection = built
    found = connection.execute(f"select * from total_by_{column}_v1").fetchall()
    for body in ("alef", "be"):
        mine = [row for row in office.groups if row["body_id"] == body]
        undated = sum(row["case_count"] for row in mine if row["period_code"] == "earlier")
        for year in ("1402", "1403"):
            rows = [row for row in mine if row["period_code"][:4] == year]
            listed = {r[COLUMNS[column]]: r for r in found if (r["body_id"], r["year_code"]) == (body, year)}
            values = [v for v in PARENTS[column] if column != "unit" or body == "alef" or v == "not_recorded"]
            assert set(listed) == set(values)
            for value in values:
                certain, possible, all_cases = recount(column, value, rows)
                row = listed[value]
                assert (row["at_least"], row["not_shown"], row["total"]) == (
                    certain,
                    possible + undated,
                    all_cases + undated,
                )
                assert row["at_most"] == row["at_least"] + row["not_shown"] <= row["total"]


@pytest.mark.parametrize("column", ["outcome", "lateness", "channel"])
def test_period_totals_leave_late_groups_apart(built: tuple[Office, sqlite3.Connection], column: str) -> None:
    """Per period only the cases released with it count, so that n is exact and final."""
    office, connection = built
    found = connection.execute(f"select * from total_by_{column}_period_v1").fetchall()
    assert found
    for row in found:
        rows = [
            g
            for g in office.groups
            if (g["body_id"], g["period_code"], g["late_for_code"]) == (row["body_id"], row["period_code"], None)
        ]
        assert (row["at_least"], row["not_shown"], row["total"]) == recount(column, row[COLUMNS[column]], rows)


def test_cases_of_an_open_season_count_in_their_year(database: Database) -> None:
    """Finished cases whose season is not released yet widen their own year by exactly their number, no other year."""
    due = ["1402-10", "1402-11", "1402-12", "1403-01", "1403-02"]
    season = group("1402-12", 30, period_code="1402-S4", outcome_code="not_held")
    waiting = {("1402-10", "alef", "foi"): 10, ("1402-11", "alef", "foi"): 20}
    waiting |= {("1403-01", "alef", "foi"): 7, ("1403-02", "alef", "foi"): 12}
    rows = database(Office(due, [season], awaiting=waiting)).execute(
        "select year_code, at_least, at_most, total from total_by_outcome_v1 where outcome_code = 'not_held'"
    )
    assert [tuple(row) for row in rows] == [("1402", 30, 30, 30), ("1403", 0, 12, 12)]


def test_late_cases_that_wait_may_belong_to_any_year(database: Database) -> None:
    """Cases that wait though all periods are released widen every year."""
    waiting = {(month, "alef", "foi"): 4 for month in ("1403-01", "1403-02")}
    office = Office(
        ["1402-12", "1403-01", "1403-02"], [group(m) for m in ("1402-12", "1403-01", "1403-02")], awaiting=waiting
    )
    rows = database(office).execute(
        "select year_code, at_least, at_most, total from total_by_outcome_v1 where outcome_code = 'not_held'"
    )
    assert [tuple(row) for row in rows] == [("1402", 0, 16, 16), ("1403", 0, 28, 28)]


@pytest.mark.parametrize("seed", range(5))
def test_every_possible_truth_lies_in_its_interval(built: tuple[Office, sqlite3.Connection], seed: int) -> None:
    """Whatever the hidden detail was, the true share of each outcome is inside [at_least, at_most] / total."""
    office, connection = built
    rng = random.Random(seed)
    leaves = [code for code in PARENTS["outcome"] if code not in ("positive", "negative")]
    truth: dict[tuple[str, str, str], int] = {}
    size: dict[tuple[str, str], int] = {}
    for row in office.groups:
        fitting = [
            leaf
            for leaf in leaves
            if row["outcome_code"] in (None, leaf) or row["outcome_code"] in coarser("outcome", leaf)
        ]
        year = rng.choice(["1402", "1403"]) if row["period_code"] == "earlier" else row["period_code"][:4]
        for _ in range(row["case_count"]):
            leaf = rng.choice(fitting)
            size[row["body_id"], year] = size.get((row["body_id"], year), 0) + 1
            for value in {leaf} | coarser("outcome", leaf):
                truth[row["body_id"], year, value] = truth.get((row["body_id"], year, value), 0) + 1
    for row in connection.execute("select * from total_by_outcome_v1"):
        pair = (row["body_id"], row["year_code"])
        if pair not in size:
            continue  # no case, no share
        share = truth.get((*pair, row["outcome_code"]), 0) / size[pair]
        assert row["at_least"] / row["total"] - 1e-9 <= share <= row["at_most"] / row["total"] + 1e-9


def test_ancestry_ends_in_a_circle() -> None:
    """A tree that bites its tail does not hang the build."""
    assert sorted(ancestry({"a": "b", "b": "a"})) == [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
