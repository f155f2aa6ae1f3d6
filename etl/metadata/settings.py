"""The instance's settings: `metadata.yml` and its `services.csv` and `units.csv` as frozen values (CONTRACT "metadata.yml").

Our keys stand under `x-shafaf`; the others are Datasette's. The shapes stand here; `etl.metadata.reading` reads and checks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import cattrs

from etl.calendars.working_days import WorkingCalendar
from etl.errors import SettingsError

ENGINES = ("duckdb", "spark")


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
    """Persons behind the outcome.

    services: those whose outcome is a fact about the person; `coarsen` gives its coarser codes, and columns that imply it
    (`implies`) are shown one level coarser: a trace not at all.
    known_to_outsiders: what others may know of a person's case. Where more than `largest_share` of the cases that share
    it ended alike, and not in an `ordinary` outcome, the outcome is not shown beside it.
    """

    services: tuple[str, ...] = ()
    coarsen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    implies: tuple[str, ...] = ("trace",)
    known_to_outsiders: tuple[tuple[str, ...], ...] = (("service",), ("service", "channel"), ("unit",))
    largest_share: float = 0.8
    ordinary: tuple[str, ...] = ("completed", "granted_full", "not_recorded")


@dataclass(frozen=True)
class Bands:
    """Edges of bands in days; an edge belongs to the band below it. Those of `duration_wide` are some of `duration`."""

    duration: tuple[int, ...] = (0, 2, 5, 10, 15, 20, 40, 60)
    duration_wide: tuple[int, ...] = ()
    age: tuple[int, ...] = (10, 20, 40, 60)

    def edges(self, level: str) -> tuple[int, ...]:
        """Give the edges of durations at a level, `band` or `wide_band`."""
        return self.duration_wide if level == "wide_band" else self.duration


@dataclass(frozen=True)
class Cohorts:
    """How the registered cases of a month are peeled; `promised_days` after its end stand for the last due date where
    every case has a date of its own.
    """

    ladder: tuple[Mapping[str, str], ...] = (
        {
            "service": "leaf",
            "channel": "code",
            "applicant_kind": "code",
            "applicant_province": "code",
            "cohort_state": "code",
        },
        {"service": "leaf", "channel": "code", "applicant_kind": "code", "cohort_state": "code"},
        {"service": "leaf", "channel": "code", "cohort_state": "code"},
        {"service": "leaf", "cohort_state": "code"},
        {"service": "family", "cohort_state": "code"},
        {"cohort_state": "code"},
        {"service": "family"},
    )
    promised_days: int = 90


@dataclass(frozen=True)
class Stock:
    """How the open cases at the end of a year are peeled."""

    ladder: tuple[Mapping[str, str], ...] = (
        {"service": "family", "stage": "code", "age": "band"},
        {"service": "family", "age": "band"},
        {"stage": "code", "age": "band"},
        {"age": "band"},
        {"stage": "code"},
        {"service": "family"},
    )


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
    cohorts: Cohorts = field(default_factory=Cohorts)
    stock: Stock = field(default_factory=Stock)
    memory_limit: str = "1200MB"
    engine: str = "duckdb"  # of anonymisation; values do not depend on it (law 7)
    spark_master: str = "local[2]"
    staging_url: str = ""  # where a cluster sees var/staging; empty: at the same path

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
            "sensitive_services": sorted(self.sensitive_roots),
            "bands": cattrs.unstructure(self.bands),
            "levels": {column: list(levels) for column, levels in sorted(self.levels.items())},
            "code_parents": sorted([code.list, code.code, code.parent] for code in self.codes if code.parent),
            "patterns": self.patterns,
            "floor": list(self.floor),
            "ladder": [dict(rung) for rung in self.ladder],
            "cohorts": cattrs.unstructure(self.cohorts),
            "stock": cattrs.unstructure(self.stock),
        }
        plain: dict[str, Any] = json.loads(json.dumps(decisive, default=str))
        return plain

    @property
    def sensitive_roots(self) -> frozenset[str]:
        """The services marked as sensitive, in metadata.yml or services.csv; what lies below them is sensitive too."""
        return frozenset(self.sensitive.services) | {node.id for node in self.services if node.sensitive}

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
    source: Mapping[str, str] = field(default_factory=dict)  # by language; one text stands for both
    contact: str = ""  # where corrections go: an e-mail address or a web address; public
