"""What loading does between two runs, in plain Python: group keys become ids, the new rows join the memory."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from etl.anonymise import History
from etl.anonymise.duration import GROUP_COLUMNS
from etl.calendars import Period
from etl.metadata import Policy
from etl.metadata.levels import ways
from etl.model.identity import Cell, Value
from etl.model.published import Published

GROUP = pa.schema(
    [
        ("case_group_id", pa.int64()),
        *((name, pa.int64() if name.endswith(("_days", "_count")) else pa.string()) for name in GROUP_COLUMNS),
    ]
)
PLACE = ("body_id", "case_type_code", "period_code", "release_id")
PLACEMENT = pa.schema(
    [
        ("population_code", pa.string()),
        ("case_key", pa.string()),
        ("case_group_id", pa.int64()),
        ("release_id", pa.string()),
        ("period_code", pa.string()),
        ("body_id", pa.string()),
        ("case_type_code", pa.string()),
    ]
)


def rows_of(relation: Any) -> list[dict[str, Any]]:
    """Fetch a relation as rows."""
    rows: list[dict[str, Any]] = relation.to_pyarrow().to_pylist()
    return rows


def cells_of(published: Published, policy: Policy) -> list[Cell]:
    """List what a run shows by service and channel, group by group."""
    populations = {"case_group": published.case_group, **published.numbers}
    return [
        Cell(name, *(row[column] for column in PLACE), Value.of(row, ways(policy.services)), row["case_count"])
        for name in ("case_group", "cohort_group", "open_group")
        for row in rows_of(populations[name])
        if row["period_code"] != "earlier" and (row["service_id"] is not None or row.get("channel_code") is not None)
    ]


def next_history(
    backend: Any, history: History, published: Published, *, due: tuple[Period, ...], policy: Policy | None = None
) -> History:
    """Make the memory that a run after `published` has; ids are made from the group keys in their sorted order.

    policy: whose services stock and flow are remembered by; None: not at all.
    """
    number = {
        key: place for place, key in enumerate(sorted(row["group_key"] for row in rows_of(published.case_group)), 1)
    }
    start = 0 if history.placement is None else max((row["case_group_id"] or 0) for row in rows_of(history.placement))
    placed = [] if history.placement is None else rows_of(history.placement)
    for row in rows_of(published.placement):
        key = row.pop("group_key")
        placed.append(row | {"case_group_id": None if key is None else start + number[key]})
    margins = [] if history.margin is None else rows_of(history.margin)
    margins += rows_of(published.margin)
    groups = [] if history.groups is None else rows_of(history.groups)
    groups += [
        {name: row[name] for name in GROUP.names} | {"case_group_id": start + number[row["group_key"]]}
        for row in rows_of(published.case_group.mutate(case_group_id=0))
    ]
    run = len([name for name in backend.list_tables() if name.startswith("memory_placement")])
    return History(
        due=due,
        first_month=history.first_month,
        placement=backend.create_table(f"memory_placement_{run}", pa.Table.from_pylist(placed, schema=PLACEMENT)),
        margin=backend.create_table(
            f"memory_margin_{run}", pa.Table.from_pylist(margins, schema=published.margin.schema().to_pyarrow())
        ),
        cadence_bootstrap=published.cadence_bootstrap,
        groups=backend.create_table(f"memory_group_{run}", pa.Table.from_pylist(groups, schema=GROUP)),
        cells=[*history.cells, *(cells_of(published, policy) if policy else ())],
    )
