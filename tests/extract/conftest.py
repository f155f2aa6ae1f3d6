"""A small instance, made by hand: one body, a permit service, a CSV file or two databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.engine import open_duckdb
from etl.extract import open_staging
from etl.instance import Instance
from etl.model.staging import Staging

METADATA = """
title: {fa: آزمون, en: Test}
x-shafaf:
  calendar: {system: jalali, zone: Asia/Tehran, weekend: [thursday, friday], holidays: IR}
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}, law: {days: 10, kind: calendar, from: received}}
  bodies: [{id: abfa, title: {fa: آب و فاضلاب, en: Water}}]
  services: [{id: permit, parent: null, title: {fa: پروانه, en: Permit}}]
  ladder: [{outcome: code, lateness: code}, {outcome: code}, {lateness: code}]
"""

SOURCE = """
kind = "table"
path = "rows.csv"
shape = "case_row"
snapshot_on = "2026-03-20"
missing = ["-"]
[secrecy]
column = "class"
map = { "عادی" = "normal" }
[case]
case_type_code = { constant = "service" }
body_id = { column = "org", map = "org" }
service_id = { constant = "permit" }
channel_code = { column = "channel", map = "channel" }
registered_on = { column = "registered" }
closed_on = { column = "closed" }
outcome_code = { column = "result", map = "result" }
score = "score"
[[event]]
activity = "registered"
milestone = "registered"
column = "registered"
[[event]]
activity = "closed"
milestone = "closed"
column = "closed"
[map.org]
"۳۰۰۲" = "abfa"
[map.channel]
"وب" = "web"
"میز خدمت" = "desk"
[map.result]
"انجام شد" = "completed"
[link]
case_ref = "id"
[limits]
quarantine_share = 1.0
"""
HEADER = "id,class,org,channel,registered,closed,result,score,national_id"
GOOD = "r-1,عادی,3002,وب,1404/05/01,1404/05/11,انجام شد,4,CANARY-0012345678"


@pytest.fixture
def make_instance(tmp_path: Path) -> Callable[..., Instance]:
    """Give a maker of instances with one CSV source: rows without header; `edits` replace text in the mapping."""

    def make(*rows: str, header: str = HEADER, source: str = SOURCE, edits: Sequence[tuple[str, str]] = ()) -> Instance:
        folder = tmp_path / "instance"
        for old, new in edits:
            assert old in source
            source = source.replace(old, new)
        (folder / "sources" / "desk").mkdir(parents=True, exist_ok=True)
        (folder / "metadata.yml").write_text(METADATA, encoding="utf-8")
        (folder / "sources" / "desk" / "source.toml").write_text(source, encoding="utf-8")
        (folder / "rows.csv").write_text("\n".join([header, *(rows or (GOOD,))]) + "\n", encoding="utf-8")
        return Instance(folder)

    return make


def _staged(instance: Instance) -> Staging:
    staging = open_staging(open_duckdb(instance.private_folder("tmp")), instance.staging)
    assert staging is not None
    return staging


@pytest.fixture
def cases() -> Callable[[Instance], list[dict[str, Any]]]:
    """Give a reader of an instance's live cases as dictionaries, by the day they were registered."""

    def read(instance: Instance) -> list[dict[str, Any]]:
        rows = _staged(instance).case.to_pyarrow().to_pylist()
        return sorted(rows, key=lambda row: (row["registered_on"], row["case_key"]))

    return read


@pytest.fixture
def events() -> Callable[[Instance], list[dict[str, Any]]]:
    """Give a reader of an instance's live events as dictionaries, by case and place in the timeline."""

    def read(instance: Instance) -> list[dict[str, Any]]:
        rows = _staged(instance).event.to_pyarrow().to_pylist()
        return sorted(rows, key=lambda row: (row["case_key"], row["seq"]))

    return read


@pytest.fixture
def quarantine() -> Callable[[Instance], list[tuple[Any, ...]]]:
    """Give a reader of quarantine rows of the newest batch: (table, row, column, reason)."""

    def read(instance: Instance) -> list[tuple[Any, ...]]:
        path = max((instance.var / "quarantine").glob("*.parquet"))
        rows = pq.read_table(path).to_pylist()
        return [(row["table_name"], row["row_number"], row["column_name"], row["reason"]) for row in rows]

    return read


DESK = """
kind = "sql"
url = "sqlite:///office/desk.db"
snapshot_query = "select value from meta"
[secrecy]
constant = "normal"
why = "a public desk"
[case]
case_type_code = { constant = "service" }
body_id = { constant = "abfa" }
service_id = { constant = "permit" }
channel_code = { constant = "desk" }
requester_key = "person"
received_at = "received"
registered_on = "registered"
promised_on = "promised"
decided_on = "decided"
closed_on = "closed"
status_code = "status"
outcome_code = "result"
parent_case_key = "parent"
[event]
activity_code = "action"
occurred_at = "at"
to_unit_id = "unit"
[milestone]
received = "received"
notified = "notified"
closed = "closed"
[link]
case_ref = "ref"
role = "desk"
link_ref = ["tracking", ["register", "number"]]
[limits]
quarantine_share = 0.9
"""
AUTOMATION = """
kind = "sql"
url = "sqlite:///office/automation.db"
snapshot_query = "select value from meta"
[secrecy]
column = "secrecy"
map = { "عادی" = "normal", "محرمانه" = "other" }
[case]
case_type_code = { constant = "correspondence" }
body_id = { constant = "abfa" }
registered_on = "registered"
unit_id = "unit"
letter_direction_code = { constant = "incoming" }
[event]
activity_code = "action"
occurred_at = "at"
from_unit_id = "from_unit"
to_unit_id = "unit"
[milestone]
registered = "registered"
"re:^refer" = "assigned"
asked = "awaiting_applicant"
signed = "decided"
[link]
case_ref = "ref"
link_ref = ["tracking", ["register", "number"]]
[limits]
quarantine_share = 0.9
"""
DESK_COLUMNS = (
    "ref, person, received, registered, promised, decided, closed, status, result, parent, tracking, register, number"
)
LETTER_COLUMNS = "ref, secrecy, registered, unit, tracking, register, number"


class Office:
    """Two databases of a handmade office; rows are added, then `write` puts them down."""

    def __init__(self, root: Path) -> None:
        """Start empty, with mappings in place."""
        self.instance = Instance(root)
        self.requests: list[dict[str, object]] = []
        self.letters: list[dict[str, object]] = []
        self.steps: list[tuple[str, str, str, str | None]] = []
        self.referrals: list[tuple[str, str, str, str | None, str | None]] = []
        (root / "office").mkdir(parents=True)
        (root / "metadata.yml").write_text(METADATA, encoding="utf-8")
        for name, text in (("desk", DESK), ("automation", AUTOMATION)):
            folder = root / "sources" / name
            folder.mkdir(parents=True)
            (folder / "source.toml").write_text(text, encoding="utf-8")
            (folder / "case.sql").write_text("select * from subject_row", encoding="utf-8")
            (folder / "event.sql").write_text("select * from step order by rowid", encoding="utf-8")

    def request(self, ref: str, **values: object) -> None:
        """Add a desk request, received and registered on 1404/05/01 unless said otherwise."""
        self.requests.append({"ref": ref, "received": "1404/05/01 09:00", "registered": "1404/05/01", **values})

    def letter(self, ref: str, **values: object) -> None:
        """Add a letter of the automation, registered on 1404/05/02 unless said otherwise."""
        self.letters.append({"ref": ref, "secrecy": "عادی", "registered": "1404/05/02", **values})

    def write(self, *, snapshot: str = "2026-03-20T00:00:00+00:00") -> Instance:
        """Write both databases and give the instance."""
        folder = self.instance.root / "office"
        steps = "ref, action, at, unit"
        referrals = "ref, action, at, from_unit, unit"
        for name, columns, rows, step_columns, step_rows in (
            ("desk", DESK_COLUMNS, self.requests, steps, self.steps),
            ("automation", LETTER_COLUMNS, self.letters, referrals, self.referrals),
        ):
            (folder / f"{name}.db").unlink(missing_ok=True)
            names = columns.split(", ")
            with sqlite3.connect(folder / f"{name}.db") as con:
                con.execute("create table meta (value)")
                con.execute("insert into meta values (?)", [snapshot])
                con.execute(f"create table subject_row ({columns})")
                con.execute(f"create table step ({step_columns})")
                marks = ", ".join("?" * len(names))
                values = [[row.get(column) for column in names] for row in rows]
                con.executemany(f"insert into subject_row values ({marks})", values)
                con.executemany(
                    f"insert into step values ({', '.join('?' * len(step_columns.split(', ')))})", step_rows
                )
            con.close()
        return self.instance


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an empty handmade office."""
    return Office(tmp_path / "office_instance")
