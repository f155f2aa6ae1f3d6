"""A slow, obvious recount in plain Python: what the published figures must be, from the staged cases alone.

Written apart from the code it checks: it reads Parquet rows into dictionaries and counts them in loops. It shares only
the shapes of staging and of the published tables.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Row = dict[str, Any]
Key = tuple[str, ...]
QUARTILES = {"wait_p25_days": 0.25, "wait_median_days": 0.5, "wait_p75_days": 0.75, "wait_p90_days": 0.9}
CLEARANCE = 4  # people on either side of a published order statistic


@dataclass(frozen=True)
class Office:
    """The live cases of staging with their events in order, after case types were joined."""

    cases: list[Row]
    events: dict[str, list[Row]]


def read_office(staging: Path, join_small: Mapping[str, str]) -> Office:
    """Read the newest version of every case, leave out removed ones, and rename joined case types."""
    newest: dict[str, Row] = {}
    events: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for path in sorted((staging / "batches").glob("*.json")):
        for file in json.loads(path.read_text(encoding="utf-8"))["files"]:
            for row in pq.ParquetFile(staging / file["path"]).read().to_pylist():
                if file["table"] == "event":
                    events[row["case_key"], row["batch_id"]].append(row)
                elif (
                    file["table"] == "case"
                    and row["batch_id"] > newest.get(row["case_key"], {"batch_id": -1})["batch_id"]
                ):
                    newest[row["case_key"]] = row
    cases = [row for row in newest.values() if not row["is_deleted"]]
    for row in cases:
        row["case_type_code"] = join_small.get(row["case_type_code"], row["case_type_code"])
    timelines = {row["case_key"]: sorted(events[row["case_key"], row["batch_id"]], key=_seq) for row in cases}
    return Office(cases, timelines)


def query(database: Path, sql: str) -> list[Row]:
    """Ask the published database, read-only."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(sql)]
    connection.close()
    return rows


def months_of(database: Path) -> dict[date, Row]:
    """Give the published calendar by civil date."""
    return {date.fromisoformat(row["day_on"]): row for row in query(database, "select * from calendar_day")}


def count_by_month(office: Office, column: str, calendar: Mapping[date, Row], released: Iterable[str]) -> Counter[Key]:
    """Count cases by the month of a date column, body and type, in the released months."""
    counted = set(released)
    counts: Counter[Key] = Counter()
    for case in office.cases:
        day = case[column]
        if day is not None and day in calendar and calendar[day]["month_code"] in counted:
            counts[calendar[day]["month_code"], case["body_id"], case["case_type_code"]] += 1
    return counts


def ancestors(parents: Mapping[str, str | None], value: str | None) -> set[str | None]:
    """Give a value and everything above it in its tree."""
    seen: set[str | None] = set()
    while value is not None and value not in seen:
        seen.add(value)
        value = parents.get(value)
    return seen


def parents_of(database: Path) -> dict[str, dict[str, str | None]]:
    """Give the trees of services, units and outcomes as the database publishes them."""
    trees = {
        "service": query(database, "select service_id as id, parent_id from service"),
        "unit": query(database, "select unit_id as id, parent_id from unit"),
        "outcome": query(database, "select code as id, parent_code as parent_id from code where list_code = 'outcome'"),
    }
    return {name: {row["id"]: row["parent_id"] for row in rows} for name, rows in trees.items()}


def quartiles(cases: list[Row]) -> dict[str, int | None]:
    """Give nearest-rank order statistics of waits; one that has fewer than four people on a side is not published.

    A case without a requester is one of its own. The number of people must be enough by itself, too: a band of it is published.
    """
    known = [
        (case["wait_days"], case["requester_key"] or case["case_key"])
        for case in cases
        if case["wait_days"] is not None
    ]
    ordered, people = sorted(days for days, _ in known), len({who for _, who in known})
    found: dict[str, int | None] = {}
    for name, share in QUARTILES.items():
        rank = math.ceil(share * len(ordered))
        is_inside = all(rank > CLEARANCE and n - rank >= CLEARANCE for n, rank in _ranks(len(ordered), people, share))
        days = ordered[rank - 1] if is_inside else 0
        sides = len({who for at, who in known if at <= days}), len({who for at, who in known if at >= days})
        found[name] = days if is_inside and min(sides) > CLEARANCE else None
    return found


def _ranks(cases: int, people: int, share: float) -> list[tuple[int, int]]:
    return [(n, math.ceil(share * n)) for n in (cases, people)]


def in_band(band: str, days: int) -> bool:
    """Say whether a wait lies in a band such as 06_10 or 61_up."""
    low, high = band.split("_")
    return int(low) <= days and (high == "up" or days <= int(high))


def steps(timeline: list[Row], level: str) -> list[tuple[str, str | None]]:
    """Write a timeline as a trace of a level: activities with units, activities, or milestones without repeats."""
    if level == "steps_units":
        return [(event["activity_code"], event["to_unit_id"] or "not_recorded") for event in timeline]
    if level == "steps":
        return [(event["activity_code"], None) for event in timeline]
    merged: list[tuple[str, str | None]] = []
    for event in timeline:
        if event["milestone_code"] is not None and (not merged or merged[-1][0] != event["milestone_code"]):
            merged.append((event["milestone_code"], None))
    return merged


def holds(timeline: list[str], pattern: list[tuple[str, bool]]) -> bool:
    """Say whether a pattern (activity and is_gap of each row) stands in a timeline; any steps, or none, lie in a gap.

    >>> holds(["a", "b", "c"], [("a", False), ("gap", True), ("c", False)])
    True
    >>> holds(["a", "b", "c"], [("a", False), ("c", False)])
    False
    """
    places = {0}
    for activity, is_gap in pattern:
        if is_gap:
            places = set(range(min(places, default=len(timeline) + 1), len(timeline) + 1))
        else:
            places = {place + 1 for place in places if timeline[place : place + 1] == [activity]}
    return len(timeline) in places


def _seq(event: Row) -> int:
    return int(event["seq"])
