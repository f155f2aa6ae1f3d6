"""Nested waits: what the figures of a selection say of the few cases that smaller selections and groups leave over.

A reader subtracts. Where groups show by their own figures that 39 cases wait less than the 42nd of a selection, two others
do as well, and perhaps nobody else is left on that side. The attack takes every figure of table `duration`, sums what is
known below it on either side (bands, lateness, figures of groups and of smaller selections), and looks for fewer than four
cases left. What an outsider does not know, how many cases of a group have a time, counts against the attack.
`scope_count` must be the sum that anybody makes of the groups.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.candidates import tree_roots
from etl.audit.evidence import GROUPS, Evidence
from etl.audit.finding import Tally
from etl.audit.selections import key_text

TABLE = "duration"
WAITS: Mapping[str, int] = {"wait_p25_days": 25, "wait_median_days": 50, "wait_p75_days": 75, "wait_p90_days": 90}
SELECTION = ("body_id", "case_type_code", "service_id", "service_level")
BAND = "timed_band_code"
COMPANY = 4
READ = (*SELECTION, "release_id", "period_code", "lateness_code", "duration_band_code", "case_count", BAND, *WAITS)
Key = tuple[str | None, ...]
Row = dict[str, Any]
Weight = tuple[int, int]  # days, and how many cases are known to lie on the far side of them


@dataclass
class _Side:
    """How many cases surely wait longer than some days, or less: sums of weights in the order of days."""

    weights: list[Weight] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)

    def close(self) -> None:
        """Sort the weights, once all are there."""
        self.weights.sort()
        self.days = [days for days, _ in self.weights]
        self.sums = [0, *accumulate(weight for _, weight in self.weights)]

    def above(self, days: int) -> int:
        """Sum the weights above some days."""
        return self.sums[-1] - self.sums[bisect_right(self.days, days)]

    def below(self, days: int) -> int:
        """Sum the weights below some days."""
        return self.sums[bisect_left(self.days, days)]


@dataclass
class _Selection:
    """Groups of its own and smaller selections; `own`: what its published figures say, where it has any."""

    scope: int = 0
    timed: int = 0  # at least
    longer: _Side = field(default_factory=_Side)
    shorter: _Side = field(default_factory=_Side)
    own: tuple[_Side, _Side] = field(default_factory=lambda: (_Side(), _Side()))
    inside: list[_Selection] = field(default_factory=list)

    def know_longer(self, days: int) -> int:
        """Count the cases that surely wait longer than some days."""
        return self.longer.above(days) + sum(
            max(part.know_longer(days), part.own[0].above(days)) for part in self.inside
        )

    def know_shorter(self, days: int) -> int:
        """Count the cases that surely wait less than some days."""
        return self.shorter.below(days) + sum(
            max(part.know_shorter(days), part.own[1].below(days)) for part in self.inside
        )


def bound_nested(evidence: Evidence, tally: Tally) -> None:
    """Attack every figure of the table `duration`."""
    table = evidence.table(TABLE)
    years = table.group_by(["release_id", "year_code"]).aggregate([]).to_pylist() if table.num_rows else []
    for place in sorted(years, key=lambda row: str(row["release_id"])):
        release_id, year = place["release_id"], place["year_code"]
        own = table.filter(pc.and_(pc.equal(table["release_id"], release_id), pc.equal(table["year_code"], year)))
        rows = own.to_pylist()
        selections = _selections(_groups(evidence, release_id, year), rows, evidence.policies[release_id], evidence)
        for row in rows:
            _attack_row(row, selections.get(_key(row), _Selection()), tally)


def _groups(evidence: Evidence, release_id: str, year: str) -> list[Row]:
    """Select the groups of a year as the dictionary says: their period in it, released by then."""
    group = evidence.partition(GROUPS)
    in_year = pc.equal(pc.utf8_slice_codeunits(group["period_code"], 0, 4), pa.scalar(year))
    rows: list[Row] = (
        group.filter(pc.and_(in_year, pc.less_equal(group["release_id"], release_id))).select(list(READ)).to_pylist()
    )
    return rows


def _selections(
    groups: Sequence[Row], rows: Sequence[Row], policy: Mapping[str, Any], evidence: Evidence
) -> dict[Key, _Selection]:
    made: dict[Key, _Selection] = {}
    roots, limit = _roots(policy, evidence), _limit(policy)
    for group in groups:
        chain = _chain(group, roots)
        count, longer, shorter = _known(group, limit)
        around: _Selection | None = None
        for key in chain:
            if key not in made:
                made[key] = _Selection()
                if around is not None:
                    around.inside.append(made[key])
            around = made[key]
            around.scope += group["case_count"]
            around.timed += count
        made[chain[-1]].longer.weights += longer
        made[chain[-1]].shorter.weights += shorter
    for row in rows:
        if _key(row) in made:
            selection = made[_key(row)]
            longer, shorter = _by_ranks(max(selection.timed, fewest_timed(row)), _figures(row))
            selection.own = (_Side(longer), _Side(shorter))
    for selection in made.values():
        for side in (selection.longer, selection.shorter, *selection.own):
            side.close()
    return made


def _attack_row(row: Row, selection: _Selection, tally: Tally) -> None:
    where = key_text({name: row[name] for name in ("release_id", *SELECTION)})
    tally.tried()
    if row["scope_count"] != selection.scope:
        tally.hit("second_partition", tables=(TABLE, GROUPS), where=where)
        return
    if any(part.scope == selection.scope for part in selection.inside):
        return  # the same cases once more: nothing is left over
    for name, percent in WAITS.items():
        if row[name] is None:
            continue
        tally.tried()
        rank = nearest_rank(selection.scope, percent)  # with fewer timed cases, no more are left on either side
        longer = selection.scope - rank - selection.know_longer(row[name])
        shorter = rank - 1 - selection.know_shorter(row[name])
        if min(longer, shorter) < COMPANY:
            tally.hit("lonely_time", tables=(TABLE, GROUPS), where=f"{where} ({name})")


def _key(row: Row) -> Key:
    return tuple(row[name] for name in SELECTION)


def _chain(group: Row, roots: Mapping[str, str]) -> list[Key]:
    body, kind, service = group["body_id"], group["case_type_code"], group["service_id"]
    chain: list[Key] = [(body, None, None, None), (body, kind, None, None)]
    if service is not None:
        chain.append((body, kind, roots.get(service, service), "family"))
        if group["service_level"] == "leaf":
            chain.append((body, kind, service, "leaf"))
    return chain


def _roots(policy: Mapping[str, Any], evidence: Evidence) -> Mapping[str, str]:
    parents: Mapping[str, str | None] | None = policy.get("service_parents")
    if parents is None:
        return tree_roots(evidence, "service")
    roots = {}
    for service in parents:
        above = service
        while (parent := parents.get(above)) is not None:
            above = parent
        roots[service] = above
    return roots


def _limit(policy: Mapping[str, Any]) -> int | None:
    """Days that part on time from late, where they are counted as waits are."""
    clocks = policy.get("clocks") or {}
    lead = clocks.get(clocks.get("headline")) or {}
    is_counted = lead.get("kind") in ("working", "calendar") and lead.get("start", "registered") == "registered"
    return int(lead["days"]) if is_counted else None


def _known(group: Row, limit: int | None) -> tuple[int, list[Weight], list[Weight]]:
    """Say how many cases of a group surely have a time, and on which side of which days they surely lie."""
    low, _, high = (group["duration_band_code"] or "").partition("_")
    least, most = int(low) if low.isdecimal() else None, int(high) if high.isdecimal() else None
    count = group["case_count"] if least is not None else fewest_timed(group)
    if limit is not None and group["lateness_code"] == "late":
        least = max(limit + 1, least or 0)
    if limit is not None and group["lateness_code"] == "on_time":
        most = limit if most is None else min(limit, most)
    longer, shorter = _by_ranks(count, _figures(group))
    if least is not None:
        longer.append((least, count - sum(weight for _, weight in longer)))
    if most is not None:
        shorter.append((most, count - sum(weight for _, weight in shorter)))
    return count, longer, shorter


def _by_ranks(count: int, figures: Mapping[int, int]) -> tuple[list[Weight], list[Weight]]:
    """Say what order statistics of so many cases put on either side of days: at least, at most."""
    longer: list[Weight] = []
    shorter: list[Weight] = []
    last = count + 1
    for percent, days in sorted(figures.items(), reverse=True):
        rank = nearest_rank(count, percent)
        longer.append((days, last - rank))
        last = rank
    first = 0
    for percent, days in sorted(figures.items()):
        rank = nearest_rank(count, percent)
        shorter.append((days, rank - first))
        first = rank
    return longer, shorter


def _figures(row: Row) -> dict[int, int]:
    return {percent: row[name] for name, percent in WAITS.items() if row[name] is not None}


def fewest_timed(row: Row) -> int:
    """The fewest cases with a time that show what a row shows."""
    shown = [fewest(percent) for percent in _figures(row)]
    return max([*shown, int(row[BAND]) if row[BAND] is not None else 0], default=0)


@lru_cache(maxsize=128)
def fewest(percent: int) -> int:
    """Give the smallest number of timed cases that shows a percentile with company on both sides.

    >>> [fewest(percent) for percent in (25, 50, 75, 90)]
    [17, 9, 16, 40]
    """
    n = 1
    while not (nearest_rank(n, percent) > COMPANY and n - nearest_rank(n, percent) >= COMPANY):
        n += 1
    return n


def nearest_rank(count: int, percent: int) -> int:
    """Give the nearest rank of a percentile."""
    return (count * percent + 99) // 100
