"""Every figure of a body's page, read once for both languages: each from its named query, with the query's address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.cohort import Cohort, read_cohort
from portal.facts import Facts
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import Scope
from portal.sentence import Finding, find
from portal.unit_times import UnitTimes, read_unit_times
from portal.waits import Band, Strip, make_strip, read_bands
from portal.year_end import YearEnd, read_year_end
from portal.year_waits import YearWaits, read_year_waits

MONTHS = 24
STAGES = 6
OFTEN = 5  # cases a month from which an empty month is no chance (under 1 % if they come at random)


@dataclass(frozen=True)
class Stages:
    """Median days in each stage and unit, for how many cases stages are shown, and how many of each kind were in time."""

    rows: Sequence[Row]
    shown: Interval
    shown_on_time: Interval
    other_on_time: Interval
    units: Sequence[Row]

    @property
    def longest(self) -> Row | None:
        """The stage with the longest median; None where nothing is shown or several took equally long."""
        return self.rows[0] if is_one_longest([row["median_days"] for row in self.rows]) else None


@dataclass(frozen=True)
class BodyFacts:
    """The figures of a body and case type; `addresses` gives the query behind each."""

    scope: Scope
    now: str
    on_time: Interval
    finding: Finding
    strip: Strip
    stock: Row
    outcomes: Sequence[Row]
    flow: Sequence[Row]
    stages: Stages
    services: Sequence[Row]
    cohort: Cohort | None
    year_end: YearEnd | None
    unit_times: UnitTimes | None
    year_waits: YearWaits | None
    addresses: Mapping[str, str]

    @property
    def silent(self) -> tuple[int, ...]:
        """The indexes of the months of `flow` without any case, where cases come often enough for that to be a silence."""
        if sum(row["registered_count"] for row in self.flow) < OFTEN * len(self.flow):
            return ()
        return tuple(i for i, row in enumerate(self.flow) if not row["registered_count"] and not row["finished_count"])


def is_one_longest(days: Sequence[float | None]) -> bool:
    """Say whether the first of medians in falling order is longer than the next: nobody is singled out of equals.

    >>> is_one_longest([6, 2]), is_one_longest([6, 6]), is_one_longest([0]), is_one_longest([])
    (True, False, False, False)
    """
    return bool(days and days[0]) and (len(days) < 2 or (days[0] or 0) > (days[1] or 0))


def interval(row: Row) -> Interval:
    """Read an interval from a row with at_least, not_shown, total."""
    return Interval(row["at_least"], row["not_shown"], row["total"])


def bands_of(released: Released) -> tuple[Band, ...]:
    """Give the duration bands in the order of their codes."""
    rows = released.rows("select code from code where list_code = 'duration_band' order by code")
    return read_bands([row["code"] for row in rows])


def read_body(released: Released, scope: Scope, *, facts: Facts, bands: Sequence[Band]) -> BodyFacts:
    """Read the figures of a body and case type; about a dozen queries, each on the rows of this body only."""
    named = scope.parameters
    now = released.newest.release_id
    until = scope.release if scope.quiet_since else now
    monthly = named | {"first_release": released.since(until, months=MONTHS), "release": until}
    on_time = interval(released.ask("on_time", **named)[0])
    waits = released.ask("waits", **named)
    stock_then = released.ask("stock", **named)[0]
    within = _within(waits, on_time, bands)
    finding = find(on_time, within)
    band = next((b for b in within if b.last == finding.days), None)
    return BodyFacts(
        scope=scope,
        now=now,
        on_time=on_time,
        finding=finding,
        strip=make_strip(waits, bands, facts, stock=stock_then),
        stock=released.ask("stock", **(named | {"release": now}))[0],
        outcomes=released.ask("outcomes", **named),
        flow=released.ask("monthly_flow", **monthly),
        stages=_stages(released, named),
        services=_services(released.ask("services_of_body", **named)),
        cohort=read_cohort(released, scope),
        year_end=read_year_end(released, scope),
        unit_times=read_unit_times(released, scope.body),
        year_waits=read_year_waits(released, scope),
        addresses=_addresses(released, named, now=now, monthly=monthly, band=band),
    )


def _within(waits: Sequence[Row], on_time: Interval, bands: Sequence[Band]) -> dict[Band, Interval]:
    """Sum the waits up to each band; the same numbers as query `within_days`, without asking once a band."""
    grouped = sum(row["case_count"] for row in waits)
    unplaced = sum(row["case_count"] for row in waits if row["duration_band_code"] is None)
    hidden_lateness = sum(row["case_count"] for row in waits if row["lateness_code"] is None)
    awaiting = on_time.not_shown - hidden_lateness
    within: dict[Band, Interval] = {}
    known = 0
    for band in bands:
        known += sum(row["case_count"] for row in waits if row["duration_band_code"] == band.code)
        within[band] = Interval(known, unplaced + awaiting, max(on_time.total, grouped))
    return within


def _stages(released: Released, named: Mapping[str, Any]) -> Stages:
    rows = released.ask("stage_days", **named)
    most = {
        level: max(r["case_count"] for r in rows if r["level_code"] == level)
        for level in {r["level_code"] for r in rows}
    }
    level = max(most, key=lambda each: (most[each], each), default=None)
    shown = [row for row in rows if row["level_code"] == level][:STAGES]
    parts = {row["has_steps"]: row for row in released.ask("stage_coverage", **named)}
    empty = {"case_count": 0, "on_time_at_least": 0, "on_time_not_shown": 0}
    with_steps, without = parts.get(1, empty), parts.get(0, empty)
    total = with_steps["case_count"] + without["case_count"]
    return Stages(
        shown,
        Interval(with_steps["case_count"], 0, total),
        Interval(with_steps["on_time_at_least"], with_steps["on_time_not_shown"], with_steps["case_count"]),
        Interval(without["on_time_at_least"], without["on_time_not_shown"], without["case_count"]),
        [row for row in released.ask("units_waiting", **named) if row["unit_id"] and row["median_days"]][:STAGES],
    )


def _services(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["service_id"] not in (None, "not_recorded") and row["service_level"] == "leaf"]


def _addresses(
    released: Released, named: Mapping[str, Any], *, now: str, monthly: Mapping[str, Any], band: Band | None
) -> dict[str, str]:
    names = ("on_time", "waits", "outcomes", "stage_days", "stage_coverage", "units_waiting", "services_of_body")
    found = {name: released.address(name, **named) for name in names}
    found["stock"] = released.address("stock", **(dict(named) | {"release": now}))
    found["monthly_flow"] = released.address("monthly_flow", **monthly)
    found["within_days"] = released.address("within_days", **named, band=band.code if band else "")
    return found
