"""What the types of a mapping cannot say: kinds, secrecy, columns, maps, formats, limits, each told by its key.

Where it stands: between a mapping that was read (`etl.extract.mapping_file`) and everything that relies on it. Opens no source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from etl.errors import SettingsError, nearest
from etl.extract.formats import FIRST_YEAR, fault_of
from etl.extract.mapping import WORKBOOKS, Changes, ColumnMap, Limits, SourceMap, is_workbook
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
ROLES = ("", "desk", "automation")
ENCODINGS = ("utf-8", "windows-1256", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
LAST_YEAR = 2200
LONGEST_LINE = 1 << 30  # a line is held in memory
MOST = 1 << 62


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
    rows = source.header_row
    is_in_order = rows and rows[0] >= 1 and list(rows) == sorted(set(rows))
    if not is_in_order or ((source.sheet or rows != (1,)) and not is_workbook(source)):
        found = f"sheet or header_row in {place}"
        raise _wrong("source-sheet", found, f"a path ending in {', '.join(WORKBOOKS)}, rows from 1", "Correct it.")
    leave_out = source.leave_out
    if bool(leave_out.column) != bool(leave_out.values) or (leave_out.column and source.kind != "table"):
        found, todo = f"a [leave_out] in {place} that leaves out nothing", "A query says it itself, by where."
        raise _wrong("source-leave-out", found, 'kind = "table", column and values', todo)
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
                raise unknown_name(name, known, f"[{table}] of {place}")
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
    tables = {"milestone": source.milestone, "leave_out": dict.fromkeys(source.leave_out.values, "")}
    tables |= {f"map.{name}": pairs for name, pairs in source.map.items()}
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


def unknown_name(key: str, known: Iterable[str], place: str) -> SettingsError:
    """Make the error of a key that nobody knows, with the nearest of those that are known."""
    names = list(known)
    found, todo = f"the unknown key {key!r} in {place}", f"Nearest: {nearest(key, names)}."
    return _wrong("source-unknown-key", found, f"one of {', '.join(names)}", todo)
