"""A small published office made by hand: tests say which groups there are, margins and placements follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from etl.calendars import Period, parse_period
from etl.instance import Instance
from etl.load import PLACEMENT
from etl.load.arrange import GROUP_KEY, MADE_HERE, TRACE_KEY
from etl.metadata import load_dictionary
from etl.model.published import Published

METADATA = """
title: {fa: نمونه, en: Sample}
license: CC-BY-4.0
source: hand-made
x-shafaf:
  calendar: {system: jalali, zone: Asia/Tehran, weekend: [thursday, friday], holidays: IR}
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}}
  k: 10
  bodies:
    - {id: alef, title: {fa: سازمان الف, en: Body Alef}, province: tehran}
    - {id: be, title: {fa: شهرداری کرج, en: Body Be}, province: alborz}
  services:
    - {id: permits, parent: null, title: {fa: پروانه‌ها, en: Permits}}
    - {id: build, parent: permits, title: {fa: پروانه ساختمان, en: Building permit}, keywords_fa: ساخت‌وساز یکی}
    - {id: shop, parent: permits, title: {fa: پروانه کسب, en: Trade licence}}
    - {id: welfare, parent: null, sensitive: true, title: {fa: مددکاری, en: Welfare}}
    - {id: loan, parent: welfare, title: {fa: وام درمان, en: Treatment loan}}
  units:
    - {id: alef_head, parent: null, body: alef, title: {fa: حوزه ریاست, en: Head office}}
    - {id: alef_tech, parent: alef_head, body: alef, title: {fa: معاونت فنی, en: Technical deputy}}
  codes:
    - {list: activity, code: review, title: {fa: بررسی, en: Review}}
    - {list: activity, code: decide, title: {fa: تصمیم, en: Decide}}
  ladder:
    - {service: leaf, unit: leaf, outcome: code, lateness: code, duration: band, loop: flag, channel: code, trace: steps}
    - {service: leaf, outcome: code, lateness: code}
    - {service: family, outcome: code, lateness: code}
    - {outcome: code, lateness: code}
    - {outcome: code}
    - {lateness: code}
"""
AS_OF = date(2025, 6, 10)
COUNTS = [
    column.name
    for column in load_dictionary().tables["margin"].columns
    if column.name.endswith("_count") and column.kind == "integer"
]


def months(*codes: str) -> tuple[Period, ...]:
    """Give Jalali months by code."""
    return tuple(parse_period("jalali", code) for code in codes)


def make_instance(root: Path, *, metadata: str = METADATA) -> Instance:
    """Make an instance with the sample settings in a new folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "metadata.yml").write_text(metadata, encoding="utf-8")
    return Instance(root)


def group(release: str = "1403-01", case_count: int = 12, **values: Any) -> dict[str, Any]:
    """Make a group of body `alef`, type `foi`, released with its month, with no detail but what `values` give."""
    period = values.pop("period_code", release)
    names = load_dictionary().tables["case_group"].names[1:]
    row: dict[str, Any] = dict.fromkeys(name for name in names if name not in MADE_HERE)
    row |= {"release_id": release, "body_id": "alef", "case_type_code": "foi", "period_code": period}
    row |= {"rung_number": 5, "is_floor": False, "case_count": case_count, "trace": None}
    if period != "earlier":
        parsed = parse_period("jalali", period)
        row |= {"cadence_code": parsed.kind, "period_first_on": parsed.first_on, "period_last_on": parsed.last_on}
    return row | values


def floor(release: str = "1403-01", case_count: int = 3, **values: Any) -> dict[str, Any]:
    """Make a floor row."""
    return group(release, case_count, is_floor=True, rung_number=7, **values)


@dataclass
class Office:
    """Groups of all releases, with everything else derived: margins balance, every case has its placement.

    awaiting: (release, body, type) -> cases that wait at the end of that month. traces: name -> (level, steps).
    margin: changes to the derived margins, by (release, body, type).
    """

    due: Sequence[str]
    groups: Sequence[Mapping[str, Any]]
    awaiting: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    traces: Mapping[str, tuple[str, Sequence[tuple[str, str | None, bool]]]] = field(default_factory=dict)
    steps: Sequence[Mapping[str, Any]] = ()
    statutory: Sequence[Mapping[str, Any]] = ()
    margin: Mapping[tuple[str, str, str], Mapping[str, int]] = field(default_factory=dict)
    numbers: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)  # other tables, as they are
    secret: str = "first"
    before: Mapping[tuple[str, str], int] = field(default_factory=dict)  # cases that waited before the first due month

    @property
    def months(self) -> tuple[Period, ...]:
        """The due months."""
        return months(*self.due)

    def margins(self) -> list[dict[str, Any]]:
        """Derive a margin row for each month, body and type."""
        pairs = sorted({(g["body_id"], g["case_type_code"]) for g in self.groups} | {key[1:] for key in self.awaiting})
        rows = []
        waited = {pair: self.before.get(pair, 0) for pair in pairs}
        for release in self.due:
            for pair in pairs:
                waits = self.awaiting.get((release, *pair), 0)
                mine = [
                    g for g in self.groups if (g["release_id"], g["body_id"], g["case_type_code"]) == (release, *pair)
                ]
                finished = sum(g["case_count"] for g in mine) + waits - waited[pair]
                waited[pair] = waits
                row = dict.fromkeys(COUNTS, 0)
                late = sum(g["case_count"] for g in mine if g["late_for_code"] is not None)
                row |= {"late_registered_count": late, "late_finished_count": late, "awaiting_count": waits}
                row |= {"registered_count": finished - late, "finished_count": finished - late}
                row |= self.margin.get((release, *pair), {})
                keys = {"release_id": release, "month_code": release, "body_id": pair[0], "case_type_code": pair[1]}
                rows.append(keys | row)
        return rows

    def placements(self) -> list[dict[str, Any]]:
        """Derive one placement for each case of each group."""
        return [
            {
                "population_code": "finished",
                "case_key": f"{self.secret}-{number}-{case}",
                GROUP_KEY: _key(number, self.secret),
                "release_id": row["release_id"],
                "period_code": row["period_code"],
                "body_id": row["body_id"],
                "case_type_code": row["case_type_code"],
            }
            for number, row in enumerate(self.groups)
            for case in range(row["case_count"])
        ]

    def published(self) -> Published:
        """Make the relations that anonymisation would hand over."""
        tables = load_dictionary().tables
        rows = [
            {**{k: v for k, v in row.items() if k != "trace"}, GROUP_KEY: _key(n, self.secret), TRACE_KEY: row["trace"]}
            for n, row in enumerate(self.groups)
        ]
        schema = tables["case_group"].arrow
        for name in MADE_HERE:
            schema = schema.remove(schema.get_field_index(name))
        at = schema.get_field_index("trace_id")
        schema = schema.set(at, pa.field(TRACE_KEY, pa.string())).remove(0).append(pa.field(GROUP_KEY, pa.string()))
        step = tables["case_group_step"].arrow.remove(0).set(0, pa.field(GROUP_KEY, pa.string()))
        steps = [{**row, GROUP_KEY: _key(row["group"], self.secret)} for row in self.steps]
        trace = tables["trace_step"].arrow.remove(0).set(0, pa.field(TRACE_KEY, pa.string()))
        trace = trace.append(pa.field("level_code", pa.string()))
        traces = [
            {TRACE_KEY: name, "level_code": level, "step_number": n, "activity_code": a, "unit_id": u, "is_gap": gap}
            for name, (level, found) in self.traces.items()
            for n, (a, u, gap) in enumerate(found, 1)
        ]
        placement = pa.schema([pa.field(GROUP_KEY, pa.string()) if f.name == "case_group_id" else f for f in PLACEMENT])
        return Published(
            margin=_table(self.margins(), tables["margin"].arrow.remove(0)),
            case_group=_table(rows, schema),
            case_group_step=_table(steps, step),
            trace_step=_table(traces, trace),
            statutory=_table(self.statutory, tables["statutory"].arrow.remove(0)),
            placement=_table(self.placements(), placement),
            report={code: {"k_basis": "cases"} for code in self.due},
            cadence_bootstrap={"alef": {"foi": "month"}},
            numbers={name: _table(rows, tables[name].arrow.remove(0)) for name, rows in self.numbers.items()},
        )


def _key(number: int, secret: str) -> str:
    return f"{secret}/{number}"


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> Any:
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(filled, schema=schema))
