"""Exact tables beside the groups: what one gives away of the other when a reader subtracts them (law 2).

Four comparisons, each over every row that allows it:
- margin less groups: what is left of a body, case type and period is nothing, or cases that the margin counts as late or
  as waiting;
- statutory less groups: exact by the Act for its own case types (a declared limit), a leak for any other;
- every table of sums over groups (rollup, coverage and whatever comes later with `case_count`) equals the groups it sums;
- `total` of the database: what certainly has a value, by year, by period and by coarser value, differs by 0 or ≥ k.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from etl.audit.derived import Key, subtract_derived, sum_cases
from etl.audit.evidence import GROUPS, Evidence, open_database
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text
from etl.model.codes import EARLIER

NAME = "sums"
KIND = ("body_id", "case_type_code")
LATE, WAITS = "late_finished_count", "awaiting_count"
Row = dict[str, Any]
DIMENSIONS = {"outcome": "outcome_code"}


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Subtract every exact number from the groups below it; `seed` and `attempts` do not matter, nothing is drawn."""
    tally = Tally(NAME)
    _margin_less_groups(evidence, tally)
    _statutory_less_groups(evidence, tally)
    subtract_derived(evidence, tally)
    for path in evidence.databases[-1:]:
        with open_database(path) as connection:
            _totals(connection, evidence, tally)
    return tally.done()


def _margin_less_groups(evidence: Evidence, tally: Tally) -> None:
    """Months whose own period is released: finished - groups of the period, floor included, must leave nothing.

    What ended in a season or year and was seen in a later month of it is in its groups and in `late_finished_count`, and
    what was counted once and has since lost its place at the source, or its day, waits in `awaiting_count`, both exact by
    law: as many more may be grouped as came late, or waited before the period; as many fewer as wait after it.
    """
    margin = evidence.table("margin")
    for name in evidence.populations:
        column = {GROUPS: "finished_count", "cohort_group": "registered_count"}.get(name)
        group = evidence.partition(name)
        if column is None or not {"period_code", "late_for_code"} <= set(group.column_names):
            continue
        grouped = sum_cases(
            group.filter(pc.is_null(group["late_for_code"])), ("body_id", "case_type_code", "period_code")
        )
        months = _months_of(evidence)
        parts: dict[Key, list[Row]] = {}
        waiting: dict[tuple[str, ...], int] = {}
        for row in margin.select([*KIND, "month_code", column, LATE, WAITS]).sort_by("month_code").to_pylist():
            kind = (row["body_id"], row["case_type_code"])
            for period in months.get(row["month_code"], ()):
                if (*kind, period) in grouped:
                    parts.setdefault((*kind, period), []).append({**row, "before": waiting.get(kind, 0)})
            waiting[kind] = row[WAITS] or 0
        for key, counts in sorted(parts.items()):
            tally.tried()
            more = grouped[key] - sum(row[column] for row in counts)
            least, most = _explained(counts) if name == GROUPS else (0, 0)
            left = 0 if least <= more <= most else abs(more)
            if len(counts) < len(_period_months(months, key[2])):
                continue  # a period that began before the first month there is
            tally.limit("volume", int(more != 0 and not left))
            if 0 < left < evidence.k:
                where = key_text(dict(zip(("body_id", "case_type_code", "period_code"), key, strict=True)))
                tally.hit("remainder", tables=("margin", name), where=where)
            elif left:
                tally.limit("volume")
    for column in margin.column_names:
        if column.endswith("_count"):
            small = pc.and_(pc.greater(margin[column], 0), pc.less(margin[column], evidence.k))
            tally.limit("margin", int(pc.sum(small).as_py() or 0))


def _explained(months: Sequence[Row]) -> tuple[int, int]:
    """Say how many more may be grouped than finished in the months of a period, in order: from (fewer: below 0), to."""
    late = sum(row[LATE] or 0 for row in months[1:])
    return -(months[-1][WAITS] or 0), late + int(months[0]["before"])


def _statutory_less_groups(evidence: Evidence, tally: Tally) -> None:
    """Yearly exact cells - groups that surely lie in them: the size of what groups hide."""
    statutory = evidence.table("statutory")
    columns = ("body_id", "case_type_code", "year_code", "value_code")
    for dimension, column in _dimensions(evidence).items():
        shown = _shown_by_year(evidence, column)
        rows = statutory.filter(pc.equal(statutory["dimension_code"], dimension)).select([*columns, "case_count"])
        for row in rows.to_pylist() if _covers_years(evidence) else ():
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


def _totals(connection: sqlite3.Connection, evidence: Evidence, tally: Tally) -> None:
    """The table `total` of the database: at_least by value, and year less its periods."""
    if connection.execute("select 1 from sqlite_master where name = 'total'").fetchone() is None:
        return
    keys = "column_code, body_id, case_type_code, year_code, value_code"
    query = f"select total_id, scope_code, at_least, not_shown, {keys} from total"
    years: dict[Key, tuple[int, int]] = {}
    periods: Counter[Key] = Counter()
    for total_id, scope, at_least, not_shown, *key in connection.execute(query):
        tally.tried()
        if 0 < at_least < evidence.k:
            tally.hit("small_count", tables=("total",), where=f"total_id = {total_id}")
        tally.limit("not_shown", int(0 < not_shown < evidence.k))
        if scope == "year":
            years[tuple(key)] = (total_id, at_least)
        else:
            periods[tuple(key)] += at_least
    for key, (total_id, at_least) in years.items():
        tally.tried()
        if key in periods and 0 < at_least - periods[key] < evidence.k:
            tally.hit("small_count", tables=("total",), where=f"total_id = {total_id} less its periods")


def _covers_years(evidence: Evidence) -> bool:
    """Say whether the releases begin with the first ever: else some groups of a year are not at hand."""
    return evidence.releases[0].number == 1


def _dimensions(evidence: Evidence) -> dict[str, str]:
    headline = evidence.newest.policy.get("clocks", {}).get("headline")
    return {**DIMENSIONS, f"lateness_{headline}": "lateness_code"} if headline else dict(DIMENSIONS)


def _statutory_types(evidence: Evidence) -> set[str]:
    return {
        kind for policy in evidence.policies.values() for kind in policy.get("statutory", {}).get("case_types") or ()
    }


def _shown_by_year(evidence: Evidence, column: str) -> dict[Key, int]:
    group = evidence.partition(GROUPS)
    dated = group.filter(pc.and_(pc.not_equal(group["period_code"], EARLIER), pc.is_valid(group[column])))
    dated = dated.append_column("year_code", pc.utf8_slice_codeunits(dated["period_code"], 0, 4))
    # the table is released with the year's last month; who was late for the year came after it, and is not in it
    last = pc.binary_join_element_wise(dated["year_code"], "12", "-")
    dated = dated.filter(pc.or_(pc.is_null(dated["late_for_code"]), pc.less_equal(dated["release_id"], last)))
    return sum_cases(dated, ("body_id", "case_type_code", "year_code", column))


def _months_of(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Give the periods (month, season, year) that each month belongs to."""
    days = evidence.table("calendar_day").select(["month_code", "season_code", "year_code"])
    rows = days.group_by(days.column_names).aggregate([]).to_pylist()
    return {row["month_code"]: (row["month_code"], row["season_code"], row["year_code"]) for row in rows}


def _period_months(months: Mapping[str, Iterable[str]], period: str) -> list[str]:
    return [month for month, periods in months.items() if period in periods]
