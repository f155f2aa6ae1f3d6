"""Stock and flow: what the identity tells of each table is seen, and masked where enough is hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from etl.audit import Evidence, flows, programme
from tests.audit.conftest import learnt, planted

MONTHS = [f"{year}-{month:02}" for year in (1402, 1403) for month in range(1, 13)]
PLACE = {"body_id": "alef", "case_type_code": "foi"}


def _margins(evidence: Evidence, *, registered: int, finished: int) -> pa.Table:
    schema, stock, rows = evidence.table("margin").schema, 1000, []
    for month in MONTHS:
        stock += registered - finished
        row: dict[str, Any] = dict.fromkeys(schema.names, 0)
        row |= {**PLACE, "release_id": month, "month_code": month, "open_count": stock}
        rows.append(row | {"registered_count": registered, "finished_count": finished})
    return pa.Table.from_pylist(rows, schema=schema)


def _groups(name: str, shown: dict[tuple[str, str | None], int]) -> pa.Table:
    rows = [
        {**PLACE, "release_id": "1403-03", "period_code": period, "service_id": service, "case_count": count}
        | {f"{name}_id": place, "late_for_code": None, "is_floor": False, "rung_number": 6}
        | {"outcome_code": None, "lateness_code": "on_time"}
        for place, ((period, service), count) in enumerate(shown.items(), 1)
    ]
    schema = pa.schema(
        [
            *((field, pa.string()) for field in (*PLACE, "release_id", "period_code", "service_id", "late_for_code")),
            *((field, pa.string()) for field in ("outcome_code", "lateness_code")),
            *((field, pa.int64()) for field in ("case_count", "rung_number")),
            (f"{name}_id", pa.int64()),
            ("is_floor", pa.bool_()),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _four_tables(evidence: Evidence, *, hidden: int) -> Evidence:
    """Permits and welfare: 1200 came and 1200 went in 1403; `hidden` cases show no service in each of the four tables."""
    permits = {"before": 500, "came": 600, "went": 593, "after": 500}  # seven permits more went than are shown
    table = _margins(evidence, registered=100, finished=100)

    def groups(name: str, period: str, term: str, total: int) -> dict[tuple[str, str | None], int]:
        shown = permits[term] - (hidden if term != "went" else max(0, hidden - 7))
        rest = total - shown - (7 if term == "went" else 0) - hidden
        return {
            (period, "permits"): shown,
            (period, "welfare"): rest,
            (period, None): hidden + (7 if term == "went" else 0),
        }

    stock = groups("open_group", "1402-12", "before", 1000) | groups("open_group", "1403-12", "after", 1000)
    finished = _groups("case_group", groups("case_group", "1403", "went", 1200))
    tables = {
        **evidence.tables,
        "margin": table,
        "open_group": _groups("open_group", stock),
        "cohort_group": _groups("cohort_group", groups("cohort_group", "1403", "came", 1200)),
        "case_group": pa.Table.from_pylist(finished.to_pylist(), schema=evidence.table("case_group").schema),
    }
    return replace(evidence, tables=tables, databases=())


def _attack(evidence: Evidence) -> Any:
    return flows.attack(evidence, seed=1, attempts=1)


def test_a_clean_office_closes(evidence: Evidence) -> None:
    """Months follow one another to the case."""
    attack = _attack(evidence)
    assert attack.hit_count == 0
    assert attack.attempts > 0


def test_a_case_that_left_the_stock_silently_is_seen(evidence: Evidence) -> None:
    """An identity that is open by one case counts that case."""

    def lost(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [rows[0] | {"open_count": rows[0]["open_count"] + 1}, *rows[1:]]

    assert learnt(_attack(planted(evidence, {"margin": lost}))) == {"flow_gap"}


def test_what_three_tables_tell_of_the_fourth_is_seen(evidence: Evidence) -> None:
    """Where nothing else is hidden, seven finished permits without their service are known exactly."""
    assert "hidden_value" in learnt(_attack(_four_tables(evidence, hidden=0)))
    assert "hidden_value" in learnt(programme.attack(_four_tables(evidence, hidden=0), seed=1, attempts=1))


def test_enough_hidden_rows_mask_the_identity(evidence: Evidence) -> None:
    """With forty hidden cases in each table, nothing below k is certain."""
    assert _attack(_four_tables(evidence, hidden=40)).hit_count == 0
    assert programme.attack(_four_tables(evidence, hidden=40), seed=1, attempts=1).hit_count == 0


@pytest.mark.parametrize(("floor", "first"), [(0, True), (0, False), (12, True)])
def test_the_middle_of_a_year_is_solved_as_well(evidence: Evidence, floor: int, *, first: bool) -> None:
    """Spring: 60 came, 40 of them permits; 53 went, 36 of them permits. Four of those still open are permits."""
    schema, rows = evidence.table("margin").schema, []
    for month, came, went, stock in (("1403-04", 0, 0, 2), ("1403-05", 60 + floor, 53, 9 + floor)):
        row: dict[str, Any] = dict.fromkeys(schema.names, 0)
        row |= {**PLACE, "release_id": month, "month_code": month, "open_count": stock}
        rows.append(row | {"registered_count": came, "finished_count": went})
    rows[0] |= {"registered_count": 2}
    came, went = ({("1403-05", "permits"): n, ("1403-05", "welfare"): m} for n, m in ((40, 20), (36, 17)))
    if not first:  # a second family nowhere: the body has one service, and everybody knows it
        came, went = {("1403-05", "permits"): 60}, {("1403-05", "permits"): 53}
    tables = {
        **evidence.tables,
        "margin": pa.Table.from_pylist(rows, schema=schema),
        "cohort_group": _groups("cohort_group", came),
        "case_group": pa.Table.from_pylist(
            _groups("case_group", went).to_pylist(), schema=evidence.table("case_group").schema
        ),
    }
    attack = _attack(replace(evidence, tables=tables, databases=()))
    assert learnt(attack) == ({"hidden_value"} if first and not floor else set())
    assert all("from 1403-0" in hit.where for hit in attack.findings)


@pytest.mark.parametrize("column", ["service_id", "channel_code"])
def test_services_of_one_family_and_channels_are_solved_as_well(evidence: Evidence, column: str) -> None:
    """Sixty came and went, nothing is open: forty came with a value, 36 went with it, twenty came and went with another."""
    schema = evidence.table("margin").schema
    row = dict.fromkeys(schema.names, 0) | {**PLACE, "release_id": "1403-05", "month_code": "1403-05"}
    row |= {"registered_count": 60, "finished_count": 60}
    services = [{"service_id": "permits", "parent_id": None}]
    services += [{"service_id": name, "parent_id": "permits"} for name in ("build", "shop")]

    def shown(name: str, count: int) -> pa.Table:
        rows = _groups(name, {("1403-05", "build"): count, ("1403-05", "shop"): 20}).to_pylist()
        if column == "channel_code":
            rows = [{**each, "service_id": None, column: each["service_id"]} for each in rows]
        return pa.Table.from_pylist(rows, schema=evidence.table(name).schema)

    tables = {
        **evidence.tables,
        "margin": pa.Table.from_pylist([row], schema=schema),
        "service": pa.Table.from_pylist(services),
        "cohort_group": shown("cohort_group", 40),
        "case_group": shown("case_group", 36),
        "open_group": evidence.table("open_group").slice(0, 0),
    }
    attack = _attack(replace(evidence, tables=tables, databases=()))
    assert learnt(attack) == {"hidden_value"}
    assert all(f"{column} = 'build'" in hit.where for hit in attack.findings)


def test_open_stock_by_detail_twice_a_year_is_seen(evidence: Evidence) -> None:
    """Two month ends of one year differ by who came and who went."""
    twice = _groups("open_group", {("1403-11", "permits"): 40, ("1403-12", "permits"): 33})
    leak = replace(evidence, tables={**evidence.tables, "open_group": twice})
    assert learnt(_attack(leak)) == {"stock_too_often"}


@pytest.mark.parametrize(("late", "forced"), [(166, 1), (100, 0)])
def test_two_dimensions_of_the_statutory_table_are_a_counted_limit(evidence: Evidence, late: int, forced: int) -> None:
    """Frechet: 130 granted and 166 late of 169 leave at least 127; two not held and 166 late at least none."""

    def more(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        other = rows[0] | {"dimension_code": "lateness_bylaw", "statutory_id": 39_000_001}
        return [*rows, other | {"value_code": "late", "case_count": late + 2 * forced}]

    attack = _attack(planted(evidence, {"statutory": more}))
    assert attack.hit_count == 0
    assert attack.limits.get("statutory_frechet", 0) == forced
