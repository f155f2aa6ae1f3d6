"""Tables that say they are sums of whole groups: each must be the sum that anybody makes of the groups (law 2).

A table computed apart over all cases, even one that shows no cell below k, differs from the groups by single cases
(research: 162 of 313 cells). Two forms: a table with columns of the groups (`case_group_rollup`), and a table with
`column_code` that says how many cases keep a detail (`coverage`, `representativeness`). Times are looked at by `times`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.candidates import COLUMNS
from etl.audit.evidence import GROUPS, Evidence
from etl.audit.finding import Tally
from etl.audit.selections import key_text

EXACT = ("margin", "statutory")
ON_TIME = "on_time"
Key = tuple[Any, ...]


def subtract_derived(evidence: Evidence, tally: Tally) -> None:
    """Compare every table of sums with the groups; a difference is a second partition."""
    for name, table in evidence.tables.items():
        if name in (*evidence.populations, *EXACT) or not table.num_rows:
            continue
        if "column_code" in table.column_names:
            _kept_details(name, evidence, tally)
        elif "case_count" in table.column_names:
            _sums_by_columns(name, evidence, tally)


def sum_cases(table: pa.Table, columns: tuple[str, ...]) -> Counter[Key]:
    """Sum `case_count` by columns; NULL is a value."""
    rows = table.group_by(list(columns), use_threads=False).aggregate([("case_count", "sum")]).to_pylist()
    return Counter({tuple(row[name] for name in columns): row["case_count_sum"] for row in rows})


def _sums_by_columns(name: str, evidence: Evidence, tally: Tally) -> None:
    table, group = evidence.table(name), evidence.table(GROUPS)
    columns = tuple(c for c in table.column_names if c in group.column_names and not _is_figure(c))
    if not columns:
        return
    groups, floors = sum_cases(group, columns), sum_cases(group.filter(group["is_floor"]), columns)
    for key, count in sorted(sum_cases(table, columns).items(), key=repr):
        _compare(name, dict(zip(columns, key, strict=True)), count, groups[key], floors[key], evidence, tally)


def _kept_details(name: str, evidence: Evidence, tally: Tally) -> None:
    table = evidence.table(name)
    keys = tuple(c for c in ("release_id", "body_id", "case_type_code") if c in table.column_names)
    sums = {column: _by_detail(evidence, column, keys) for column in COLUMNS}
    for row in table.to_pylist():
        place = tuple(row[key] for key in keys)
        where = {key: row[key] for key in keys} | {"column_code": row["column_code"]}
        lines = sums.get(row["column_code"], {}).get(place, [])
        for figure, chosen in _figures(row, lines):
            true, floor = (sum(line["case_count_sum"] for line in part) for part in (chosen, _floors(chosen)))
            _compare(name, where | {"figure": figure}, row[figure], true, floor, evidence, tally)


def _by_detail(evidence: Evidence, column: str, keys: tuple[str, ...]) -> dict[Key, list[dict[str, Any]]]:
    group = evidence.partition(GROUPS)
    shown = group.append_column("_kept", pc.is_valid(group[COLUMNS[column][0]]))
    level = f"{column}_level" if f"{column}_level" in group.column_names else "rung_number"
    parts = list(dict.fromkeys([*keys, "release_id", "_kept", "is_floor", "lateness_code", level]))
    found: dict[Key, list[dict[str, Any]]] = {}
    for line in shown.group_by(parts, use_threads=False).aggregate([("case_count", "sum")]).to_pylist():
        shown_at = _level_of(line, column, evidence) if level == "rung_number" else line[level]
        found.setdefault(tuple(line[key] for key in keys), []).append(line | {"_level": shown_at})
    return found


def _level_of(line: dict[str, Any], column: str, evidence: Evidence) -> str | None:
    """Give the level at which the rung of a group shows a column; None where the ladder does not say."""
    ladder = evidence.policies[line["release_id"]].get("ladder") or ()
    rung: int = line["rung_number"]
    return ladder[rung - 1].get(column) if rung <= len(ladder) else None


def _figures(row: dict[str, Any], lines: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Which groups each figure of a row should be the sum of."""
    is_kept = row.get("is_kept", True)
    own = [line for line in lines if line["_kept"] == is_kept]
    if row.get("level_code") is not None:
        own = [line for line in own if line["_level"] in (None, row["level_code"])]
    figures = {
        "kept_count": own,
        "scope_count": own if "is_kept" in row else lines,
        "on_time_at_least_count": [line for line in own if line["lateness_code"] == ON_TIME],
        "on_time_at_most_count": [line for line in own if line["lateness_code"] in (ON_TIME, None)],
    }
    return [(name, chosen) for name, chosen in figures.items() if row.get(name) is not None]


def _floors(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["is_floor"]]


def _compare(
    name: str, where: dict[str, Any], count: int, true: int, floor: int, evidence: Evidence, tally: Tally
) -> None:
    tally.tried()
    if count != true:
        tally.hit("second_partition", tables=(name, GROUPS), where=key_text(where))
    elif 0 < count < evidence.k:
        if count == floor:
            tally.limit("floor")
        else:
            tally.hit("small_count", tables=(name,), where=key_text(where))


def _is_figure(column: str) -> bool:
    return column.endswith(("_count", "_days")) or column in (f"{GROUPS}_id", "timed_band_code")
