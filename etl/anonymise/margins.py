"""Monthly margins: exact counts of every body and case type, closed by one identity (CONTRACT "Published tables").

open0 + registered + late_registered + reopened - finished - late_finished - withdrawn = open1. Rows start at the first
month in which a body has a case of the type and never stop; zeros are written. `withdrawn` counts what left the stock
otherwise: a case removed at its source, or closed again after it had been reopened (a case is finished once).
The engine counts; the small grid is filled in plain Python. Nothing is hidden here: margins are the body's volume.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold

if TYPE_CHECKING:
    from ibis.expr.types import Table

Kind = tuple[str, str]  # body_id, case_type_code
MonthlyCounts = Mapping[str, Counter[tuple[str, str, int]]]

FLOWS = ("registered", "finished", "reopened", "late_registered", "late_finished", "withdrawn")
MARGIN = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", "month_code", "body_id", "case_type_code")),
        *(
            (f"{name}_count", pa.int64())
            for name in (
                *("registered", "finished", "open", "open_overdue", "reopened"),
                *("late_registered", "late_finished", "withdrawn", "awaiting"),
            )
        ),
    ]
)


@dataclass(frozen=True)
class Opening:
    """What the newest earlier margin says of a body x type: its open stock and its finished cases without a group."""

    open_count: int = 0
    awaiting_count: int = 0


def reopened_cases(case: Table, low: int) -> Table:
    """List the cases that count as reopened now: finished, and worked on again; in the month of finishing or the first due."""
    is_new = (case.status_code == "reopened") & (case.was_reopened == 0) & (case.was_withdrawn == 0)
    was_finished = case.was_finished == 1
    counted = ibis.ifelse(was_finished, ibis.literal(low, "int64"), case.counted_finished)
    return (
        case.mutate(month=counted)
        .filter(is_new & (was_finished | case.counted_finished.notnull()))
        .select("case_number", "body_id", "case_type_code", "month")
    )


def withdrawn_cases(case: Table, earlier: Table | None, low: int) -> Table | None:
    """Hold the counted cases that left the stock without a first decision: gone from staging while open, or closed again."""
    if earlier is None:
        return None
    now = case.select("case_key", "status_code", is_live=ibis.literal(1, "int64"))
    counted = earlier.filter((earlier.was_registered == 1) & (earlier.was_withdrawn == 0))
    joined = counted.join(now, "case_key", how="left")
    is_open = (joined.was_finished == 0) | (joined.was_reopened == 1)
    closed_again = (joined.was_reopened == 1) & (ibis.coalesce(joined.status_code, "") != "reopened")
    gone = joined.filter(is_open & (joined.is_live.isnull() | closed_again)).select(
        "case_key",
        body_id="first_body_id",
        case_type_code="first_case_type_code",
        month=ibis.literal(low, "int64"),
    )
    return hold(gone, "withdrawn")


def count_flows(case: Table, *, reopened: Table, withdrawn: Table | None) -> MonthlyCounts:
    """Count every flow by body, type and the due month in which it counts."""
    counts: dict[str, Counter[tuple[str, str, int]]] = {name: Counter() for name in FLOWS}
    for name in ("registered", "finished"):
        counted = case.mutate(month=case[f"counted_{name}"], is_late=case[f"is_late_{name}"])
        for row in _count(counted.filter(counted.month.notnull()), "is_late"):
            counts[f"late_{name}" if row["is_late"] else name][_place(row)] += row["n"]
    for name, relation in (("reopened", reopened), ("withdrawn", withdrawn)):
        for row in [] if relation is None else _count(relation):
            counts[name][_place(row)] += row["n"]
    return counts


def count_overdue(case: Table, *, low: int, high: int) -> Counter[tuple[str, str, int]]:
    """Count open cases past the headline limit at the end of each due month, by body, type and month."""
    counted_from = ibis.ifelse(case.was_registered == 1, ibis.literal(low, "int64"), case.counted_registered)
    is_stock = (
        (case.was_finished == 0) & (case.was_withdrawn == 0) & counted_from.notnull() & case.overdue_from.notnull()
    )
    spans = case.mutate(
        first=ibis.greatest(counted_from, case.overdue_from), until=ibis.coalesce(case.counted_finished, high + 1)
    ).filter(is_stock)
    spans = spans.filter((spans.first < spans.until) & (spans.first <= high))
    counts: Counter[tuple[str, str, int]] = Counter()
    for row in fetch(spans.group_by("body_id", "case_type_code", "first", "until").agg(n=spans.case_key.count())):
        for month in range(row["first"], row["until"]):
            counts[row["body_id"], row["case_type_code"], month] += row["n"]
    return counts


def margin_rows(
    flows: MonthlyCounts,
    *,
    overdue: Mapping[tuple[str, str, int], int],
    opening: Mapping[Kind, Opening],
    months: Sequence[tuple[int, str]],
) -> list[dict[str, Any]]:
    """Fill the grid of due months (index, code) for every body x type that has or had a case; awaiting is filled later."""
    started = dict.fromkeys(opening, months[0][0])
    for counter in flows.values():
        for body, case_type, month in counter:
            started[body, case_type] = min(started.get((body, case_type), month), month)
    rows = []
    for kind in sorted(started):
        stock = opening.get(kind, Opening()).open_count
        for month, code in months:
            if month < started[kind]:
                continue
            flow = {name: flows[name][(*kind, month)] for name in FLOWS}
            arrived = flow["registered"] + flow["late_registered"] + flow["reopened"]
            stock += arrived - flow["finished"] - flow["late_finished"] - flow["withdrawn"]
            row: dict[str, Any] = {
                "release_id": code,
                "month_code": code,
                "body_id": kind[0],
                "case_type_code": kind[1],
            }
            row |= {f"{name}_count": count for name, count in flow.items()}
            rows.append(row | {"open_count": stock, "open_overdue_count": overdue.get((*kind, month), 0)})
    return rows


def with_awaiting(
    rows: Iterable[dict[str, Any]], grouped: Mapping[tuple[str, str, str], int], opening: Mapping[Kind, Opening]
) -> list[dict[str, Any]]:
    """Add awaiting_count: finished cases counted so far less those in a group; `grouped` by release, body and type."""
    waiting: dict[Kind, int] = {kind: first.awaiting_count for kind, first in opening.items()}
    filled = []
    for row in sorted(rows, key=lambda row: (row["body_id"], row["case_type_code"], row["month_code"])):
        kind = (row["body_id"], row["case_type_code"])
        counted = row["finished_count"] + row["late_finished_count"]
        waiting[kind] = waiting.get(kind, 0) + counted - grouped.get((row["release_id"], *kind), 0)
        filled.append(row | {"awaiting_count": waiting[kind]})
    return filled


def _count(relation: Table, *more: str) -> list[dict[str, Any]]:
    return fetch(relation.group_by("body_id", "case_type_code", "month", *more).agg(n=relation.count()))


def _place(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["body_id"], row["case_type_code"], row["month"]
