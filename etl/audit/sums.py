"""Exact tables beside the groups: what one gives away of the other when a reader subtracts them (law 2).

Four comparisons, each over every row that allows it:
- margin less groups: what is left of a body, case type and period is nothing;
- statutory less groups: exact by the Act for its own case types (a declared limit), a leak for any other;
- every table of sums over groups (rollup, coverage and whatever comes later with `case_count`) equals the groups it sums;
- `total` of the database: what certainly has a value, by year, by period and by coarser value, differs by 0 or ≥ k.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.evidence import Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text

NAME = "sums"
GROUPS = "case_group"
EXACT = ("margin", "statutory")
DIMENSIONS = {"outcome": "outcome_code"}
Key = tuple[Any, ...]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Subtract every exact number from the groups below it; `seed` and `attempts` do not matter, nothing is drawn."""
    tally = Tally(NAME)
    _margin_less_groups(evidence, tally)
    _statutory_less_groups(evidence, tally)
    for name in _tables_of_sums(evidence):
        _sums_of_whole_groups(name, evidence, tally)
    for path in evidence.databases[-1:]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            _totals(connection, evidence, tally)
    return tally.done()


def _margin_less_groups(evidence: Evidence, tally: Tally) -> None:
    """Months whose own period is released: finished - groups of the period, floor included, must leave nothing."""
    margin = evidence.table("margin")
    for name in evidence.populations:
        column = {"case_group": "finished_count", "cohort_group": "registered_count"}.get(name)
        group = evidence.table(name)
        if column is None or not {"period_code", "late_for_code"} <= set(group.column_names):
            continue
        grouped = _sum(group.filter(pc.is_null(group["late_for_code"])), ("body_id", "case_type_code", "period_code"))
        months = _months_of(evidence)
        parts: dict[Key, list[int]] = {}
        for row in margin.select(["body_id", "case_type_code", "month_code", column]).to_pylist():
            for period in months.get(row["month_code"], ()):
                key = (row["body_id"], row["case_type_code"], period)
                if key in grouped:
                    parts.setdefault(key, []).append(row[column])
        for key, counts in sorted(parts.items()):
            tally.tried()
            left = abs(sum(counts) - grouped[key])
            if 0 < left < evidence.k and len(counts) == len(_period_months(months, key[2])):
                where = key_text(dict(zip(("body_id", "case_type_code", "period_code"), key, strict=True)))
                tally.hit("remainder", tables=("margin", name), where=where)
            elif left:
                tally.limit("volume")
    for column in margin.column_names:
        if column.endswith("_count"):
            small = pc.and_(pc.greater(margin[column], 0), pc.less(margin[column], evidence.k))
            tally.limit("margin", int(pc.sum(small).as_py() or 0))


def _statutory_less_groups(evidence: Evidence, tally: Tally) -> None:
    """Yearly exact cells - groups that surely lie in them: the size of what groups hide."""
    statutory = evidence.table("statutory")
    columns = ("body_id", "case_type_code", "year_code", "value_code")
    for dimension, column in _dimensions(evidence).items():
        shown = _shown_by_year(evidence, column)
        rows = statutory.filter(pc.equal(statutory["dimension_code"], dimension)).select([*columns, "case_count"])
        for row in rows.to_pylist():
            tally.tried()
            key = tuple(row[name] for name in columns)
            hidden = row["case_count"] - shown.get(key, 0)
            _judge_statutory(row, hidden, evidence, tally, where=f"dimension_code = '{dimension}'")
    declared = _statutory_types(evidence)
    for row in statutory.to_pylist():
        if row["case_type_code"] not in declared:
            tally.hit("undeclared_exact", tables=("statutory",), where=f"statutory_id = {row['statutory_id']}")
        elif 0 < row["case_count"] < evidence.k:
            tally.limit("statutory")


def _judge_statutory(row: Mapping[str, Any], hidden: int, evidence: Evidence, tally: Tally, *, where: str) -> None:
    if not 0 < hidden < evidence.k:
        return
    if row["case_type_code"] in _statutory_types(evidence):
        tally.limit("statutory_less_groups")
    else:
        keys = {name: row[name] for name in ("body_id", "case_type_code", "year_code", "value_code")}
        tally.hit("hidden_value", tables=("statutory", GROUPS), where=f"{where} and {key_text(keys)}")


def _sums_of_whole_groups(name: str, evidence: Evidence, tally: Tally) -> None:
    """A table of sums must be the sums that anybody makes of the groups; anything else is a second partition."""
    table, group = evidence.table(name), evidence.table(GROUPS)
    columns = tuple(
        column for column in table.column_names if column in group.column_names and not _is_figure(column, name)
    )
    if not columns:
        return
    groups, floors = _sum(group, columns), _sum(group.filter(group["is_floor"]), columns)
    for key, count in sorted(_sum(table, columns).items(), key=repr):
        tally.tried()
        where = key_text(dict(zip(columns, key, strict=True)))
        if count != groups.get(key, 0):
            tally.hit("second_partition", tables=(name, GROUPS), where=where)
        elif 0 < count < evidence.k:
            if count == floors.get(key, 0):
                tally.limit("floor")
            else:
                tally.hit("small_count", tables=(name,), where=where)


def _totals(connection: sqlite3.Connection, evidence: Evidence, tally: Tally) -> None:
    """The table `total` of the database: at_least by value, and year less its periods."""
    if connection.execute("select 1 from sqlite_master where name = 'total'").fetchone() is None:
        return
    query = "select total_id, at_least, not_shown from total"
    for total_id, at_least, not_shown in connection.execute(query):
        tally.tried()
        if 0 < at_least < evidence.k:
            tally.hit("small_count", tables=("total",), where=f"total_id = {total_id}")
        if 0 < not_shown < evidence.k:
            tally.limit("not_shown")
    differences = connection.execute(
        "select y.total_id, y.at_least - sum(p.at_least) from total y join total p"
        " using (column_code, body_id, case_type_code, year_code, value_code)"
        " where y.scope_code = 'year' and p.scope_code = 'period' group by y.total_id"
    )
    for total_id, difference in differences:
        tally.tried()
        if 0 < difference < evidence.k:
            tally.hit("small_count", tables=("total",), where=f"total_id = {total_id} less its periods")


def _tables_of_sums(evidence: Evidence) -> list[str]:
    return [
        name
        for name, table in evidence.tables.items()
        if name not in (*evidence.populations, *EXACT) and "case_count" in table.column_names and table.num_rows
    ]


def _is_figure(column: str, table: str) -> bool:
    return column.endswith(("_count", "_days")) or column in (f"{table}_id", f"{GROUPS}_id", "timed_band_code")


def _dimensions(evidence: Evidence) -> dict[str, str]:
    headline = evidence.newest.policy.get("clocks", {}).get("headline")
    return {**DIMENSIONS, f"lateness_{headline}": "lateness_code"} if headline else dict(DIMENSIONS)


def _statutory_types(evidence: Evidence) -> set[str]:
    return {
        kind for policy in evidence.policies.values() for kind in policy.get("statutory", {}).get("case_types") or ()
    }


def _shown_by_year(evidence: Evidence, column: str) -> dict[Key, int]:
    group = evidence.table(GROUPS)
    dated = group.filter(pc.and_(pc.not_equal(group["period_code"], "earlier"), pc.is_valid(group[column])))
    dated = dated.append_column("year_code", pc.utf8_slice_codeunits(dated["period_code"], 0, 4))
    # the table is released with the year's last month; who was late for the year came after it, and is not in it
    last = pc.binary_join_element_wise(dated["year_code"], "12", "-")
    dated = dated.filter(pc.or_(pc.is_null(dated["late_for_code"]), pc.less_equal(dated["release_id"], last)))
    return _sum(dated, ("body_id", "case_type_code", "year_code", column))


def _months_of(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Give the periods (month, season, year) that each month belongs to."""
    days = evidence.table("calendar_day").select(["month_code", "season_code", "year_code"])
    rows = days.group_by(days.column_names).aggregate([]).to_pylist()
    return {row["month_code"]: (row["month_code"], row["season_code"], row["year_code"]) for row in rows}


def _period_months(months: Mapping[str, Iterable[str]], period: str) -> list[str]:
    return [month for month, periods in months.items() if period in periods]


def _sum(table: pa.Table, columns: tuple[str, ...]) -> Counter[Key]:
    rows = table.group_by(list(columns)).aggregate([("case_count", "sum")]).to_pylist()
    return Counter({tuple(row[name] for name in columns): row["case_count_sum"] for row in rows})
