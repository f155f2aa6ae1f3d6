"""Run the product on a real event log: a mapping, staging, and the anonymiser alone under the clock.

Two ways. `control flow`: every case is registered and closed on the same two days and only the order of activities is
mapped, so that the whole log is one floor, as for tools that know nothing else. `table`: real dates, a season a period,
the channel, and the last activity in the place of a service.
"""

from __future__ import annotations

import csv
import gzip
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bench.privacy_measures import Case
from etl.anonymise import History, anonymise
from etl.calendars import parse_period
from etl.engine import open_duckdb
from etl.extract import extract, open_staging
from etl.instance import Instance
from etl.model.published import Published

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

K = 10
REPEATS = 3  # of the anonymiser; the least time counts
REGISTERED, CLOSED, DRAWN = "2019-12-02", "2019-12-20", "2020-02-01"
HEAD = {
    "calendar": {"system": "gregorian", "zone": "UTC", "weekend": ["saturday", "sunday"], "holidays": "NL"},
    "clocks": {"headline": "law", "law": {"days": 30, "kind": "calendar", "from": "registered"}},
    "bands": {"duration": [0, 10, 30, 60]},
    "k": K,
    "statutory": {"case_types": [], "dimensions": []},
    "patterns": "mined",
}
CONTROL_FLOW: Sequence[Mapping[str, str]] = (
    {"outcome": "code", "trace": "steps"},
    {"outcome": "code", "trace": "pattern"},
)
TABLE: Sequence[Mapping[str, str]] = (
    {"outcome": "code", "service": "leaf", "channel": "code", "trace": "steps"},
    {"outcome": "code", "service": "leaf", "channel": "code", "trace": "pattern"},
    {"outcome": "code", "service": "leaf", "channel": "code"},
    {"outcome": "code", "service": "leaf"},
    {"outcome": "code", "channel": "code"},
)
MAPPING = """
kind = "table"
path = "log.csv"
shape = "events"
zone = "UTC"
calendar = "gregorian"
snapshot_on = "{drawn}"
[secrecy]
constant = "normal"
why = "a public event log"
[case]
case_type_code = {{ constant = "service" }}
body_id = {{ constant = "office" }}
{case}
[event]
activity_code = {{ column = "activity", code = "slug", lang = "en" }}
{event}
[map.channel]
Internet = "web"
Desk = "desk"
Post = "post"
e-mail = "email"
Intern = "internal"
[link]
case_ref = "case_id"
"""
DATED = 'occurred_at = { column = "ts", format = "%Y-%m-%d %H:%M:%S" }'
SAME_DAYS = """registered_on = { column = "registered", format = "iso" }
closed_on = { column = "closed", format = "iso" }"""
OWN_DAYS = """received_at = { event = "first" }
closed_on = { event = "last" }
service_id = { column = "last", code = "slug", lang = "en" }
channel_code = { column = "channel", map = "channel" }"""


@dataclass(frozen=True)
class Ran:
    """A log that was anonymised: the cases with what is published of them, the groups, and the time of it."""

    cases: Sequence[Case]
    groups: Sequence[Mapping[str, Any]]
    seconds: float
    processor_seconds: float


def run_log(path: Path, folder: Path, *, is_table: bool = False, most: int | None = None) -> Ran:
    """Anonymise a log in a folder of its own; `most`: only its first cases."""
    rows = read_log(path, most)
    make_instance(folder, rows, is_table=is_table)
    instance = Instance(folder)
    extract(instance)
    spent: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        backend = open_duckdb(folder, memory_limit="1500MB")
        published, own = _anonymise(instance, backend, rows, is_table=is_table)
        spent.append(own)
        ran = Ran(_cases(instance, backend, published), _rows(published.case_group), *map(min, *spent, own))
        backend.disconnect()
    if len(ran.cases) != len({row["case_id"] for row in rows}) or sum(len(true) for true, _ in ran.cases) != len(rows):
        raise SystemExit(f"{path.name}: cases or events were lost on the way into staging")
    return ran


def read_log(path: Path, most: int | None) -> list[dict[str, str]]:
    """Read a log as texts: a case may be called NA, and what is empty stays empty."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = set(list(dict.fromkeys(row["case_id"] for row in rows))[:most])
    return [row for row in rows if row["case_id"] in known]


def make_instance(folder: Path, rows: Sequence[Mapping[str, str]], *, is_table: bool) -> None:
    """Write a log, its mapping and its policy."""
    (folder / "sources" / "log").mkdir(parents=True)
    last = {row["case_id"]: row["activity"] for row in rows}
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "last", "registered", "closed"])
        writer.writeheader()
        writer.writerows(
            {**row, "last": last[row["case_id"]], "registered": REGISTERED, "closed": CLOSED} for row in rows
        )
    drawn = f"{int(max(row['ts'] for row in rows)[:4]) + 1}-06-30" if is_table else DRAWN
    mapping = MAPPING.format(drawn=drawn, case=OWN_DAYS if is_table else SAME_DAYS, event=DATED if is_table else "")
    (folder / "sources" / "log" / "source.toml").write_text(mapping, encoding="utf-8")
    volume = {"month": 1_000_000, "season": 1 if is_table else 1_000_000, "settle_days": 15}
    policy = HEAD | {
        "bodies": [{"id": "office", "title": {"fa": "دستگاه", "en": "Office"}}],
        "cadence": volume,
        "ladder": [dict(rung) for rung in (TABLE if is_table else CONTROL_FLOW)],
    }
    text = yaml.safe_dump({"title": {"fa": "سنجش", "en": "Bench"}, "x-shafaf": policy}, allow_unicode=True)
    (folder / "metadata.yml").write_text(text, encoding="utf-8")


def _anonymise(
    instance: Instance, backend: BaseBackend, rows: Sequence[Mapping[str, str]], *, is_table: bool
) -> tuple[Published, tuple[float, float]]:
    policy = instance.settings.policy
    staging = open_staging(backend, instance.staging)
    if staging is None:
        raise SystemExit("nothing was staged")
    days = [row["ts"][:7] for row in rows] if is_table else [REGISTERED[:7], CLOSED[:7]]
    first, last = parse_period("gregorian", min(days)), parse_period("gregorian", f"{max(days)[:4]}-12")
    due = [first]
    while due[-1].code != last.code:
        year, month = divmod(int(due[-1].code[:4]) * 12 + int(due[-1].code[5:]), 12)
        due.append(parse_period("gregorian", f"{year:04}-{month + 1:02}"))
    after = last.last_on.replace(year=last.last_on.year + 1)
    calendar = backend.create_table("calendar_day", policy.calendar.working.days(first.first_on, after))
    wall, processor = time.perf_counter(), _processor()
    published = anonymise(
        staging, calendar=calendar, policy=policy, history=History(due=tuple(due), first_month=due[0])
    )
    return published, (time.perf_counter() - wall, _processor() - processor)


def _cases(instance: Instance, backend: BaseBackend, published: Published) -> list[Case]:
    """Pair each case's staged activities with the steps that its group shows."""
    staging = open_staging(backend, instance.staging)
    if staging is None:
        return []
    true: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in _rows(staging.event):
        true[row["case_key"]].append((row["seq"], row["activity_code"]))
    shown: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for row in _rows(published.trace_step):
        shown[row["trace_key"]].append((row["step_number"], None if row["is_gap"] else row["activity_code"]))
    trace_of = {row["group_key"]: row["trace_key"] for row in _rows(published.case_group)}
    placed = [row for row in _rows(published.placement) if row["population_code"] == "finished"]
    group_of = {row["case_key"]: row["group_key"] for row in placed if row["group_key"] is not None}
    return [
        (
            [activity for _, activity in sorted(own)],
            [step for _, step in sorted(shown[trace], key=lambda pair: pair[0])]
            if (trace := trace_of.get(group_of.get(key))) is not None
            else None,
        )
        for key, own in sorted(true.items())
    ]


def _rows(relation: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = relation.to_pyarrow().to_pylist()
    return rows


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system
