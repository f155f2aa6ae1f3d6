"""Differences between releases: what is new, corrected or gone must be whole groups (DESIGN §4 "Late cases, corrections").

A reader keeps every release and subtracts. What can differ without telling of single cases: new groups of at least k,
a group withdrawn for good, a group replaced by one coarser row over as many cases. A period that was released is never
released again, a month never restated, late groups never come out for fewer than k new cases, and a database holds every
row of the one before, unchanged.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.evidence import GROUPS, Evidence, open_database, own_rows
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text
from etl.metadata import load_dictionary

NAME = "differencing"
PERIOD = ("body_id", "case_type_code", "period_code")
MONTH = ("body_id", "case_type_code", "month_code")
KEPT = (*PERIOD, "late_for_code", "release_id", "replaces_id")  # what a partition must keep for the releases to come
MONTHLY = re.compile(r"\d{4}-\d\d")
ROLLED_UP = 3  # columns of a roll-up, at most
DETAIL = ("_id", "_code", "_level")


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Subtract each release from the next one, and each database from the next one."""
    tally = Tally(NAME)
    _attack_rows(evidence, evidence.tables, seed, attempts, tally)
    for older, newer in zip(evidence.databases, evidence.databases[1:], strict=False):
        with open_database(newer) as connection:
            connection.execute("attach database ? as older", [f"file:{older}?mode=ro"])
            _grown(connection, evidence, tally)
    return tally.done()


def attack_release(evidence: Evidence, whole: Mapping[str, pa.Table], *, seed: int, attempts: int) -> Attack:
    """Subtract what came before from one release that is about to leave.

    evidence: the release alone. whole: it and all before it; of a partition the columns of KEPT are enough, and whole rows
    of what it withdraws.
    """
    tally = Tally(NAME)
    _attack_rows(evidence, whole, seed, attempts, tally)
    return tally.done()


def _attack_rows(evidence: Evidence, whole: Mapping[str, pa.Table], seed: int, attempts: int, tally: Tally) -> None:
    for name in evidence.populations:
        _released_once(name, whole[name], tally)
        _roll_ups(name, evidence, random.Random(f"{seed}:{NAME}:{name}"), attempts, tally)
    _months_once(whole["margin"], tally)
    _late_apart(evidence, whole[GROUPS], whole["margin"], tally)
    _corrections(evidence, whole[GROUPS], tally)


def _released_once(name: str, table: pa.Table, tally: Tally) -> None:
    """The on-time cases of a period come in one release: a second one is the first plus who was late."""
    table = own_rows(table)
    if not {*PERIOD, "late_for_code"} <= set(table.column_names):
        return
    on_time = table.filter(pc.is_null(table["late_for_code"]))
    periods = on_time.group_by(list(PERIOD)).aggregate([("release_id", "count_distinct"), ("release_id", "max")])
    tally.tried(periods.num_rows)
    for row in periods.filter(pc.greater(periods["release_id_count_distinct"], 1)).to_pylist():
        key = {column: row[column] for column in PERIOD} | {"release_id": row["release_id_max"]}
        tally.hit("released_again", tables=(name,), where=key_text(key))


def _roll_ups(name: str, evidence: Evidence, chance: random.Random, attempts: int, tally: Tally) -> None:
    """Any roll-up of all releases so far, less the same of one release before: the new cases of one release."""
    table = evidence.table(name)
    if not table.num_rows:
        return
    columns = [c for c in table.column_names if c.endswith(DETAIL) and c not in (f"{name}_id", "release_id")]
    is_shown = pc.cast(pc.invert(table["is_floor"]), pa.int64())
    counted = table.append_column("_shown", pc.multiply(is_shown, table["case_count"]))
    tried = 0
    while tried < attempts:
        keys = ["release_id", *chance.sample(columns, chance.randint(1, min(ROLLED_UP, len(columns))))]
        sums = counted.group_by(keys, use_threads=False).aggregate([("case_count", "sum"), ("_shown", "sum")])
        tried += sums.num_rows
        small = sums.filter(pc.less(sums["case_count_sum"], evidence.k))
        for row in small.to_pylist():
            if row["_shown_sum"]:
                tally.hit("small_count", tables=(name,), where=key_text({key: row[key] for key in keys}))
            else:
                tally.limit("floor")
    tally.tried(tried)


def _months_once(margin: pa.Table, tally: Tally) -> None:
    """A month's margin is said once; a second one differs from it by the cases that came late."""
    if not margin.num_rows:
        return
    months = margin.group_by(list(MONTH)).aggregate([("release_id", "count")])
    tally.tried(months.num_rows)
    for row in months.filter(pc.greater(months["release_id_count"], 1)).to_pylist():
        tally.hit("restated", tables=("margin",), where=key_text({column: row[column] for column in MONTH}))


def _late_apart(evidence: Evidence, group: pa.Table, margin: pa.Table, tally: Tally) -> None:
    """Where late groups come out, k cases were counted late since the last time: else a new one is known to be in them.

    Only for bodies and types that publish every month: elsewhere a late entry may have joined a season that was open.
    """
    own = own_rows(group)
    rows = own.select([*PERIOD, "late_for_code", "release_id"]).to_pylist() if own.num_rows else []
    slow = {_kind(row) for row in rows if row["late_for_code"] is None and not MONTHLY.fullmatch(row["period_code"])}
    came: dict[Any, dict[str, int]] = {}
    for row in margin.select([*MONTH, "late_finished_count"]).to_pylist() if margin.num_rows else []:
        came.setdefault(_kind(row), {})[row["month_code"]] = row["late_finished_count"]
    looked = {release.release_id for release in evidence.releases}
    out = {(_kind(row), row["release_id"]) for row in rows if row["late_for_code"] is not None}
    for kind, release in sorted(out):
        if kind in slow or release not in looked:
            continue
        tally.tried()
        before = max((other for own, other in out if own == kind and other < release), default="")
        if sum(n for month, n in came.get(kind, {}).items() if before < month <= release) < evidence.k:
            key = {"body_id": kind[0], "case_type_code": kind[1], "release_id": release}
            tally.hit("late_alone", tables=(GROUPS, "margin"), where=f"{key_text(key)} and late_for_code is not null")


def _kind(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["body_id"], row["case_type_code"]


def _corrections(evidence: Evidence, group: pa.Table, tally: Tally) -> None:
    """A withdrawn group is gone for good, or has one coarser successor over exactly as many cases."""
    withdrawal = evidence.table("withdrawal")
    if not withdrawal.num_rows:
        return
    rows = {row["case_group_id"]: row for row in group.to_pylist()}
    once = Counter(withdrawal["case_group_id"].to_pylist())
    successors = Counter(value for value in withdrawal["replaced_by_id"].to_pylist() if value is not None)
    for row in withdrawal.to_pylist():
        tally.tried()
        old, successor = rows.get(row["case_group_id"]), row["replaced_by_id"]
        new = None if successor is None else rows.get(successor)  # rows of which keys alone are known have no id, too
        if old is None or once[row["case_group_id"]] > 1 or (successor is not None and new is None):
            slug: str | None = "correction_unknown"
        elif new is None:
            slug = None
        else:
            slug = _of_successor(old, new, successors[successor])
        if slug is not None:
            where = key_text({"case_group_id": row["case_group_id"]})
            tally.hit(slug, tables=("withdrawal", GROUPS), where=where)


def _of_successor(old: Mapping[str, Any], new: Mapping[str, Any], times: int) -> str | None:
    if times > 1 or new["case_count"] != old["case_count"]:
        return "correction_count"
    details = [column.name for column in load_dictionary().tables[GROUPS].columns if _is_detail(column.name)]
    changed = [name for name in details if new[name] is not None and old[name] != new[name]]
    return "correction_finer" if any(old[name] is None for name in changed) else None


def _is_detail(column: str) -> bool:
    own = ("case_group_id", "release_id", "rung_number", "late_for_code", "timed_band_code", "replaces_id")
    return column not in own and not column.endswith(("_days", "_count", "_on", "_level"))


def _grown(connection: sqlite3.Connection, evidence: Evidence, tally: Tally) -> None:
    """Every base row of the older database is in the newer one, unchanged; sums that certainly hold grow by 0 or ≥ k."""
    shared = "select name from main.sqlite_master where type = 'table' intersect select name from older.sqlite_master"
    there = {row[0] for row in connection.execute(shared)}
    for spec in load_dictionary().tables.values():
        if spec.scope != "release" or spec.name not in there:
            continue
        columns = _columns(connection, "older", spec.name)
        if not set(columns) <= set(_columns(connection, "main", spec.name)):
            tally.hit("changed_row", tables=(spec.name,), where="columns that are no longer there")
            continue
        names = ", ".join(f'"{name}"' for name in columns)
        gone = connection.execute(
            f'select count(*) from (select {names} from older."{spec.name}"'
            f' except select {names} from main."{spec.name}")'
        ).fetchone()[0]
        tally.tried()
        if gone:
            tally.hit("changed_row", tables=(spec.name,), where=f"{gone} rows of the database before")
    if "total" in there:
        _totals_grown(connection, evidence, tally)


def _totals_grown(connection: sqlite3.Connection, evidence: Evidence, tally: Tally) -> None:
    keys = "scope_code, column_code, body_id, case_type_code, year_code, period_code, value_code"
    same = " and ".join(f"n.{key} is o.{key}" for key in keys.split(", "))
    withdrawn = connection.execute("select count(*) from main.withdrawal").fetchone()[0]
    grown = connection.execute(
        f"select n.total_id, n.at_least - o.at_least from main.total n join older.total o on {same}"
    )
    for total_id, difference in grown:
        tally.tried()
        if 0 < abs(difference) < evidence.k:
            if withdrawn:
                tally.limit("correction")
            else:
                tally.hit("small_count", tables=("total",), where=f"total_id = {total_id} less the release before")


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'pragma {schema}.table_info("{table}")')]
