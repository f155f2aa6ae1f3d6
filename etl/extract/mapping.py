"""The mapping of a source: `source.toml` as frozen values (CONTRACT "source.toml", docs/reference/source-toml.md).

Where it stands: the operator's data -> here -> converters and readers. An unknown key is an error that names the nearest
known one. This module reads the mapping only; it opens no source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cattrs

from etl.errors import SettingsError, nearest
from etl.extract.formats import FIRST_YEAR, fault_of
from etl.metadata import Settings
from etl.metadata.written import faults_of, make_converter, read_toml, unknown_key
from etl.model.codes import MILESTONES
from etl.model.text import fold

CASE_COLUMNS = (
    "case_type_code",
    "body_id",
    "unit_id",
    "service_id",
    "channel_code",
    "applicant_kind_code",
    "applicant_province_code",
    "track_code",
    "requester_key",
    "received_at",
    "registered_on",
    "promised_on",
    "decided_on",
    "closed_on",
    "status_code",
    "outcome_code",
    "complaint_ground_code",
    "reason_code",
    "letter_direction_code",
    "score",
    "parent_case_key",
    "exemption_code",
    "is_notified_each",
)
EVENT_COLUMNS = (
    "activity_code",
    "milestone_code",
    "occurred_at",
    "from_unit_id",
    "to_unit_id",
    "time_source_code",
)
DATES_OF_EVENTS = ("received_at", "registered_on", "decided_on", "closed_on")
EVENT_PLACES = ("first", "last")
KINDS = ("sql", "table")
SHAPES = ("events", "case_row")
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
ROLES = ("", "desk", "automation")
ENCODINGS = ("utf-8", "windows-1256", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
LAST_YEAR = 2200
LONGEST_LINE = 1 << 30  # a line is held in memory
MOST = 1 << 62
_NOT_KEYS = ("name", "folder", "date_events")  # fields of a mapping that its file does not write so


@dataclass(frozen=True)
class ColumnMap:
    """How one staging column is made: from source columns (with formats, a map, a coding rule), a constant, or an event.

    event: `first` or `last` in time, of the events of the case with `milestone` (of all where it is empty); gives dates.
    """

    column: str = ""
    columns: tuple[str, ...] = ()
    join: str = " "
    constant: str | None = None
    format: tuple[str, ...] = ()
    map: str = ""
    code: str = ""
    lang: str = ""
    separator: str = ""
    event: str = ""
    milestone: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The source columns it is made of; none for a constant or an event."""
        return self.columns or ((self.column,) if self.column else ())


@dataclass(frozen=True)
class DateEvent:
    """An event made of a date column of the case row."""

    activity: str
    column: str
    milestone: str = ""
    format: tuple[str, ...] = ()
    to_unit: str = ""
    map: str = ""


@dataclass(frozen=True)
class Secrecy:
    """How the secrecy class of a case is known; all that is not mapped to `normal` is secret."""

    column: str = ""
    map: str | Mapping[str, str] = ""  # the name of a [map.NAME], or the pairs themselves
    constant: str = ""
    why: str = ""


@dataclass(frozen=True)
class Link:
    """The source's own id of a case, and references that another source holds too (alternatives of columns).

    role: `desk` leads; any other source with `link_ref` is an automation.
    """

    case_ref: str
    role: str = ""
    link_ref: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Limits:
    """What a source may do before the run stops: shares of cases (0 to 1, growth more), bytes of its file."""

    quarantine_share: float = 0.01  # of its cases, and of its event rows
    shrink_share: float = 0.5  # fewer cases than in the last run
    growth_share: float = 0.5  # more cases than in the last run, looked at from `growth_from` cases on
    growth_from: int = 1_000
    line_bytes: int = 1 << 20
    unpacked_bytes: int = 64 << 30
    unpack_ratio: int = 200


@dataclass(frozen=True)
class Changes:
    """How a database tells what changed in it: columns of `case.sql` and `event.sql`, compared by the database itself."""

    column: str = ""  # of case.sql: the last change of the case or of its events
    event_column: str = ""  # of event.sql, where its rows have one of their own
    order: str = ""  # of event.sql: a whole number that places the events of one case where times do not
    overlap: int = 1_000  # newest rows that are read once more
    full_days: int = 30  # days of snapshots between two whole reads


@dataclass(frozen=True)
class SourceMap:
    """`source.toml` whole, with the name and folder of its source and the instance's zone and calendar filled in."""

    name: str
    folder: Path
    kind: str
    secrecy: Secrecy
    case: Mapping[str, ColumnMap]
    link: Link
    url: str = ""
    path: str = ""
    shape: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: int = 1
    zone: str = ""
    calendar: str = ""
    snapshot_on: date | None = None
    snapshot_query: str = ""
    missing: tuple[str, ...] = ()
    event: Mapping[str, ColumnMap] = field(default_factory=dict)
    date_events: tuple[DateEvent, ...] = ()
    map: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    milestone: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)

    @property
    def role(self) -> str:
        """What the source gives to a joined case: `desk`, `automation`, or nothing to join."""
        return self.link.role or ("automation" if self.link.link_ref else "")

    @property
    def secrecy_map(self) -> Mapping[str, str]:
        """Source value -> secrecy class."""
        pairs = self.secrecy.map
        return self.map.get(pairs, {}) if isinstance(pairs, str) else pairs


def load_sources(folder: Path, settings: Settings, *, only: Iterable[str] = ()) -> tuple[SourceMap, ...]:
    """Read every mapping in `sources/` by name; SettingsError where there is none or `only` names an unknown one."""
    names = sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())
    for name in names or ("NAME",):
        if not (folder / name / "source.toml").exists():
            raise SettingsError(
                "no-sources",
                found=f"no sources/{name}/source.toml",
                expected="at least one source, and a mapping in the folder of each",
                todo="Write it; docs/reference/source-toml.md says how, examples/ has five.",
            )
    wanted = tuple(only) or tuple(names)
    for name in wanted:
        if name not in names:
            raise SettingsError(
                "unknown-source",
                found=f"the source {name!r}",
                expected=f"one of {', '.join(names)}",
                todo=f"Nearest: {nearest(name, names)}.",
            )
    return tuple(load_source(folder / name, settings) for name in names if name in wanted)


def load_source(folder: Path, settings: Settings) -> SourceMap:
    """Read and check one mapping; SettingsError in three parts where it is wrong."""
    place = f"sources/{folder.name}/source.toml"
    try:
        raw = read_toml(folder / "source.toml")
    except ValueError as error:
        found = f"{place} that cannot be read as TOML{f' ({error})' if str(error) else ''}"
        raise _wrong("source-syntax", found, "TOML in UTF-8, each key once", "Correct the file.") from None
    for key in _NOT_KEYS:
        if key in raw:
            raise _unknown(key, [f.name for f in fields(SourceMap)][2:], place)
    whole = {**raw, "name": folder.name, "folder": folder}
    if isinstance(raw.get("event"), list):
        whole["date_events"] = whole.pop("event")
    whole.setdefault("zone", settings.policy.calendar.zone)
    whole.setdefault("calendar", settings.policy.calendar.system)
    try:
        source = _CONVERTER.structure(whole, SourceMap)
    except cattrs.BaseValidationError as error:
        raise _explain(error, place) from None
    check_source(source)
    return source


def check_source(source: SourceMap) -> None:
    """Check what types cannot say: kinds, secrecy, columns, maps, zone, snapshot; SettingsError naming the key."""
    place = f"sources/{source.name}/source.toml"
    _one_of(source.kind, KINDS, f"kind in {place}")
    _one_of(source.link.role, ROLES, f"link.role in {place}")
    _one_of(source.calendar, ("jalali", "gregorian"), f"calendar in {place}")
    _one_of(source.encoding, ENCODINGS, f"encoding in {place}")
    _one_of(source.delimiter, DELIMITERS, f"delimiter in {place}")
    if source.kind == "table":
        _one_of(source.shape, SHAPES, f"shape in {place}")
    if not (source.url if source.kind == "sql" else source.path):
        key = "url" if source.kind == "sql" else "path"
        raise _wrong("source-address", f"no {key} in {place}", f"{key} of the source", "Add it.")
    if source.header_row < 1 or ((source.sheet or source.header_row > 1) and not is_workbook(source)):
        found = f"sheet or header_row in {place}"
        raise _wrong("source-sheet", found, f"a path ending in {', '.join(WORKBOOKS)}, rows from 1", "Correct it.")
    try:
        ZoneInfo(source.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        todo = "Write an IANA name such as Asia/Tehran."
        raise _wrong("source-zone", f"the zone {source.zone!r} in {place}", "a known time zone", todo) from None
    _check_secrecy(source, place)
    _check_columns(source, place)
    _check_patterns(source, place)
    _check_forms(source, place)
    _check_limits(source.limits, place)
    _check_changes(source, place)
    if source.snapshot_on is None and (not source.snapshot_query or source.kind == "table"):
        raise _wrong(
            "source-snapshot",
            f"neither snapshot_on nor (for sql) snapshot_query in {place}",
            "the day or instant the rows stand for",
            "Name one; no clock of the machine enters a release.",
        )
    if source.snapshot_on is not None and not FIRST_YEAR <= source.snapshot_on.year < LAST_YEAR:
        found = f"snapshot_on in the year {source.snapshot_on.year} in {place}"
        expected = f"a day of the Gregorian calendar, {FIRST_YEAR} or later"
        todo = "Write it as 2026-03-20, whatever calendar the source has."
        raise _wrong("source-snapshot", found, expected, todo)


def is_workbook(source: SourceMap) -> bool:
    """Say whether the file of a source is a workbook, by its name."""
    return source.kind == "table" and source.path.lower().endswith(WORKBOOKS)


def _check_secrecy(source: SourceMap, place: str) -> None:
    secrecy = source.secrecy
    by_column = bool(secrecy.column) and "normal" in source.secrecy_map.values()
    by_constant = secrecy.constant == "normal" and bool(secrecy.why)
    if by_column == by_constant:
        expected = 'a column with a map to "normal", or constant = "normal" with why'
        todo = "State how the secrecy class of a case is known."
        raise _wrong("source-secrecy", f"a [secrecy] in {place} that decides nothing", expected, todo)


def _check_columns(source: SourceMap, place: str) -> None:
    for table, columns, known in (("case", source.case, CASE_COLUMNS), ("event", source.event, EVENT_COLUMNS)):
        for name, how in columns.items():
            if name not in known:
                raise _unknown(name, known, f"[{table}] of {place}")
            if sum((bool(how.column), bool(how.columns), how.constant is not None, bool(how.event))) != 1:
                found = f"{name} in [{table}] of {place}"
                expected = "one of column, columns, constant, event"
                raise _wrong("source-column", found, expected, "Keep one of them.")
            if how.constant is not None and not name.endswith(("_code", "_id")):
                found = f"a constant {name} in [{table}] of {place}"
                raise _wrong("source-column", found, "a source column: only codes are constant", "Name its column.")
            if how.event or how.milestone:
                _check_event_date(name, how, table, place=place)
            if how.code not in ("", "slug"):
                raise _wrong("source-code", f"code = {how.code!r} of {name} in {place}", '"slug"', "Correct it.")
            if how.map and how.map not in source.map:
                todo = f"Nearest: {nearest(how.map, source.map)}." if source.map else "Add the map."
                raise _wrong("source-map", f"the map {how.map!r} of {name} in {place}", "a table [map.NAME]", todo)
    for name in ("case_type_code", "body_id"):
        if name not in source.case:
            raise _wrong(
                "source-needs", f"no {name} in [case] of {place}", "this column", "Map it or make it constant."
            )
    if "registered_on" not in source.case and "received_at" not in source.case:
        found = f"neither registered_on nor received_at in [case] of {place}"
        raise _wrong("source-needs", found, "a day on which cases begin", "Map one of the two.")
    if not source.link.case_ref or not all(names and all(names) for names in source.link.link_ref):
        raise _wrong("source-needs", f"an empty name in [link] of {place}", "names of columns", "Write them.")
    if not all(event.column and event.activity for event in source.date_events):
        found = f"an [[event]] of {place} without its column or activity"
        raise _wrong("source-needs", found, "both", "Write them.")
    if source.event and "activity_code" not in source.event:
        raise _wrong("source-needs", f"no activity_code in [event] of {place}", "this column", "Map it.")
    if source.shape == "events" and not source.event:
        raise _wrong("source-needs", f"no [event] in {place}", "a mapping of event rows", "Add it.")


def _check_patterns(source: SourceMap, place: str) -> None:
    tables = {"milestone": source.milestone} | {f"map.{name}": pairs for name, pairs in source.map.items()}
    for name, pairs in tables.items():
        for key, code in pairs.items():
            try:
                re.compile(key.removeprefix("re:")).sub(code, "") if key.startswith("re:") else None
            except (re.error, IndexError):
                found, expected = f"the pattern {key!r} in [{name}] of {place}", "a regular expression after re:"
                raise _wrong("source-pattern", found, f"{expected}, and groups that it has", "Correct it.") from None
        _check_spellings(pairs, f"[{name}] of {place}")
    _check_spellings(source.secrecy_map, f"[secrecy] of {place}")


def _check_spellings(pairs: Mapping[str, str], place: str) -> None:
    """Check that no two keys are one text once they are folded and mean two codes: one of them would be lost."""
    codes: dict[str, str] = {}
    for key, code in pairs.items():
        if not key.startswith("re:") and codes.setdefault(fold(key), code) != code:
            found = f"two spellings of {key!r} with two codes in {place}"
            raise _wrong("source-map-twice", found, "one code for what is compared as one text", "Leave one out.")


def _check_event_date(name: str, how: ColumnMap, table: str, *, place: str) -> None:
    if table != "case" or name not in DATES_OF_EVENTS or not how.event:
        raise _wrong(
            "source-event-date",
            f"event or milestone for {name} in [{table}] of {place}",
            f"event, and milestone where wanted, for one of {', '.join(DATES_OF_EVENTS)} in [case]",
            'Name a source column, or write { event = "first", milestone = "registered" } for a date.',
        )
    _one_of(how.event, EVENT_PLACES, f"event of {name} in {place}")
    if how.milestone:
        _one_of(how.milestone, MILESTONES, f"milestone of {name} in {place}")


def _check_forms(source: SourceMap, place: str) -> None:
    """Check every format of a date and every regular expression."""
    formats = [form for how in (*source.case.values(), *source.event.values()) for form in how.format]
    formats += [form for event in source.date_events for form in event.format]
    for form in formats:
        fault = fault_of(form)
        if fault:
            todo = 'Write it as "%Y-%m-%d", "%m/%d/%Y %I:%M:%S %p" or "jalali:%Y/%m/%d".'
            raise _wrong("source-format", f"the format {form!r} in {place}: {fault}", "a whole day, unambiguous", todo)
    for event in source.date_events:
        if event.map and event.map not in source.map:
            raise _wrong(
                "source-map", f"the map {event.map!r} in [[event]] of {place}", "a table [map.NAME]", "Add it."
            )
    if source.shape == "events" and source.date_events or source.shape == "case_row" and source.event:
        found = f"{'[[event]]' if source.date_events else '[event]'} with shape = {source.shape!r} in {place}"
        expected = '[event] for "events", [[event]] for "case_row"'
        raise _wrong("source-shape", found, expected, "Keep the form of the shape.")


def _check_limits(limits: Limits, place: str) -> None:
    shares = (limits.quarantine_share, limits.shrink_share)
    counts = (limits.growth_from, limits.line_bytes, limits.unpacked_bytes, limits.unpack_ratio)
    is_in_range = all(0 <= share <= 1 for share in shares) and limits.growth_share >= 0
    if not is_in_range or min(counts) < 1 or limits.line_bytes > LONGEST_LINE or max(counts) > MOST:
        found = f"a limit out of range in [limits] of {place}"
        expected = f"shares from 0 to 1 (growth_share from 0), counts and bytes from 1, line_bytes to {LONGEST_LINE}"
        raise _wrong("source-limit", found, expected, "Correct it.")


def _check_changes(source: SourceMap, place: str) -> None:
    changes = source.changes
    if changes == Changes():
        return
    is_whole = source.kind == "sql" and changes.column and changes.overlap >= 1 and changes.full_days >= 1
    if not is_whole or bool(changes.order) != bool(source.event) or (changes.event_column and not source.event):
        raise _wrong(
            "source-changes",
            f"a [changes] in {place} by which changes cannot be told",
            'kind = "sql", column, with [event] also order; overlap and full_days from 1',
            "Complete it, or leave it out: then every run reads the source whole.",
        )


def _one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        todo = f"Nearest: {nearest(value, known)}."
        raise _wrong("source-value", f"{value!r} as {what}", f"one of {', '.join(k for k in known if k)}", todo)


def _wrong(slug: str, found: str, expected: str, todo: str) -> SettingsError:
    return SettingsError(slug, found=found, expected=expected, todo=todo)


def _unknown(key: str, known: Iterable[str], place: str) -> SettingsError:
    names = list(known)
    found, todo = f"the unknown key {key!r} in {place}", f"Nearest: {nearest(key, names)}."
    return _wrong("source-unknown-key", found, f"one of {', '.join(names)}", todo)


def _explain(error: cattrs.BaseValidationError, place: str) -> SettingsError:
    unknown = unknown_key(error)
    if unknown:
        return _unknown(unknown[0], (name for name in unknown[1] if name not in _NOT_KEYS), place)
    lines = "; ".join(f"{key or 'all of it'} {wrong}" for key, wrong in faults_of(error, place))
    found, expected = f"in {place}: {lines}", "the keys that docs/reference/source-toml.md names"
    return _wrong("source-type", found, expected, "Correct the mapping.")


def _texts(value: Any, _: Any) -> tuple[str, ...]:
    if not isinstance(value, str | list):
        raise ValueError
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)


def _references(value: Any, _: Any) -> tuple[tuple[str, ...], ...]:
    alternatives = [value] if isinstance(value, str) else value
    return tuple(_texts(item, None) for item in alternatives)


def _name_or_pairs(value: Any, _: Any) -> str | Mapping[str, str]:
    if not isinstance(value, str | dict):
        raise ValueError
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else value


def _make_converter() -> cattrs.Converter:
    converter = make_converter()
    converter.register_structure_hook_func(lambda cls: cls == tuple[str, ...], _texts)
    converter.register_structure_hook_func(lambda cls: cls == tuple[tuple[str, ...], ...], _references)
    converter.register_structure_hook_func(lambda cls: cls == str | Mapping[str, str], _name_or_pairs)
    structure = converter.get_structure_hook(ColumnMap)
    converter.register_structure_hook(
        ColumnMap, lambda v, cls: structure({"column": v} if isinstance(v, str) else v, cls)
    )
    return converter


_CONVERTER = _make_converter()
