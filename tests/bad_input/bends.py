"""A sound instance of three cases, and the ways in which a test bends it.

Three flavours of one office: `table` (a CSV row a case), `events` (a CSV row an event), `database` (SQLite). Every id and
every note holds the word CANARY, so that a message, a log or a quarantine file that shows a value is seen.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

Bend = Callable[[Path], None]
_HELD: list[sqlite3.Connection] = []  # open while a run meets their locks

METADATA = """
title: {fa: آزمون, en: Test}
x-shafaf:
  calendar: {system: jalali, zone: Asia/Tehran, weekend: [thursday, friday], holidays: IR}
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}, law: {days: 10, kind: calendar, from: received}}
  k: 10
  cadence: {month: 60, season: 20, settle_days: 15}
  bodies: [{id: abfa, title: {fa: آب و فاضلاب, en: Water}}]
  services: services.csv
  margins: {join_small: {inquiry: other}}
  sensitive: {services: [permit]}
  bands: {duration: [0, 2, 5, 10]}
  ladder:
    - {outcome: code, lateness: code, duration: band}
    - {outcome: code, lateness: code}
    - {outcome: code}
    - {lateness: code}
"""
SERVICES = "id,parent,title_fa,title_en\npermit,,پروانه,Permit\nrenewal,permit,تمدید,Renewal\n"
_HEAD = """
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
"""
_TAIL = """
[map.org]
"۳۰۰۲" = "abfa"
[map.channel]
"وب" = "web"
"ميز خدمت" = "desk"
"كتبي" = "post"
[map.result]
"انجام شد" = "completed"
[link]
case_ref = "id"
[limits]
quarantine_share = 1.0
"""
_DATE_EVENTS = """
[[event]]
activity = "registered"
milestone = "registered"
column = "registered"
[[event]]
activity = "closed"
milestone = "closed"
column = "closed"
"""
_EVENT_ROWS = """
[event]
activity_code = { column = "activity" }
occurred_at = { column = "at" }
[milestone]
"enter" = "registered"
"re:^leave" = "closed"
"""
MAPPING = {
    "table": f'kind = "table"\npath = "rows.csv"\nshape = "case_row"{_HEAD}{_DATE_EVENTS}{_TAIL}',
    "events": f'kind = "table"\npath = "rows.csv"\nshape = "events"{_HEAD}{_EVENT_ROWS}{_TAIL}',
    "database": f'kind = "sql"\nurl = "sqlite:///office.db"{_HEAD}{_EVENT_ROWS}{_TAIL}',
}
COLUMNS = ("id", "class", "org", "channel", "registered", "closed", "result", "score", "note")
EVENT_COLUMNS = ("id", "activity", "at")
CASES = tuple(
    (f"CANARY-{n}", "عادی", "3002", "وب", "1404/05/01", "1404/05/11", "انجام شد", "4", f"CANARY-note-{n}")
    for n in (1, 2, 3)
)
EVENTS = tuple(
    (case[0], activity, at)
    for case in CASES
    for activity, at in (("enter", "1404/05/01 09:00"), ("leave", "1404/05/11 10:00"))
)


def make_sound(folder: Path, flavour: str) -> Path:
    """Write the sound instance of a flavour."""
    (folder / "sources" / "office").mkdir(parents=True)
    write(folder, "metadata.yml", METADATA)
    write(folder, "services.csv", SERVICES)
    write(folder, "sources/office/source.toml", MAPPING[flavour])
    if flavour == "table":
        write_rows(folder, [COLUMNS, *CASES])
    elif flavour == "events":
        facts = {case[0]: case[1:] for case in CASES}
        write_rows(folder, [(*COLUMNS, *EVENT_COLUMNS[1:]), *((e[0], *facts[e[0]], *e[1:]) for e in EVENTS)])
    else:
        write(folder, "sources/office/case.sql", "select * from cases;\n")
        write(folder, "sources/office/event.sql", "select * from events order by at;\n")
        with sqlite3.connect(folder / "office.db") as con:
            con.execute(f"create table cases ({', '.join(COLUMNS)})")
            con.execute(f"create table events ({', '.join(EVENT_COLUMNS)})")
            con.executemany(f"insert into cases values ({','.join('?' * len(COLUMNS))})", CASES)
            con.executemany("insert into events values (?,?,?)", EVENTS)
        con.close()
    return folder


def write(folder: Path, name: str, text: str) -> None:
    """Write a text file of the instance in UTF-8."""
    (folder / name).write_text(text, encoding="utf-8")


def write_rows(folder: Path, rows: list[tuple[str, ...]]) -> None:
    """Write rows.csv as plain joined cells: a test that wants a quote writes it."""
    write(folder, "rows.csv", "".join(",".join(row) + "\n" for row in rows))


def swap(old: str, new: str, *, file: str = "sources/office/source.toml", every: bool = False) -> Bend:
    """Replace a text that must be there."""

    def bend(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, old
        write(folder, file, text.replace(old, new, -1 if every else 1))

    return bend


def settings(old: str, new: str) -> Bend:
    """Replace a text in metadata.yml."""
    return swap(old, new, file="metadata.yml")


def nodes(old: str, new: str) -> Bend:
    """Replace a text in services.csv."""
    return swap(old, new, file="services.csv")


def cell(column: str, value: str, *, row: int = 2) -> Bend:
    """Put a value into a cell of rows.csv (rows count from 1)."""

    def bend(folder: Path) -> None:
        lines = [line.split(",") for line in (folder / "rows.csv").read_text(encoding="utf-8").splitlines()]
        lines[row][lines[0].index(column)] = value
        write_rows(folder, [tuple(line) for line in lines])

    return bend


def content(data: bytes | str, *, file: str = "rows.csv") -> Bend:
    """Put these bytes in the place of a file."""

    def bend(folder: Path) -> None:
        (folder / file).write_bytes(data.encode() if isinstance(data, str) else data)

    return bend


def recode(change: Callable[[bytes], bytes]) -> Bend:
    """Change the bytes of rows.csv."""

    def bend(folder: Path) -> None:
        (folder / "rows.csv").write_bytes(change((folder / "rows.csv").read_bytes()))

    return bend


def packed(change: Callable[[bytes], bytes] = bytes, *, after: bytes = b"") -> Bend:
    """Pack rows.csv, with more text after it, and change the packed bytes."""
    return recode(lambda data: change(gzip.compress(data + after, mtime=0)))


def remove(name: str) -> Bend:
    """Take a file away."""
    return lambda folder: (folder / name).unlink()


def folder_for(name: str) -> Bend:
    """Put a folder in the place of a file."""

    def bend(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return bend


def pipe_for(name: str) -> Bend:
    """Put a named pipe, which gives nothing until somebody writes, in the place of a file."""

    def bend(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return bend


def link_for(name: str, target: str) -> Bend:
    """Put a symbolic link in the place of a file."""

    def bend(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return bend


def damage(name: str) -> Bend:
    """Put other bytes over the second hundred of a file."""

    def bend(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:100] + b"\xff" * 100 + data[200:])

    return bend


def locked(name: str) -> Bend:
    """Hold a database of the office locked, as a program does that writes in it, until another is held."""

    def bend(folder: Path) -> None:
        _HELD[:] = [sqlite3.connect(folder / name, isolation_level=None)]
        _HELD[0].execute("begin exclusive")

    return bend


def sql(*statements: str) -> Bend:
    """Run statements in the database of the office."""

    def bend(folder: Path) -> None:
        with sqlite3.connect(folder / "office.db") as con:
            for statement in statements:
                con.execute(statement)
        con.close()

    return bend


def days(form: str, *values: str) -> Bend:
    """Let the Gregorian column `registered` hold three dates in one format, with no closing."""

    def bend(folder: Path) -> None:
        mapped = 'registered_on = { column = "registered" }'
        swap(mapped, mapped.replace(" }", f', format = "{form}" }}'))(folder)
        swap('column = "registered"\n', f'column = "registered"\nformat = "{form}"\n')(folder)
        for row, value in enumerate(values, 1):
            cell("registered", value, row=row)(folder)
            cell("closed", "", row=row)(folder)

    return bend


def many(rows: int, *, first: int = 1) -> Bend:
    """Let rows.csv hold so many sound cases."""

    def bend(folder: Path) -> None:
        write_rows(folder, [COLUMNS, *((f"CANARY-{n}", *CASES[0][1:]) for n in range(first, first + rows))])

    return bend


def both(*bends: Bend) -> Bend:
    """Bend in several ways, one after the other."""

    def bend(folder: Path) -> None:
        for each in bends:
            each(folder)

    return bend
