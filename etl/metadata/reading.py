"""Read and check `metadata.yml` and the CSV files it names: what is wrong is said in three parts, with the nearest right word.

Reads text only; it opens no data and knows no folder but the one it is given.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cattrs
from cattrs.gen import make_dict_structure_fn

from etl.calendars.periods import SYSTEMS
from etl.calendars.working_days import WEEKDAYS
from etl.errors import SettingsError, nearest
from etl.metadata.codes import code_rows
from etl.metadata.ladder import check_ladder, check_levels, check_rungs, check_weights
from etl.metadata.levels import COLUMNS, DEFAULT_LEVELS
from etl.metadata.settings import ENGINES, Clock, Margins, Node, Policy, Settings, Statutory
from etl.metadata.written import faults_of, make_converter, read_yaml, unknown_key
from etl.model.codes import CASE_TYPES

COHORT_LEVELS: Mapping[str, tuple[str, ...]] = {
    "service": ("leaf", "family"),
    "channel": ("code",),
    "applicant_kind": ("code",),
    "applicant_province": ("code",),
    "cohort_state": ("code",),
}
STOCK_LEVELS: Mapping[str, tuple[str, ...]] = {"service": ("family",), "stage": ("code",), "age": ("band",)}
PATTERNS = ("mined", "public")
_ID = re.compile(r"[a-z0-9][a-z0-9_]{0,199}")
_ID_WORDS = "small Latin letters, digits and _, which addresses of pages can hold"
_MEMORY = re.compile(r"[1-9]\d{0,8} ?[KMGT]i?B", re.IGNORECASE)
_CONTACT = re.compile(r"https://\S+|[^@\s:]+@[^@\s:]+")
SMALLEST_K = 5
LARGEST_K = 10_000
LONGEST_SETTLE_DAYS = 366
LONGEST_CLOCK_DAYS = 3_660
FIRST_YEAR = 1800  # of what a service or unit is valid from; a Jalali year lies before
SMALLEST_SHARE = 0.5
KNOWN_TO_OUTSIDERS = ("service", "unit", "channel", "lateness", "duration")
OWN_COLUMNS = ("body", "staff_band", "keywords_fa", "valid_from", "valid_to")
NODE_COLUMNS = ("id", "parent", "sensitive", "title_fa", "title_en", *OWN_COLUMNS)
SENSITIVE_MARKS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def load_settings(folder: Path) -> Settings:
    """Read `metadata.yml` (and the CSV files it names) of an instance; SettingsError in three parts where it is wrong."""
    raw = _read_metadata(folder)
    if not isinstance(raw, dict) or not isinstance(raw.get("x-shafaf"), dict):
        raise SettingsError(
            "metadata-shape",
            found="metadata.yml without a mapping x-shafaf",
            expected="a mapping with title and x-shafaf",
            todo="Start from the metadata.yml of the demo.",
        )
    own = dict(raw["x-shafaf"])
    for name in ("services", "units"):
        if isinstance(own.get(name), str):
            own[name] = _read_nodes(folder / own[name], name)
    if isinstance(own.get("ladder"), dict):
        own["ladder"] = check_weights(own["ladder"], {**DEFAULT_LEVELS, **_lists_of(own.get("levels"))})
    whole = {
        "title": _in_both(raw.get("title", {"fa": "شفاف", "en": "Shafaf"})),
        "license": raw.get("license", "CC-BY-4.0"),
        "source": _in_both(raw.get("source", "")),
        "contact": raw.get("contact", ""),
        "policy": own,
    }
    try:
        settings = _CONVERTER.structure(whole, Settings)
    except cattrs.BaseValidationError as error:
        raise _explain(error) from None
    if not all(settings.title.get(lang) for lang in ("fa", "en")):
        raise _wrong(
            "portal-title", "no title in both languages", "title: {fa: …, en: …}", "Write both in metadata.yml."
        )
    if settings.contact and not _CONTACT.fullmatch(settings.contact):
        raise _wrong("contact", "a contact of another form", "an e-mail address or https://…", "Correct `contact`.")
    check_policy(settings.policy)
    return settings


def _read_metadata(folder: Path) -> Any:
    path = folder / "metadata.yml"
    try:
        if not path.is_file():  # a pipe would be waited for
            path.stat()
            raise ValueError("no file")
        return read_yaml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise _wrong(
            "no-instance",
            f"no metadata.yml in {folder.name!r}",
            "the folder of an instance",
            "Name the instance with --portal DIR, before the verb.",
        ) from None
    except (ValueError, OSError) as error:
        why = {UnicodeDecodeError: "not UTF-8", ValueError: str(error)}.get(type(error), "unreadable")
        found = f"metadata.yml that cannot be read as YAML ({why})"
        raise _wrong("metadata-syntax", found, "a YAML mapping in UTF-8, each key once", "Correct the file.") from None


def _lists_of(levels: object) -> dict[str, list[Any]]:
    """Give the levels that can be counted; what is wrong with the others is said when all is read."""
    pairs = levels.items() if isinstance(levels, dict) else ()
    return {column: names for column, names in pairs if isinstance(names, list) and names}


def _in_both(text: object) -> object:
    """Give a text by language; one text stands for both."""
    return {"fa": text, "en": text} if isinstance(text, str) else text


def check_policy(policy: Policy) -> None:
    """Check what types cannot say: k, calendar, clocks, trees, bands, ladder; SettingsError naming the key."""
    if not SMALLEST_K <= policy.k <= LARGEST_K:
        raise _wrong(
            "policy-k",
            f"k = {policy.k}",
            f"at least {SMALLEST_K}, {LARGEST_K} at most",
            "Correct x-shafaf.k; 10 is usual.",
        )
    _check_member("engine", policy.engine, ENGINES, "x-shafaf.engine")
    if not _MEMORY.fullmatch(policy.memory_limit):
        raise _wrong(
            "memory-limit", "a memory limit of another form", "such as 1200MB", "Correct x-shafaf.memory_limit."
        )
    _check_fixed("margins.by", policy.margins.by, Margins().by)
    _check_fixed("floor", policy.floor, Policy().floor)
    for dimension in policy.statutory.dimensions:
        _check_member("statutory-dimension", dimension, Statutory().dimensions, "a dimension of x-shafaf.statutory")
    _check_cadence(policy)
    _check_bodies(policy)
    _check_calendar(policy)
    _check_clocks(policy)
    _check_tree("services.csv", policy.services)
    _check_tree("units.csv", policy.units)
    _check_bands(policy)
    check_levels(policy)
    check_ladder(policy)
    check_rungs(policy.cohorts.ladder, COHORT_LEVELS, where="x-shafaf.cohorts.ladder")
    check_rungs(policy.stock.ladder, STOCK_LEVELS, where="x-shafaf.stock.ladder")
    _check_member("patterns", policy.patterns, PATTERNS, "x-shafaf.patterns")
    _check_sensitive(policy)
    case_types = [*CASE_TYPES, *(code.code for code in policy.codes if code.list == "case_type")]
    for case_type in [*policy.margins.join_small, *policy.margins.join_small.values(), *policy.statutory.case_types]:
        _check_member("case-type", case_type, case_types, "a case type of x-shafaf.margins or statutory")


def _check_fixed(key: str, value: tuple[str, ...], only: tuple[str, ...]) -> None:
    if value != only:
        todo = f"Leave x-shafaf.{key} out: it says what is so, and cannot be chosen."
        raise _wrong("setting-fixed", f"x-shafaf.{key} of {list(value)}", str(list(only)), todo)


def _check_cadence(policy: Policy) -> None:
    cadence, promised = policy.cadence, policy.cohorts.promised_days
    if not 1 <= cadence.season <= cadence.month or not 0 <= cadence.settle_days <= LONGEST_SETTLE_DAYS:
        found = (
            f"a cadence of {cadence.month} and {cadence.season} cases a month and {cadence.settle_days} days to settle"
        )
        expected = f"month not below season, season from 1, settle_days 0 to {LONGEST_SETTLE_DAYS}"
        raise _wrong("cadence", found, expected, "Correct x-shafaf.cadence.")
    if not 0 <= promised <= LONGEST_CLOCK_DAYS:
        todo = "Correct x-shafaf.cohorts.promised_days."
        raise _wrong("clock-days", f"{promised} promised days", f"0 to {LONGEST_CLOCK_DAYS}", todo)


def _check_bodies(policy: Policy) -> None:
    ids = [body.id for body in policy.bodies]
    for body in policy.bodies:
        if not _ID.fullmatch(body.id):
            raise _wrong("body-id", f"the id {body.id!r} of a body", _ID_WORDS, "Correct it in x-shafaf.bodies.")
        if ids.count(body.id) > 1:
            raise _wrong("body-id", f"the body {body.id!r} twice", "each id once", "Give one of them another id.")
        if not all(body.title.get(lang) for lang in ("fa", "en")):
            found = f"the body {body.id!r} without a name in both languages"
            raise _wrong("body-title", found, "title: {fa: …, en: …}", "Write both in x-shafaf.bodies.")


def _check_sensitive(policy: Policy) -> None:
    sensitive = policy.sensitive
    for service in sensitive.services:
        _check_member("sensitive-service", service, [node.id for node in policy.services], "a sensitive service")
    for column in sensitive.implies:
        _check_member("sensitive-column", column, COLUMNS, "a column of x-shafaf.sensitive.implies")
    for column in sensitive.coarsen:
        _check_member("sensitive-column", column, ("outcome",), "a column of x-shafaf.sensitive.coarsen")
    for known in sensitive.known_to_outsiders:
        for column in known:
            _check_member("sensitive-column", column, KNOWN_TO_OUTSIDERS, "a column of known_to_outsiders")
    outcomes = [row.code for row in code_rows(policy) if row.list_code == "outcome"]
    coarsened = sensitive.coarsen.get("outcome", {})
    for code in (*sensitive.ordinary, *coarsened, *coarsened.values()):
        _check_member("sensitive-outcome", code, outcomes, "an outcome of x-shafaf.sensitive")
    if not SMALLEST_SHARE <= sensitive.largest_share <= 1:
        found, expected = f"a largest share of {sensitive.largest_share}", f"{SMALLEST_SHARE} to 1"
        raise _wrong("sensitive-share", found, expected, "Correct x-shafaf.sensitive.largest_share.")


def _check_calendar(policy: Policy) -> None:
    _check_member("calendar-system", policy.calendar.system, SYSTEMS, "x-shafaf.calendar.system")
    for day in policy.calendar.weekend:
        _check_member("calendar-weekend", day, WEEKDAYS, "a day of x-shafaf.calendar.weekend")
    try:
        ZoneInfo(policy.calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong(
            "calendar-zone",
            f"the zone {policy.calendar.zone!r}",
            "a zone of the IANA database",
            "Write it as Asia/Tehran in x-shafaf.calendar.zone.",
        ) from None


def _check_clocks(policy: Policy) -> None:
    _check_member("clock-headline", policy.clocks.headline, ("bylaw", "law"), "x-shafaf.clocks.headline")
    _ = policy.clocks.lead  # raises where the headline clock is missing
    for clock in (policy.clocks.bylaw, policy.clocks.law):
        if clock is None:
            continue
        _check_member("clock-kind", clock.kind, ("working", "calendar", "promised"), "the kind of a clock")
        _check_member("clock-from", clock.start, ("received", "registered"), "the start of a clock")
        if clock.kind != "promised" and not 1 <= clock.days <= LONGEST_CLOCK_DAYS:
            expected = f"1 to {LONGEST_CLOCK_DAYS}"
            raise _wrong("clock-days", f"a clock of {clock.days} days", expected, "Correct x-shafaf.clocks.")


def _check_tree(file: str, nodes: Sequence[Node]) -> None:
    for node in nodes:
        if not _ID.fullmatch(node.id):
            raise _wrong(
                "nodes-id", f"the id {node.id!r} in {file}", _ID_WORDS, "Correct it, and where it is a parent."
            )
        if any(day is not None and day.year < FIRST_YEAR for day in (node.valid_from, node.valid_to)):
            found = f"a day of {node.id!r} in {file} in a year before {FIRST_YEAR}"
            raise _wrong("nodes-day", found, "a Gregorian day such as 2026-03-20", "Correct valid_from or valid_to.")
    parents = {node.id: node.parent for node in nodes}
    if len(parents) < len(nodes):
        twice = sorted({node.id for node in nodes if sum(other.id == node.id for other in nodes) > 1})[0]
        raise _wrong("nodes-twice", f"the id {twice!r} twice in {file}", "each id once", "Give one of them another id.")
    for node in nodes:
        if node.parent is not None:
            _check_member("nodes-parent", node.parent, list(parents), f"the parent of {node.id!r} in {file}")
        seen, at = {node.id}, node.parent
        while at is not None and at not in seen:
            seen.add(at)
            at = parents.get(at)
        if at is not None:
            raise _wrong("nodes-cycle", f"{at!r} above itself in {file}", "a tree", "Correct the column parent.")


def _check_bands(policy: Policy) -> None:
    edges, wide = policy.bands.duration, policy.bands.duration_wide
    for name, some in (("duration", edges), ("age", (0, *policy.bands.age))):
        if len(some) < 2 or list(some) != sorted(set(some)) or some[0] < 0 or some[-1] > LONGEST_CLOCK_DAYS:
            found, todo = f"the edges {list(some)} of {name}", f"Correct x-shafaf.bands.{name}."
            raise _wrong("bands-order", found, f"two or more, rising, from 0 to {LONGEST_CLOCK_DAYS}", todo)
    limit = policy.clocks.lead
    if limit.kind != "promised" and limit.days not in edges:
        expected = f"the legal limit, {limit.days} days, among them: otherwise no band tells late from on time"
        raise _wrong("bands-limit", f"the edges {list(edges)}", expected, "Add it to x-shafaf.bands.duration.")
    shows_wide = any("wide_band" in rung.values() for rung in policy.ladder)
    must = {edges[0]} | ({limit.days} if limit.kind != "promised" else set())
    nests = len(wide) >= 2 and set(wide) <= set(edges) and must <= set(wide) and list(wide) == sorted(set(wide))
    if (wide or shows_wide) and not nests:
        expected = f"some of {list(edges)}, rising, with {' and '.join(str(edge) for edge in sorted(must))}"
        raise _wrong("bands-nest", f"the wide edges {list(wide)}", expected, "Correct x-shafaf.bands.duration_wide.")


def _check_member(slug: str, value: str | None, known: Collection[str], what: str) -> None:
    if value not in known:
        todo = f"Nearest: {nearest(str(value), known)}." if known else "None is declared."
        raise _wrong(slug, f"{value!r} as {what}", f"one of {', '.join(sorted(known)[:30])}", todo)


def _wrong(slug: str, found: str, expected: str, todo: str) -> SettingsError:
    return SettingsError(slug, found=found, expected=expected, todo=todo)


def _read_nodes(path: Path, kind: str) -> list[dict[str, Any]]:
    try:
        if not path.is_file():
            raise FileNotFoundError
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        lines, names = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error):
        expected = f"the file that x-shafaf.{kind} names, CSV in UTF-8"
        raise _wrong("no-nodes", f"no readable {path.name}", expected, "Add it, or save it as CSV in UTF-8.") from None
    for name in names:
        _check_member("nodes-column", name, NODE_COLUMNS, f"a column of {path.name}")
        if names.count(name) > 1:
            raise _wrong("nodes-column", f"the column {name!r} twice in {path.name}", "each once", "Leave one out.")
    return [_node(row, f"row {number} of {path.name}") for number, row in enumerate(lines, 1)]


def _node(row: Mapping[str | None, str | None], place: str) -> dict[str, Any]:
    if None in row:
        raise _wrong("nodes-column", f"more cells in {place} than names", "a name for each cell", "Leave them out.")
    cells = {name: (text or "").strip() for name, text in row.items()}
    own = cells.get("id")
    if not own:
        raise _wrong("nodes-id", f"{place} without an id", "an id in each row", "Add it.")
    mark = cells.get("sensitive", "").casefold()
    if mark not in SENSITIVE_MARKS:
        expected = f"one of {', '.join(word for word in SENSITIVE_MARKS if word)}, or nothing"
        raise _wrong("nodes-sensitive", f"{mark!r} as sensitive in {place}", expected, "Write true or false.")
    node: dict[str, Any] = {"id": own, "parent": cells.get("parent") or None}
    node["title"] = {"fa": cells.get("title_fa") or own, "en": cells.get("title_en") or own}
    node["sensitive"] = SENSITIVE_MARKS[mark]
    return node | {name: cells[name] for name in OWN_COLUMNS if cells.get(name)}


def _explain(error: cattrs.BaseValidationError) -> SettingsError:
    unknown = unknown_key(error)
    if unknown:
        key, known = unknown
        found, todo = f"the unknown key {key!r} in metadata.yml", f"Nearest: {nearest(key, known)}."
        return _wrong("unknown-key", found, f"one of {', '.join(known)}", todo)
    lines = [f"{_placed(key)} {wrong}" for key, wrong in faults_of(error, "metadata.yml")]
    return _wrong(
        "metadata-type", "; ".join(lines), "the types that docs/reference/settings.md names", "Correct metadata.yml."
    )


def _placed(key: str) -> str:
    """Name a key as it stands in the file.

    >>> _placed("policy.cadence.month")
    'x-shafaf.cadence.month'
    """
    return key.replace("policy", "x-shafaf", 1) if key.startswith("policy") else key or "metadata.yml"


def _make_converter() -> cattrs.Converter:
    converter = make_converter()
    renamed = make_dict_structure_fn(
        Clock, converter, _cattrs_forbid_extra_keys=True, start=cattrs.override(rename="from")
    )
    converter.register_structure_hook(Clock, renamed)
    return converter


_CONVERTER = _make_converter()
