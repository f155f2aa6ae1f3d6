"""Stock and flow: open before + registered - finished = open after, solved for what one of its numbers hides.

Partitions of the same people stand side by side: cohorts, finished groups, and the open stock of year ends. From every
month end to every later one (`etl.audit.windows`) the identity bounds what each of them hides of a service, a family, a
channel, and of both together; a bound within 1 … k - 1 is a hit (review: 136 of 236 cells when nothing guarded them).
Where no row between two month ends names another value, all that is hidden can be of this one; that some of it must be is
counted as a limit. Margins alone must close
to the case. Of two exact tables over the same cases Fréchet's bound (a cell is at least the sum of its margins less the
total) is counted as a limit of the law.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from etl.audit.evidence import GROUPS, Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text
from etl.audit.windows import CAME, COHORTS, KIND, STOCK, WENT, Known, Windows, known_windows

NAME = "flows"
Key = tuple[Any, ...]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Solve every identity there is; nothing is drawn."""
    tally = Tally(NAME)
    _margins_close(evidence, tally)
    if any(evidence.table(name).num_rows for name in (COHORTS, STOCK)):
        for windows in known_windows(evidence):
            _solve(windows, evidence.k, tally)
    _stocks_apart(evidence, tally)
    _frechet(evidence, tally)
    return tally.done()


def _solve(windows: Windows, k: int, tally: Tally) -> None:
    size = len(windows.months)
    tally.tried(len(_wanted(windows)) * len(windows.terms) * size * (size + 1) // 2)
    tally.limit("one_family", sum(1 for _ in _narrow(windows, k, is_alone=True)))
    for (way, channel), first, last in narrow_windows(windows, k):
        named = {"service_id": way[-1] if way else None, "channel_code": channel}
        where = dict(zip(KIND, windows.kind, strict=True)) | {n: v for n, v in named.items() if v is not None}
        text = f"{key_text(where)} from {windows.months[first]} to {windows.months[last]}"
        tally.hit("hidden_value", tables=(COHORTS, GROUPS, STOCK), where=text)


def narrow_windows(windows: Windows, k: int) -> list[tuple[Known, int, int]]:
    """List value, first and last month of each window in which fewer than k cases of a value are isolated."""
    return list(_narrow(windows, k, is_alone=False))


def _wanted(windows: Windows) -> list[Known]:
    """Give every value that a row names, and all that is known with it."""
    found: set[Known] = set()
    for way, channel in windows.values:
        found |= {(way[:depth], each) for depth in range(len(way) + 1) for each in (None, channel)}
    return sorted(found - {((), None)}, key=repr)


def _fits(way: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Say whether one of two ways goes on where the other ends."""
    return all(one == other for one, other in zip(way, known, strict=False))


def _narrow(windows: Windows, k: int, *, is_alone: bool) -> Iterator[tuple[Known, int, int]]:
    is_window = np.triu(np.ones((len(windows.months),) * 2, dtype=bool))
    for way, channel in _wanted(windows):
        can = [v for v in windows.values if _fits(v[0], way) and (v[1] == channel or None in (v[1], channel))]
        is_it = [v for v in can if len(v[0]) >= len(way) and channel in (None, v[1])]
        own = [sum((t.shown[v] for v in is_it if v in t.shown), np.zeros_like(t.hidden)) for t in windows.terms]
        room = [t.hidden + sum(t.shown[v] for v in can if v in t.shown and v not in is_it) for t in windows.terms]
        others = sum(shown for t in windows.terms for v, shown in t.shown.items() if v not in can)
        shown = sum(t.sign * part for t, part in zip(windows.terms, own, strict=True))
        plus = sum(part for t, part in zip(windows.terms, room, strict=True) if t.sign > 0)
        minus = sum(part for t, part in zip(windows.terms, room, strict=True) if t.sign < 0)
        is_found = np.zeros_like(is_window)
        for term, part in zip(windows.terms, room, strict=True):
            # the hidden part of this term makes up for what is shown and for what the others may hide
            low, high = (
                (-shown - (plus - part), minus - shown) if term.sign > 0 else (shown - (minus - part), shown + plus)
            )
            most = np.minimum(high, part)
            is_found |= (low > 0) & (low <= most) & (most < k)
        for first, last in np.argwhere(is_found & is_window & ((others == 0) == is_alone)):
            yield (way, channel), int(first), int(last)


def _margins_close(evidence: Evidence, tally: Tally) -> None:
    before: dict[Key, dict[str, Any]] = {}
    margin = evidence.table("margin")
    for row in margin.sort_by("month_code").to_pylist() if margin.num_rows else []:
        kind = tuple(row[name] for name in KIND)
        if kind in before:
            tally.tried()
            left = (
                before[kind]["open_count"]
                + sum(row[n] for n in (*CAME, "reopened_count"))
                - sum(row[n] for n in (*WENT, "withdrawn_count"))
                - row["open_count"]
            )
            if left:
                where = key_text({name: row[name] for name in (*KIND, "month_code")})
                tally.hit("flow_gap", tables=("margin",), where=where)
        before[kind] = row


def _stocks_apart(evidence: Evidence, tally: Tally) -> None:
    """The open stock by attribute is shown at year ends only; two closer ones differ by who came and went."""
    stock = evidence.table(STOCK)
    if not stock.num_rows or "period_code" not in stock.column_names:
        return
    years: dict[tuple[str, str], set[str]] = {}
    for row in stock.group_by(["body_id", "period_code"]).aggregate([]).to_pylist():
        years.setdefault((row["body_id"], row["period_code"][:4]), set()).add(row["period_code"])
    for (body, year), periods in sorted(years.items()):
        tally.tried()
        if len(periods) > 1:
            where = key_text({"body_id": body, "year_code": year})
            tally.hit("stock_too_often", tables=(STOCK,), where=where)


def _frechet(evidence: Evidence, tally: Tally) -> None:
    """Statutory outcome x statutory lateness: cells that must exist and stay below k, by the two exact tables."""
    table = evidence.table("statutory")
    cells: dict[Key, dict[str, dict[str, int]]] = {}
    for row in table.to_pylist():
        key = (*(row[name] for name in KIND), row["year_code"])
        cells.setdefault(key, {}).setdefault(row["dimension_code"], {})[row["value_code"]] = row["case_count"]
    for dimensions in cells.values():
        outcomes = dimensions.get("outcome", {})
        total = sum(outcomes.values())
        for name in (name for name in dimensions if name.startswith("lateness")):
            for one in outcomes.values():
                for other in dimensions[name].values():
                    tally.tried()
                    if one + other - total > 0 and min(one, other) < evidence.k:
                        tally.limit("statutory_frechet")
