"""The instance's settings: `metadata.yml` and its `services.csv` and `units.csv` as frozen values (CONTRACT "metadata.yml").

Our keys stand under `x-shafaf`; the others are Datasette's. An unknown key is an error that names the nearest known one.
This module reads text; it opens no data and knows no folder but the one it is given.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import cattrs
import yaml
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from etl.calendars.working_days import WorkingCalendar
from etl.errors import SettingsError

LEVELS: Mapping[str, tuple[str, ...]] = {
    "service": ("leaf", "family"),
    "unit": ("leaf", "department"),
    "outcome": ("code",),
    "lateness": ("code",),
    "duration": ("band",),
    "loop": ("flag",),
    "channel": ("code",),
    "trace": ("steps_units", "steps", "milestones"),
}
MAX_RUNGS = 24
SMALLEST_K = 5


@dataclass(frozen=True)
class Calendar:
    """Which calendar periods follow, the zone of civil dates, and which days are working days."""

    system: str = "jalali"
    zone: str = "Asia/Tehran"
    weekend: tuple[str, ...] = ("thursday", "friday")
    holidays: str = "IR"

    @property
    def working(self) -> WorkingCalendar:
        """The working calendar these settings describe."""
        return WorkingCalendar(self.system, self.weekend, self.holidays)


@dataclass(frozen=True)
class Clock:
    """A legal deadline: `days` of `kind` (working, calendar) counted `from` received or registered; kind `promised`
    takes the date the body promised instead.
    """

    kind: str
    days: int = 0
    start: str = "registered"  # the key in metadata.yml is `from`


@dataclass(frozen=True)
class Clocks:
    """The two clocks of DOMAIN §0; an instance may have one. `headline` names the one that pages lead with."""

    headline: str = "bylaw"
    bylaw: Clock | None = None
    law: Clock | None = None

    @property
    def lead(self) -> Clock:
        """The headline clock."""
        clock = self.bylaw if self.headline == "bylaw" else self.law
        if clock is None:
            raise SettingsError(
                "clock-headline",
                found=f"the headline clock {self.headline!r} without days",
                expected="a clock of that name under x-shafaf.clocks",
                todo="Describe the clock or name the other one as headline.",
            )
        return clock


@dataclass(frozen=True)
class Cadence:
    """Cases a month from which a body x case type is released by month or by season (else by year); days to settle."""

    month: int = 60
    season: int = 20
    settle_days: int = 15


@dataclass(frozen=True)
class Body:
    """A public body."""

    id: str
    title: Mapping[str, str]
    province: str = ""


@dataclass(frozen=True)
class Node:
    """A service or a unit in its tree (`services.csv`, `units.csv`); a root has no parent."""

    id: str
    parent: str | None
    title: Mapping[str, str]
    body: str | None = None
    sensitive: bool = False
    staff_band: str | None = None
    keywords_fa: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Margins:
    """How margins are made: case types named in `join_small` are counted as another type everywhere."""

    by: tuple[str, ...] = ("month", "body", "case_type")
    join_small: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statutory:
    """The exact yearly table: for which case types and dimensions."""

    case_types: tuple[str, ...] = ("foi",)
    dimensions: tuple[str, ...] = ("outcome", "lateness_bylaw", "lateness_law", "exemption", "reason")


@dataclass(frozen=True)
class Sensitive:
    """Services whose outcome is a fact about the person: outcome is coarsened, columns that imply it are dropped."""

    services: tuple[str, ...] = ()
    coarsen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    implies: tuple[str, ...] = ("trace",)


@dataclass(frozen=True)
class Bands:
    """Edges of bands in days; an edge belongs to the band below it."""

    duration: tuple[int, ...] = (0, 2, 5, 10, 15, 20, 40, 60)
    age: tuple[int, ...] = (10, 20, 40, 60)


@dataclass(frozen=True)
class Code:
    """A code that an instance adds to a shipped vocabulary, or whose label it overrides."""

    list: str
    code: str
    title: Mapping[str, str]
    parent: str | None = None
    lang: str = ""  # of a title that is neither fa nor en


@dataclass(frozen=True)
class Policy:
    """Everything under `x-shafaf`: what is published, how fine, and the words for it."""

    calendar: Calendar = field(default_factory=Calendar)
    clocks: Clocks = field(default_factory=Clocks)
    k: int = 10
    cadence: Cadence = field(default_factory=Cadence)
    bodies: tuple[Body, ...] = ()
    bodies_from_source: bool = False  # bodies are whatever the source names (examples with hundreds)
    services: tuple[Node, ...] = ()
    units: tuple[Node, ...] = ()
    margins: Margins = field(default_factory=Margins)
    statutory: Statutory = field(default_factory=Statutory)
    sensitive: Sensitive = field(default_factory=Sensitive)
    bands: Bands = field(default_factory=Bands)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: str = "public"
    floor: tuple[str, ...] = ("body", "period", "case_type")
    ladder: tuple[Mapping[str, str], ...] = ()
    codes: tuple[Code, ...] = ()
    memory_limit: str = "1500MB"

    @property
    def decisive(self) -> dict[str, Any]:
        """What decides the published values (not titles), as plain JSON values: released as policy.yml."""
        decisive = {
            "calendar": cattrs.unstructure(self.calendar),
            "clocks": cattrs.unstructure(self.clocks),
            "k": self.k,
            "cadence": cattrs.unstructure(self.cadence),
            "service_parents": {node.id: node.parent for node in self.services},
            "unit_parents": {node.id: node.parent for node in self.units},
            "margins": cattrs.unstructure(self.margins),
            "statutory": cattrs.unstructure(self.statutory),
            "sensitive": cattrs.unstructure(self.sensitive),
            "bands": cattrs.unstructure(self.bands),
            "patterns": self.patterns,
            "floor": list(self.floor),
            "ladder": [dict(rung) for rung in self.ladder],
        }
        plain: dict[str, Any] = json.loads(json.dumps(decisive, default=str))
        return plain

    @property
    def sha256(self) -> str:
        """Hash of what decides the published values (not of titles): the key of fingerprints, the id of the policy."""
        text = json.dumps(self.decisive, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Settings:
    """`metadata.yml` whole: title and licence of the instance, and its policy."""

    title: Mapping[str, str]
    policy: Policy
    license: str = "CC-BY-4.0"
    source: str = ""


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        raise SettingsError(
            "metadata-syntax",
            found=f"metadata.yml that is not YAML{'' if place is None else f' (line {place.line + 1})'}",
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
    raw_title = raw.get("title", {"fa": "شفاف", "en": "Shafaf"})
    whole = {
        "title": raw_title if isinstance(raw_title, dict) else {"fa": str(raw_title), "en": str(raw_title)},
        "license": raw.get("license", "CC-BY-4.0"),
        "source": raw.get("source", ""),
        "policy": own,
    }
    try:
        settings = _CONVERTER.structure(whole, Settings)
    except cattrs.BaseValidationError as error:
        raise _explain(error) from None
    check_policy(settings.policy)
    return settings


def check_policy(policy: Policy) -> None:
    """Check what types cannot say: k, calendar, ladder and its levels; SettingsError naming the key."""
    if policy.k < SMALLEST_K:
        raise _wrong("policy-k", f"k = {policy.k}", f"at least {SMALLEST_K}", "Raise x-shafaf.k.")
    if policy.calendar.system not in ("jalali", "gregorian"):
        raise _wrong(
            "calendar-system",
            f"the calendar {policy.calendar.system!r}",
            "jalali or gregorian",
            "Correct it.",
        )
    if not 1 <= len(policy.ladder) <= MAX_RUNGS:
        raise _wrong("ladder-length", f"{len(policy.ladder)} rungs", f"1 to {MAX_RUNGS}", "Correct x-shafaf.ladder.")
    for number, rung in enumerate(policy.ladder, 1):
        for column, level in rung.items():
            if column not in LEVELS:
                todo = f"Nearest: {_nearest(column, LEVELS)}."
                raise _wrong(
                    "ladder-column",
                    f"column {column!r} in rung {number}",
                    f"one of {', '.join(LEVELS)}",
                    todo,
                )
            if level not in LEVELS[column]:
                known = ", ".join(LEVELS[column])
                raise _wrong(
                    "ladder-level",
                    f"level {level!r} of {column} in rung {number}",
                    f"one of {known}",
                    "Correct it.",
                )
    with_outcome = [i for i, rung in enumerate(policy.ladder) if "outcome" in rung]
    for i, rung in enumerate(policy.ladder):
        if "outcome" not in rung and not any(
            set(policy.ladder[j]) <= {"outcome", "lateness"} for j in with_outcome if j < i
        ):
            raise _wrong(
                "ladder-outcome-last",
                f"rung {i + 1} without outcome before a rung of only outcome and lateness",
                "outcome and lateness to be dropped last",
                "Put a rung {outcome: code, lateness: code} before it.",
            )
    _ = policy.clocks.lead  # raises where the headline clock is missing


def _wrong(slug: str, found: str, expected: str, todo: str) -> SettingsError:
    return SettingsError(slug, found=found, expected=expected, todo=todo)


def _nearest(word: str, known: Mapping[str, object] | list[str]) -> str:
    names = list(known)
    return (difflib.get_close_matches(word, names, n=1, cutoff=0.0) or names)[0]


def _read_nodes(path: Path, kind: str) -> list[dict[str, Any]]:
    known = [
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
    ]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _wrong("no-nodes", f"no {path.name}", f"the file that x-shafaf.{kind} names", "Add it.") from None
    rows = []
    for row in csv.DictReader(text.splitlines()):
        for name in row:
            if name not in known:
                todo = f"Nearest: {_nearest(str(name), known)}."
                raise _wrong("nodes-column", f"column {name!r} in {path.name}", f"only {', '.join(known)}", todo)
        node: dict[str, Any] = {"id": row["id"], "parent": row.get("parent") or None}
        node["title"] = {"fa": row.get("title_fa") or row["id"], "en": row.get("title_en") or row["id"]}
        node["sensitive"] = row.get("sensitive") in ("1", "true", "yes")
        for name in ("body", "staff_band", "keywords_fa", "valid_from", "valid_to"):
            if row.get(name):
                node[name] = row[name]
        rows.append(node)
    ids = {row["id"] for row in rows}
    for node in rows:
        if node["parent"] is not None and node["parent"] not in ids:
            todo = f"Nearest: {_nearest(node['parent'], sorted(ids))}."
            raise _wrong("nodes-parent", f"parent {node['parent']!r} of {node['id']!r}", f"an id of {path.name}", todo)
    return rows


def _explain(error: cattrs.BaseValidationError) -> SettingsError:
    for part in _leaves(error):
        if isinstance(part, ForbiddenExtraKeysError):
            key = sorted(part.extra_fields)[0]
            known = [f.name for f in fields(part.cl)]
            nearest = _nearest(key, known)
            return _wrong(
                "unknown-key",
                f"the unknown key {key!r} in metadata.yml",
                f"one of {', '.join(known)}",
                f"Nearest: {nearest}.",
            )
    lines = "; ".join(cattrs.transform_error(error, path="metadata.yml")[:5])
    return _wrong("metadata-type", lines, "the types that docs/reference/settings.md names", "Correct metadata.yml.")


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
