"""Read and check `metadata.yml` and the CSV files it names: what is wrong is said in three parts, with the nearest right word.

Reads text only; it opens no data and knows no folder but the one it is given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cattrs
import yaml
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from etl.calendars.periods import SYSTEMS
from etl.calendars.working_days import WEEKDAYS
from etl.errors import SettingsError, nearest
from etl.metadata.codes import code_rows
from etl.metadata.ladder import MAX_RUNGS, check_ladder, check_levels, check_weights
from etl.metadata.levels import COLUMNS, DEFAULT_LEVELS
from etl.metadata.settings import ENGINES, Clock, Node, Policy, Settings
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
_CONTACT = re.compile(r"https://\S+|[^@\s:]+@[^@\s:]+")
SMALLEST_K = 5
SMALLEST_SHARE = 0.5
KNOWN_TO_OUTSIDERS = ("service", "unit", "channel", "lateness", "duration")
NODE_COLUMNS = (
    "id",
    "parent",
    "body",
    "sensitive",
    "staff_band",
    "title_fa",
    "title_en",
    "keywords_fa",
    "valid_from",
    "valid_to",
)


def load_settings(folder: Path) -> Settings:
    """Read `metadata.yml` (and the CSV files it names) of an instance; SettingsError in three parts where it is wrong."""
    path = folder / "metadata.yml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            "no-instance",
            found=f"no metadata.yml in {folder.name!r}",
            expected="the folder of an instance",
            todo="Name the instance with --portal DIR.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        place = getattr(error, "problem_mark", None)
        raise SettingsError(
            "metadata-syntax",
            found=f"metadata.yml that cannot be read as YAML{'' if place is None else f' (line {place.line + 1})'}",
            expected="a YAML mapping in UTF-8",
            todo="Correct the file.",
        ) from None
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
        own["ladder"] = check_weights(own["ladder"], {**DEFAULT_LEVELS, **(own.get("levels") or {})})
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
    if settings.contact and not _CONTACT.fullmatch(settings.contact):
        raise _wrong("contact", "a contact of another form", "an e-mail address or https://…", "Correct `contact`.")
    check_policy(settings.policy)
    return settings


def _in_both(text: object) -> object:
    """Give a text by language; one text stands for both."""
    return text if isinstance(text, dict) else {"fa": str(text), "en": str(text)}


def check_policy(policy: Policy) -> None:
    """Check what types cannot say: k, calendar, clocks, trees, bands, ladder; SettingsError naming the key."""
    if policy.k < SMALLEST_K:
        raise _wrong("policy-k", f"k = {policy.k}", f"at least {SMALLEST_K}", "Raise x-shafaf.k.")
    _check_member("engine", policy.engine, ENGINES, "x-shafaf.engine")
    _check_calendar(policy)
    _check_clocks(policy)
    _check_tree("services.csv", policy.services)
    _check_tree("units.csv", policy.units)
    _check_bands(policy)
    check_levels(policy)
    check_ladder(policy)
    _check_other_ladder("cohorts", policy.cohorts.ladder, COHORT_LEVELS)
    _check_other_ladder("stock", policy.stock.ladder, STOCK_LEVELS)
    _check_member("patterns", policy.patterns, PATTERNS, "x-shafaf.patterns")
    _check_sensitive(policy)
    case_types = [*CASE_TYPES, *(code.code for code in policy.codes if code.list == "case_type")]
    for case_type in [*policy.margins.join_small, *policy.margins.join_small.values(), *policy.statutory.case_types]:
        _check_member("case-type", case_type, case_types, "a case type of x-shafaf.margins or statutory")


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
        if clock.kind != "promised" and clock.days < 1:
            raise _wrong("clock-days", f"a clock of {clock.days} days", "at least 1", "Correct x-shafaf.clocks.")


def _check_tree(file: str, nodes: Sequence[Node]) -> None:
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
    if len(edges) < 2 or list(edges) != sorted(set(edges)) or edges[0] < 0:
        todo = "Correct x-shafaf.bands.duration."
        raise _wrong("bands-order", f"the edges {list(edges)}", "two or more, rising, from 0", todo)
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


def _check_other_ladder(name: str, ladder: Sequence[Mapping[str, str]], levels: Mapping[str, tuple[str, ...]]) -> None:
    where = f"x-shafaf.{name}.ladder"
    if not 1 <= len(ladder) <= MAX_RUNGS:
        raise _wrong("ladder-length", f"{len(ladder)} rungs of {where}", f"1 to {MAX_RUNGS}", f"Correct {where}.")
    for number, rung in enumerate(ladder, 1):
        for column, level in rung.items():
            _check_member("ladder-column", column, list(levels), f"a column of rung {number} of {where}")
            _check_member("ladder-level", level, levels[column], f"the level of {column} in rung {number} of {where}")


def _check_member(slug: str, value: str | None, known: Collection[str], what: str) -> None:
    if value not in known:
        todo = f"Nearest: {nearest(str(value), known)}." if known else "None is declared."
        raise _wrong(slug, f"{value!r} as {what}", f"one of {', '.join(sorted(known)[:30])}", todo)


def _wrong(slug: str, found: str, expected: str, todo: str) -> SettingsError:
    return SettingsError(slug, found=found, expected=expected, todo=todo)


def _read_nodes(path: Path, kind: str) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        expected = f"the file that x-shafaf.{kind} names, in UTF-8"
        raise _wrong("no-nodes", f"no readable {path.name}", expected, "Add it, or save it as UTF-8.") from None
    rows = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 1):
        for name in row:
            _check_member("nodes-column", name or "a cell without a name", NODE_COLUMNS, f"a column of {path.name}")
        if not row.get("id"):
            raise _wrong("nodes-id", f"row {number} of {path.name} without an id", "an id in each row", "Add it.")
        node: dict[str, Any] = {"id": row["id"], "parent": row.get("parent") or None}
        node["title"] = {"fa": row.get("title_fa") or row["id"], "en": row.get("title_en") or row["id"]}
        node["sensitive"] = row.get("sensitive") in ("1", "true", "yes")
        for name in ("body", "staff_band", "keywords_fa", "valid_from", "valid_to"):
            if row.get(name):
                node[name] = row[name]
        rows.append(node)
    return rows


def _explain(error: cattrs.BaseValidationError) -> SettingsError:
    for part in _leaves(error):
        if isinstance(part, ForbiddenExtraKeysError):
            key = sorted(part.extra_fields)[0]
            known = [f.name for f in fields(part.cl)]
            near = nearest(key, known)
            return _wrong(
                "unknown-key",
                f"the unknown key {key!r} in metadata.yml",
                f"one of {', '.join(known)}",
                f"Nearest: {near}.",
            )
    lines = [_placed(line) for line in cattrs.transform_error(error, path="metadata.yml")[:5]]
    return _wrong(
        "metadata-type", "; ".join(lines), "the types that docs/reference/settings.md names", "Correct metadata.yml."
    )


def _placed(line: str) -> str:
    """Put the key of the file before what is wrong with it.

    >>> _placed("invalid value for type, expected int @ metadata.yml.policy.k")
    'x-shafaf.k: invalid value for type, expected int'
    """
    wrong, _, place = line.rpartition(" @ ")
    key = place.removeprefix("metadata.yml").removeprefix(".")
    return f"{key.replace('policy', 'x-shafaf', 1) if key.startswith('policy') else key or 'metadata.yml'}: {wrong}"


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    renamed = make_dict_structure_fn(
        Clock, converter, _cattrs_forbid_extra_keys=True, start=cattrs.override(rename="from")
    )
    converter.register_structure_hook(Clock, renamed)
    converter.register_structure_hook(
        date, lambda value, _: value if isinstance(value, date) else date.fromisoformat(value)
    )
    return converter


_CONVERTER = _make_converter()
