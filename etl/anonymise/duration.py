"""Waits over closed sets: one chain of ever smaller selections of a body's year, each a union of whole groups.

All that a body finished in a year, then by case type, by service family, by service: every selection is a part of one
other, and no two of the same kind overlap (DESIGN §4 table, decision record 0019). A selection is what anybody selects by
published columns of `case_group` (period in the year, released with its last month at the latest, as first placed), and
`scope_count` is the sum of its `case_count`. Released once, with the year's last month, and never changed.

A figure needs four cases on each side in its selection, and four on each side that no figure below has placed there
(`etl.anonymise.company`); smaller selections are decided first, so that the larger ones stand back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from etl.anonymise.company import Known, Numbers, known_of, together
from etl.anonymise.groups import WAITS, group_key
from etl.anonymise.held import fetch, hold, hold_rows, let_go
from etl.anonymise.history import History
from etl.anonymise.ranks import rank_of, rank_values, timed_edges
from etl.anonymise.requesters import count_requesters, with_requesters
from etl.calendars import Period, months_between, period_of
from etl.metadata import Policy
from etl.metadata.levels import LEAF, ancestors

if TYPE_CHECKING:
    from ibis.expr.types import Table

NAME = "duration"
BASIS = "attested"
FAMILY = "family"
# what is read of a released group: its place, what it says of time, and its size
GROUP_COLUMNS = (
    *("release_id", "period_code", "body_id", "case_type_code", "service_id", "service_level", "lateness_code"),
    *("duration_band_code", "case_count", *WAITS),
)
SELECTION = ("year_code", "body_id", "case_type_code", "service_id", "service_level")
DURATION = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", *SELECTION)),
        *(("scope_count", pa.int64()), ("timed_band_code", pa.string())),
        *((name, pa.int64()) for name in WAITS),
        ("basis_code", pa.string()),
    ]
)
_YEAR = pa.schema([(name, pa.string()) for name in ("release_id", "period_code", "year_code")])
_LINKS = ("selection_0", "selection_1", "selection_2", "selection_3")
_PLACE = pa.schema([("atom", pa.int64()), *((name, pa.int64()) for name in _LINKS)])
Key = tuple[str | None, ...]
Row = dict[str, Any]


@dataclass
class _Selection:
    """A selection while it is being made up: what lies in it, from smaller selections and from groups of its own."""

    scope_count: int = 0
    known: list[Known] = field(default_factory=list)
    waits: list[Numbers] = field(default_factory=list)
    lateness: dict[str, int] = field(default_factory=dict)  # of waits
    largest: tuple[int, Mapping[str, int]] = (0, {})  # of the selections in it: its scope_count, its figures


def durations(case: Table, groups: Table, *, alike: Table, members: Table, policy: Policy, history: History) -> Table:
    """Give the waits of every year that ends with a due month: the columns of `duration`.

    case: staged cases. groups: `case_group` of this run; alike, members: its groups and their cases by number. Cost: a few
    counts over the finished cases of the year; in memory its groups, and the waits of one year as numbers.
    """
    years = _closing_years(policy, history.due)
    if not years:
        return hold_rows(case.get_backend(), NAME, [], DURATION)
    placed = hold_rows(case.get_backend(), "year", _year_rows(policy, years), _YEAR)
    groups, members = _of_years(case, groups, alike=alike, members=members, placed=placed, history=history)
    rows = fetch(groups)
    numbers: dict[Key, int] = {}
    families = ancestors(policy.services, 1)
    chains = {row["atom"]: _chain(row, families) for row in rows}
    for key in sorted({key for chain in chains.values() for key in chain}, key=_order):
        numbers[key] = len(numbers)
    timed = _timed(case, members, [_place(atom, chain, numbers) for atom, chain in chains.items()])
    made = _fill(rows, chains, timed, numbers, policy)
    asked = {row["selection"]: row for row in _asked(timed, policy.k)}
    let_go(groups, timed)
    around = {inner: outer for chain in chains.values() for outer, inner in zip(chain, chain[1:], strict=False)}
    last = {year.code: year for year in years}
    written = [
        {**row, "release_id": period_of(policy.calendar.system, "month", last[row["year_code"]].last_on).code}
        for row in _written(made, numbers, asked, around=around, policy=policy)
    ]
    return hold_rows(case.get_backend(), NAME, written, DURATION)


def _closing_years(policy: Policy, due: Sequence[Period]) -> list[Period]:
    years = [period_of(policy.calendar.system, "year", month.last_on) for month in due]
    return [year for year, month in zip(years, due, strict=True) if year.last_on == month.last_on]


def _year_rows(policy: Policy, years: Sequence[Period]) -> list[Row]:
    """List every month of a year with every period of it, for groups that are released in the year they belong to."""
    system = policy.calendar.system
    rows = []
    for year in years:
        months = months_between(system, year.first_on, year.last_on)
        seasons = {period_of(system, "season", month.first_on).code for month in months}
        periods = [*(month.code for month in months), *sorted(seasons), year.code]
        rows += [
            {"release_id": month.code, "period_code": period, "year_code": year.code}
            for month in months
            for period in periods
        ]
    return rows


def _of_years(
    case: Table, groups: Table, *, alike: Table, members: Table, placed: Table, history: History
) -> tuple[Table, Table]:
    """Give the groups of the years (held), and their cases, of this run and of earlier ones, by a number `atom`."""
    own = alike.select(own_key=group_key(alike), atom=0 - alike.group_number.cast("int64"))
    found = groups.join(own, groups.group_key == own.own_key).select("atom", *GROUP_COLUMNS)
    inside = members.filter(members.group_number.notnull())
    inside = inside.select("case_number", atom=0 - inside.group_number.cast("int64"))
    if history.groups is not None and history.placement is not None:
        earlier = history.groups.select(*GROUP_COLUMNS, atom=history.groups.case_group_id.cast("int64"))
        found = found.union(earlier.select("atom", *GROUP_COLUMNS))
        before = history.placement
        before = before.filter((before.population_code == "finished") & before.case_group_id.notnull())
        before = before.select("case_key", atom=before.case_group_id.cast("int64"))
        before = before.join(case.select("case_key", "case_number"), "case_key")
        inside = inside.union(before.select("case_number", "atom"))
    return hold(found.join(placed, ["release_id", "period_code"]), "duration_group"), inside


def _chain(group: Row, families: Mapping[str, str]) -> list[Key]:
    """List the selections that a group is in, from its body's year down to its service; not all groups show a service."""
    place = (group["year_code"], group["body_id"])
    chain: list[Key] = [(*place, None, None, None), (*place, group["case_type_code"], None, None)]
    service = group["service_id"]
    if service is not None:
        chain.append((*place, group["case_type_code"], families.get(service, service), FAMILY))
        if group["service_level"] == LEAF:
            chain.append((*place, group["case_type_code"], service, LEAF))
    return chain


def _order(key: Key) -> tuple[int, tuple[str, ...]]:
    return _depth(key), tuple(part or "" for part in key)


def _depth(key: Key) -> int:
    return 3 if key[-1] == LEAF else sum(part is not None for part in key[2:4])


def _place(atom: int, chain: Sequence[Key], numbers: Mapping[Key, int]) -> Row:
    return {"atom": atom, **dict.fromkeys(_LINKS), **dict(zip(_LINKS, (numbers[key] for key in chain), strict=False))}


def _timed(case: Table, members: Table, places: Sequence[Row]) -> Table:
    """Hold the cases of the years with a usable wait: atom, the numbers of its selections, wait, lateness, requester."""
    known = case.filter(case.wait_days.notnull()).select(
        "case_number", "requester_key", "lateness_code", wait=case.wait_days.cast("int64")
    )
    atoms = hold_rows(case.get_backend(), "atom", places, _PLACE)
    return hold(with_requesters(members.join(atoms, "atom").join(known, "case_number")), "timed")


def _asked(timed: Table, k: int) -> Iterator[Row]:
    """Give, for each selection whose waits come from enough people, its order statistics and the most waits of one of them."""
    for link in _LINKS:
        inside = timed.filter(timed[link].notnull())
        ranked = rank_values(inside, "wait", group=(link,), percents=WAITS, k=k)
        joined = ranked.filter(ranked.timed_count > 0).join(count_requesters(inside, (link,)), link)
        yield from fetch(joined.select("timed_count", "largest_count", *WAITS, selection=joined[link]))


def _fill(
    rows: Sequence[Row], chains: Mapping[int, Sequence[Key]], timed: Table, numbers: Mapping[Key, int], policy: Policy
) -> dict[int, _Selection]:
    """Put every group into the smallest selection that it is in."""
    made: dict[int, _Selection] = defaultdict(_Selection)
    n = {row["atom"]: row["n"] for row in fetch(timed.group_by("atom").agg(n=timed.count()))}
    for row in rows:
        selection = made[numbers[chains[row["atom"]][-1]]]
        selection.scope_count += row["case_count"]
        selection.known.append(_known_of_group(row, n.get(row["atom"], 0), policy))
    counted = timed.group_by(*_LINKS, "lateness_code", "wait").agg(n=timed.count())
    for row in sorted(fetch(counted), key=lambda row: int(row["wait"])):
        selection = made[max(row[link] for link in _LINKS if row[link] is not None)]
        selection.waits.append(np.full(row["n"], row["wait"], np.int32))
        late = row["lateness_code"]
        selection.lateness[late] = selection.lateness.get(late, 0) + row["n"]
    return made


def _known_of_group(group: Row, count: int, policy: Policy) -> Known:
    """Say what a group tells of its waits: its band, its lateness, its order statistics."""
    low, high = band_edges(group["duration_band_code"])
    limit = _limit(policy)
    if limit is not None and group["lateness_code"] == "on_time":
        high = limit if high is None else min(high, limit)
    if limit is not None and group["lateness_code"] == "late":
        low = limit + 1 if low is None else max(low, limit + 1)
    shown = {rank_of(count, percent): group[name] for name, percent in WAITS.items() if group[name] is not None}
    return known_of(count, least=low, most=high).sharpened({rank: days for rank, days in shown.items() if rank})


def band_edges(code: str | None) -> tuple[int | None, int | None]:
    """Read the lowest and the highest number of days of a band.

    >>> band_edges("03_05"), band_edges("61_up"), band_edges("not_recorded"), band_edges(None)
    ((3, 5), (61, None), (None, None), (None, None))
    """
    low, _, high = (code or "").partition("_")
    if not low.isdecimal():
        return None, None
    return int(low), int(high) if high.isdecimal() else None


def _limit(policy: Policy) -> int | None:
    lead = policy.clocks.lead
    return None if lead.kind == "promised" else lead.days


def _written(
    made: dict[int, _Selection],
    numbers: Mapping[Key, int],
    asked: Mapping[int, Row],
    *,
    around: Mapping[Key, Key],
    policy: Policy,
) -> Iterator[Row]:
    """Decide every selection, the smallest first, and hand it on to the one around it."""
    for key in sorted(numbers, key=_order, reverse=True):
        selection = made.pop(numbers[key])
        waits = np.sort(np.concatenate([np.zeros(0, np.int32), *selection.waits]))
        known = _with_statutory(together(selection.known), key, selection, policy)
        own = asked.get(numbers[key])
        figures = _figures(waits, known, selection, own) if own else {}
        if figures and own:
            band = str(max(edge for edge in timed_edges(policy.k) if edge <= own["timed_count"]))
            yield {
                **dict(zip(SELECTION, key, strict=True)),
                **dict.fromkeys(WAITS),
                **figures,
                "scope_count": selection.scope_count,
                "timed_band_code": band,
                "basis_code": BASIS,
            }
        if key in around:
            shown = {rank_of(len(waits), WAITS[name]): days for name, days in figures.items()}
            _hand_on(made[numbers[around[key]]], selection, waits, known.sharpened(shown), figures)


def _hand_on(around: _Selection, inner: _Selection, waits: Numbers, known: Known, figures: Mapping[str, int]) -> None:
    around.scope_count += inner.scope_count
    around.known.append(known)
    around.waits.append(waits)
    for late, count in inner.lateness.items():
        around.lateness[late] = around.lateness.get(late, 0) + count
    around.largest = max(around.largest, (inner.scope_count, figures), key=lambda pair: pair[0])


def _with_statutory(known: Known, key: Key, selection: _Selection, policy: Policy) -> Known:
    """Add what the statutory table says of a case type: how many were on time and how many late, exactly."""
    limit, statutory = _limit(policy), policy.statutory
    is_counted = f"lateness_{policy.clocks.headline}" in statutory.dimensions and key[2] in statutory.case_types
    if _depth(key) != 1 or not is_counted or limit is None:
        return known
    late = selection.lateness
    return known.split(limit, below=late.get("on_time", 0), above=late.get("late", 0))


def _figures(waits: Numbers, known: Known, selection: _Selection, asked: Row) -> dict[str, int]:
    """Give the order statistics that leave company; those of a selection inside that is all of it are its own.

    asked: those that have company by themselves (NULL: not), and the most waits of one requester (`_asked`).
    """
    count, shown = selection.largest
    if count == selection.scope_count:
        return dict(shown)
    found = {}
    for name, percent in WAITS.items():
        days = asked[name]
        if days is not None and known.leaves_company(
            rank_of(len(waits), percent), days, largest=asked["largest_count"]
        ):
            found[name] = days
    return found
