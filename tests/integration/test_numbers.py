"""The published figures of a small office agree with a naive recount of its staged cases, and the laws hold in SQL."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing

import pytest

from portal.catalogue import load_queries
from tests.integration import recount
from tests.integration.conftest import Built
from tests.integration.recount import Office, Row, query


@pytest.fixture(scope="module")
def office(built: Built) -> Office:
    """The staged cases in plain Python."""
    return recount.read_office(built.instance.staging, built.instance.settings.policy.margins.join_small)


@pytest.fixture(scope="module")
def released(built: Built) -> list[str]:
    """The months that were released."""
    return [
        row["release_id"] for row in query(built.database, "select release_id from release order by release_number")
    ]


@pytest.fixture(scope="module")
def placed(built: Built, office: Office) -> dict[int, list[Row]]:
    """The cases of each group, by the private placements."""
    by_key = {case["case_key"]: case for case in office.cases}
    groups: dict[int, list[Row]] = defaultdict(list)
    for path in sorted(built.instance.placement.glob("*.parquet")):
        for row in recount.pq.ParquetFile(path).read().to_pylist():
            if row["population_code"] == "finished" and row["case_group_id"] is not None:
                groups[row["case_group_id"]].append(by_key[row["case_key"]])
    return groups


def test_every_group_has_k_cases(built: Built) -> None:
    """Law 1, as anyone can check it."""
    (row,) = query(
        built.database, "select min(case_count) as smallest, count(*) as n from case_group where not is_floor"
    )
    assert row["n"] > 20
    assert row["smallest"] >= built.instance.settings.policy.k


def test_nothing_is_lost(built: Built, office: Office, released: list[str]) -> None:
    """Law 3: at every release, groups and floor so far and those awaiting are the finished cases so far."""
    calendar = recount.months_of(built.database)
    for release in released:
        finished = Counter(
            (case["body_id"], case["case_type_code"])
            for case in office.cases
            if case["finished_on"] is not None and calendar[case["finished_on"]]["month_code"] <= release
        )
        said: Counter[tuple[str, str]] = Counter()
        for row in query(
            built.database,
            f"""select body_id, case_type_code, sum(n) as n from (
                  select body_id, case_type_code, case_count as n from case_group where release_id <= '{release}'
                  union all
                  select body_id, case_type_code, awaiting_count from margin where release_id = '{release}')
                group by 1, 2""",
        ):
            said[row["body_id"], row["case_type_code"]] = row["n"]
        assert +said == +finished, release


def test_monthly_counts_agree(built: Built, office: Office, released: list[str]) -> None:
    """Registered and finished of every month, body and type are exact."""
    calendar = recount.months_of(built.database)
    rows = query(built.database, "select * from margin")
    for column, name in (("registered_on", "registered"), ("finished_on", "finished")):
        said = Counter(
            {(row["month_code"], row["body_id"], row["case_type_code"]): row[f"{name}_count"] for row in rows}
        )
        assert +said == recount.count_by_month(office, column, calendar, released), name


def test_the_margin_identity_closes(built: Built) -> None:
    """Open before, plus what came, minus what went, is open after; in every month."""
    wrong = query(
        built.database,
        """with stock as (
             select *, lag(open_count, 1, 0) over (partition by body_id, case_type_code order by month_code) as before
             from margin)
           select month_code, body_id from stock
           where before + registered_count + late_registered_count + reopened_count
                 - finished_count - late_finished_count - withdrawn_count <> open_count""",
    )
    assert wrong == []


def test_there_is_one_floor_row_at_most(built: Built) -> None:
    """A body, type and period has one floor row a release, without values."""
    assert (
        query(
            built.database,
            """select release_id from case_group where is_floor
           group by release_id, body_id, period_code, case_type_code, late_for_code having count(*) > 1""",
        )
        == []
    )
    assert (
        query(
            built.database,
            """select case_group_id from case_group where is_floor and coalesce(service_id, unit_id, outcome_code, lateness_code,
             duration_band_code, channel_code, trace_id, is_loop, wait_median_days) is not null""",
        )
        == []
    )


def test_the_statutory_table_is_exact(built: Built, office: Office) -> None:
    """Yearly counts of the body's acts equal the staged cases."""
    calendar = recount.months_of(built.database)
    rows = query(
        built.database, "select * from statutory where dimension_code in ('outcome', 'lateness_bylaw', 'lateness_law')"
    )
    assert rows
    said = Counter(
        {
            (r["dimension_code"], r["year_code"], r["body_id"], r["case_type_code"], r["value_code"]): r["case_count"]
            for r in rows
        }
    )
    years = {row["year_code"] for row in rows}
    true: Counter[recount.Key] = Counter()
    for case in office.cases:
        year = calendar[case["finished_on"]]["year_code"] if case["finished_on"] is not None else None
        if year in years and case["case_type_code"] == "foi":
            for dimension in ("outcome", "lateness_bylaw", "lateness_law"):
                value = case[f"{dimension}_code"] or "not_recorded"
                true[dimension, year, case["body_id"], case["case_type_code"], value] += 1
    assert +said == +true


@pytest.mark.parametrize(
    ("view", "column", "tree"),
    [
        ("total_by_outcome_v1", "outcome_code", "outcome"),
        ("total_by_lateness_v1", "lateness_bylaw_code", ""),
        ("total_by_channel_v1", "channel_code", ""),
        ("total_by_service_v1", "service_id", "service"),
        ("total_by_unit_v1", "unit_id", "unit"),
    ],
)
def test_every_true_count_lies_in_its_interval(
    built: Built, office: Office, released: list[str], view: str, column: str, tree: str
) -> None:
    """Law 5: at_least ≤ true ≤ at_most for every value of every body, type and year."""
    calendar = recount.months_of(built.database)
    parents = recount.parents_of(built.database).get(tree, {})
    true: Counter[recount.Key] = Counter()
    for case in office.cases:
        day = case["finished_on"]
        if day is not None and calendar[day]["month_code"] in released:
            for value in recount.ancestors(parents, case[column] or "not_recorded"):
                true[case["body_id"], case["case_type_code"], calendar[day]["year_code"], str(value)] += 1
    name = column.replace("_bylaw", "")
    rows = query(built.database, f"select * from {view}")
    assert rows
    wrong = [
        row
        for row in rows
        if not row["at_least"]
        <= true[row["body_id"], row["case_type_code"], row["year_code"], row[name]]
        <= row["at_most"]
    ]
    assert wrong == []


def test_nothing_is_invented(built: Built, placed: dict[int, list[Row]]) -> None:
    """Law 4: each case of a group agrees with every value that the group's row shows."""
    trees = recount.parents_of(built.database)
    calendar = recount.months_of(built.database)
    groups = query(built.database, "select * from case_group")
    assert {group["case_group_id"] for group in groups} == set(placed)
    for group in groups:
        cases = placed[group["case_group_id"]]
        assert len(cases) == group["case_count"]
        for case in cases:
            assert _disagreement(group, case, trees) is None
            parts = calendar[case["finished_on"]]
            assert group["period_code"] in (parts["month_code"], parts["season_code"], parts["year_code"], "earlier")


def test_order_statistics_are_those_of_the_cases(built: Built, placed: dict[int, list[Row]]) -> None:
    """Quartiles of waits are nearest ranks over the group's cases, and only where enough people stand on each side."""
    k = built.instance.settings.policy.k
    for group in query(built.database, "select * from case_group where not is_floor"):
        cases = placed[group["case_group_id"]]
        is_enough = sum(case["wait_days"] is not None for case in cases) >= k
        expected = recount.quartiles(cases) if is_enough else dict.fromkeys(recount.QUARTILES)
        assert {name: group[name] for name in recount.QUARTILES} == expected


def test_waits_of_a_year_are_those_of_whole_groups(built: Built, placed: dict[int, list[Row]]) -> None:
    """Law 2: what a reader selects by published columns has `scope_count` cases, and the figures of exactly those cases."""
    selected = query(
        built.database,
        """select d.*, g.case_group_id, g.case_count from duration d join case_group g on g.body_id = d.body_id
          and substr(g.period_code, 1, 4) = d.year_code and g.release_id <= d.release_id and g.replaces_id is null
          and (d.case_type_code is null or g.case_type_code = d.case_type_code)
          and (d.service_id is null or (g.service_id = d.service_id and g.service_level = 'leaf'))
        where d.service_level is null or d.service_level = 'leaf'""",
    )
    rows = {row["duration_id"]: row for row in selected}
    assert {row["service_level"] for row in rows.values()} == {None, "leaf"}
    for number, row in rows.items():
        groups = [group for group in selected if group["duration_id"] == number]
        assert row["scope_count"] == sum(group["case_count"] for group in groups)
        cases = [case for group in groups for case in placed[group["case_group_id"]]]
        expected = recount.quartiles(cases)
        assert all(row[name] in (None, expected[name]) for name in recount.QUARTILES)


def test_shown_timelines_are_those_of_the_cases(built: Built, office: Office, placed: dict[int, list[Row]]) -> None:
    """A group's trace is the sequence of each of its cases, at the level it names."""
    traces: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    for row in query(built.database, "select * from trace_step order by trace_id, step_number"):
        traces[row["trace_id"]].append((row["activity_code"], row["unit_id"]))
    shown = query(
        built.database, "select case_group_id, trace_id, trace_level from case_group where trace_id is not null"
    )
    assert shown
    for group in shown:
        for case in placed[group["case_group_id"]]:
            assert recount.steps(office.events[case["case_key"]], group["trace_level"]) == traces[group["trace_id"]]


def _disagreement(group: Row, case: Row, trees: dict[str, dict[str, str | None]]) -> str | None:
    """Name the first column in which a case contradicts its group; None where it does not."""
    plain = {
        "body_id": "body_id",
        "case_type_code": "case_type_code",
        "lateness_code": "lateness_bylaw_code",
        "channel_code": "channel_code",
    }
    for shown, own in plain.items():
        if group[shown] is not None and group[shown] != (case[own] or "not_recorded"):
            return shown
    for name, column in (("service", "service_id"), ("unit", "unit_id"), ("outcome", "outcome_code")):
        if group[column] is not None and group[column] not in recount.ancestors(
            trees[name], case[column] or "not_recorded"
        ):
            return column
    if group["is_loop"] is not None and bool(group["is_loop"]) != bool(case["is_loop"]):
        return "is_loop"
    band = group["duration_band_code"]
    return "duration_band_code" if band is not None and not recount.in_band(band, case["wait_days"]) else None


@pytest.mark.parametrize("name", ["stage_days", "units_waiting", "service_steps"])
def test_a_query_about_a_body_does_not_walk_the_steps_of_all(built: Built, name: str) -> None:
    """Groups are found first, then the steps of these by their index: a nation has millions of steps."""
    asked = load_queries()[name]
    with closing(sqlite3.connect(built.database)) as connection:
        named = dict.fromkeys(asked.parameters, "x")
        plan = [row[-1] for row in connection.execute(f"explain query plan {asked.sql}", named)]
    names = re.findall(r"case_group_step (\w+)", asked.sql)
    assert [step for step in plan if step in {f"SCAN {each}" for each in names}] == []
