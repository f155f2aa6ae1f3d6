"""Waits of a year stand for enough people: the same groups, asked for by many or mostly by one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise.duration import GROUP_COLUMNS, durations
from etl.anonymise.history import History
from etl.calendars import parse_period
from tests.reference.offices import small_policy
from tests.reference.runs import rows_of

CASES = 30
GROUP = pa.schema(
    [
        *((name, pa.int64() if name.endswith(("_count", "_days")) else pa.string()) for name in GROUP_COLUMNS),
        ("case_group_id", pa.int64()),
    ]
)
NEW = pa.schema([("group_key", pa.string()), *(GROUP.field(name) for name in GROUP_COLUMNS)])
CASE = pa.schema(
    [
        *((name, pa.string()) for name in ("case_key", "requester_key", "lateness_code")),
        *((name, pa.int32()) for name in ("case_number", "wait_days")),
    ]
)
PLACED = pa.schema([("population_code", pa.string()), ("case_group_id", pa.int64()), ("case_key", pa.string())])
ALIKE = pa.schema([("release_id", pa.string()), ("group_number", pa.int64())])
MEMBER = pa.schema([("case_number", pa.int32()), ("group_number", pa.int64())])


@pytest.mark.parametrize(("by_one", "is_shown"), [(1, True), (11, True), (12, False), (16, False), (22, False)])
def test_a_year_mostly_of_one_person_has_no_waits(backend: Any, by_one: int, *, is_shown: bool) -> None:
    """Of fourteen waits below the median eleven may be one person's: three others and one of hers are four."""
    cases = [
        {"case_key": f"c{n}", "case_number": n, "wait_days": n, "lateness_code": "on_time"}
        | {"requester_key": "one" if n <= by_one else f"p{n}"}
        for n in range(1, CASES + 1)
    ]
    group = dict.fromkeys(GROUP.names) | {"release_id": "1403-12", "period_code": "1403", "body_id": "alef"}
    group |= {"case_type_code": "service", "case_count": CASES, "case_group_id": 1}
    placed = [{"population_code": "finished", "case_group_id": 1, "case_key": case["case_key"]} for case in cases]

    def table(name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> Any:
        return backend.create_table(f"{name}_{by_one}", pa.Table.from_pylist(rows, schema=schema), temp=True)

    months = [parse_period("jalali", f"1403-{number:02}") for number in (1, 12)]
    placement = table("placement", placed, PLACED)
    history = History(
        (months[1],), months[0], placement=placement, margin=placement, groups=table("groups", [group], GROUP)
    )
    found = durations(
        table("case", cases, CASE),
        table("new", [], NEW),
        alike=table("alike", [], ALIKE),
        members=table("member", [], MEMBER),
        policy=small_policy(k=10),
        history=history,
    )
    assert bool(rows_of(found)) == is_shown
