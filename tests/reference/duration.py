"""Waits of closed sets once more, slowly: every selection of a body's year, the smallest first, counted at each figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.calendars import Period
from etl.metadata import Policy
from tests.reference.peel import requesters
from tests.reference.values import Case, up

Row = dict[str, Any]
Key = tuple[str | None, ...]  # body, type, service, level
WAITS = {"wait_p25_days": 25, "wait_median_days": 50, "wait_p75_days": 75, "wait_p90_days": 90}
KEY = ("body_id", "case_type_code", "service_id", "service_level")


@dataclass
class Year:
    """The selections of a year: their groups by place in the year, and the figures that were shown of them."""

    live: Mapping[str, Case]
    policy: Policy
    groups: list[Row]
    selections: dict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))
    figures: dict[Key, dict[str, int]] = field(default_factory=dict)

    def timed(self, key: Key) -> list[Case]:
        """List the cases of a selection that have a wait."""
        return [case for place in self.selections[key] for case in self.waits(self.groups[place])]

    def waits(self, group: Row) -> list[Case]:
        """List the cases of a group that have a wait."""
        cases = [self.live[key] for key in group["members"] if key in self.live]
        return [case for case in cases if case["wait_days"] is not None]

    def scope(self, key: Key) -> int:
        """Sum the cases of a selection's groups."""
        return sum(self.groups[place]["case_count"] for place in self.selections[key])

    def inside(self, key: Key) -> list[Key]:
        """List the next smaller selections of a selection."""
        return [
            other
            for other in self.selections
            if depth(other) == depth(key) + 1
            and other[:2] in (key[:2], (key[0], other[1] if key[1] is None else key[1]))
            and self.selections[other] <= self.selections[key]
        ]


def duration_rows(
    live: Mapping[str, Case],
    period: Period,
    month: Period,
    groups: Sequence[Row],
    *,
    policy: Policy,
    ranks: Callable[..., Row],
) -> list[Row]:
    """Write the selections of a year that show a figure; `groups` are all that were released by the year's end."""
    code = period.code
    own = [row for row in groups if row["period_code"].startswith(code) and row["release_id"].startswith(code)]
    year = Year(live, policy, own)
    for place, group in enumerate(own):
        for key in keys_of(group, policy):
            year.selections[key].add(place)
    rows = []
    for key in sorted(year.selections, key=depth, reverse=True):
        row = ranks([(case, case["wait_days"]) for case in year.timed(key)], WAITS, policy.k)
        same = [other for other in year.inside(key) if year.scope(other) == year.scope(key)]
        for name in WAITS:
            if same:
                row[name] = year.figures[same[0]].get(name)
            elif row[name] is not None and not leaves_four(year, key, name, row[name]):
                row[name] = None
        year.figures[key] = {name: row[name] for name in WAITS if row[name] is not None}
        if year.figures[key]:
            named = dict(zip(KEY, key, strict=True)) | {"release_id": month.code, "year_code": code}
            rows.append(row | named | {"scope_count": year.scope(key), "basis_code": "attested"})
    return rows


def keys_of(group: Row, policy: Policy) -> list[Key]:
    """List the selections that a group is in."""
    body, case_type, service = group["body_id"], group["case_type_code"], group["service_id"]
    keys: list[Key] = [(body, None, None, None), (body, case_type, None, None)]
    if service is not None:
        keys.append((body, case_type, up(service, policy.services), "family"))
    if group["service_level"] == "leaf":
        keys.append((body, case_type, service, "leaf"))
    return keys


def depth(key: Key) -> int:
    """Count how many steps of the chain lie above a selection."""
    return {None: 0 if key[1] is None else 1, "family": 2, "leaf": 3}[key[3]]


def leaves_four(year: Year, key: Key, name: str, days: int) -> bool:
    """Say whether four waits on each side of a figure are known to nobody to lie there, whoever asked for the most."""
    count = len(year.timed(key))
    rank = -(-count * WAITS[name] // 100)
    longer = known(year, key, days, is_longer=True)
    shorter = known(year, key, days, is_longer=False)
    largest = max(requesters(year.timed(key)).values())  # who has these knows where they are
    return min(count - rank - longer, rank - 1 - shorter) >= 4 + largest - 1


def known(year: Year, key: Key, days: int, *, is_longer: bool) -> int:
    """Count the waits of a selection that all below it shows to be longer, or shorter, than some days."""
    total, covered = 0, set[int]()
    for other in year.inside(key):
        covered |= year.selections[other]
        below = known(year, other, days, is_longer=is_longer)
        own = by_figures(year.figures[other], len(year.timed(other)), days, is_longer=is_longer)
        total += max(below, own)
    for place in year.selections[key] - covered:
        total += by_group(year, year.groups[place], days, is_longer=is_longer)
    if depth(key) == 1 and key[1] in year.policy.statutory.case_types:
        total = max(total, by_statutory(year, key, days, is_longer=is_longer))
    return total


def by_figures(figures: Mapping[str, int | None], count: int, days: int, *, is_longer: bool) -> int:
    """Count what order statistics of so many waits put on one side of some days."""
    found = 0
    for name, percent in WAITS.items():
        rank, value = -(-count * percent // 100), figures.get(name)
        if value is not None and rank and is_longer and value > days:
            found = max(found, count - rank + 1)
        if value is not None and rank and not is_longer and value < days:
            found = max(found, rank)
    return found


def by_group(year: Year, group: Row, days: int, *, is_longer: bool) -> int:
    """Count what a group puts on one side of some days: by its band, its lateness, its order statistics."""
    low, high, count = -1, 10**9, len(year.waits(group))
    band = (group["duration_band_code"] or "").split("_")
    if band[0].isdecimal():
        low, high = int(band[0]), int(band[1]) if band[1].isdecimal() else high
    lead = year.policy.clocks.lead
    if lead.kind != "promised" and group["lateness_code"] == "late":
        low = max(low, lead.days + 1)
    if lead.kind != "promised" and group["lateness_code"] == "on_time":
        high = min(high, lead.days)
    if (is_longer and low > days) or (not is_longer and high < days):
        return count
    return by_figures(group, count, days, is_longer=is_longer)


def by_statutory(year: Year, key: Key, days: int, *, is_longer: bool) -> int:
    """Count what the statutory table puts on one side of some days: the late cases, or those on time."""
    headline, lead = year.policy.clocks.headline, year.policy.clocks.lead
    if f"lateness_{headline}" not in year.policy.statutory.dimensions or lead.kind == "promised":
        return 0
    late = [case[f"lateness_{headline}_code"] for case in year.timed(key)]
    if is_longer:
        return late.count("late") if lead.days >= days else 0
    return late.count("on_time") if lead.days < days else 0
