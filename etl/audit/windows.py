"""Stocks and flows between any two month ends: what is shown of each by service and channel, and how much is hidden.

For a body and case type, open before + registered + reopened - finished - withdrawn = open after holds from every month end
to every later one, not from year to year only. A published row counts in a window where all its cases surely do: a period
that lies inside, late cases whose period and release do. Everything stands in matrices with a line for the month end before
and a column for the month end after, so that ten years of months (7,260 windows) cost a few sums of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from etl.audit.candidates import tree_paths
from etl.audit.evidence import GROUPS, Evidence
from etl.audit.selections import Numbers
from etl.model.codes import EARLIER
from etl.model.identity import month_span

KIND = ("body_id", "case_type_code")
COHORTS, STOCK = "cohort_group", "open_group"
CAME = ("registered_count", "late_registered_count")
WENT = ("finished_count", "late_finished_count")
Kind = tuple[str, str]
# value -> first and last month its cases can count in, cases. A value is a service family, or a `Known`
Spans = dict[Any, list[tuple[str, str, int]]]
Known = tuple[tuple[str, ...], str | None]  # the way to a service from its root, and a channel; (): not known


@dataclass(frozen=True)
class Term:
    """One number of the identity in every window: its sign, cases shown by value, and how many show none."""

    sign: int
    shown: Mapping[Any, Numbers]
    hidden: Numbers


@dataclass(frozen=True)
class Windows:
    """The identity of a body and case type. Window [a, b] (a <= b) is the months a … b, both included."""

    kind: Kind
    months: tuple[str, ...]
    terms: tuple[Term, ...]

    @property
    def values(self) -> list[Any]:
        """The values that any row names."""
        return sorted({value for term in self.terms for value in term.shown}, key=repr)

    def years(self) -> list[tuple[int, int]]:
        """Give the windows that are whole years."""
        at = {month: place for place, month in enumerate(self.months)}
        firsts = [month[:4] for month in self.months if month[4:] == "-01"]
        return [(at[f"{year}-01"], at[f"{year}-12"]) for year in firsts if f"{year}-12" in at]


def family_windows(evidence: Evidence) -> list[Windows]:
    """Give the windows of every body and case type that has margins, their values the service families."""
    return _all_windows(evidence, lambda way, _: way[0] if way else None)


def known_windows(evidence: Evidence) -> list[Windows]:
    """Give the same, the values all that rows show of service and channel (`Known`)."""
    return _all_windows(evidence, lambda way, channel: (way, channel) if way or channel is not None else None)


def _all_windows(evidence: Evidence, value: Callable[[tuple[str, ...], str | None], Hashable]) -> list[Windows]:
    kinds: dict[Kind, list[dict[str, Any]]] = {}
    margin = evidence.table("margin")
    for row in margin.sort_by("month_code").to_pylist() if margin.num_rows else ():
        kinds.setdefault((row["body_id"], row["case_type_code"]), []).append(row)
    shown = {name: _spans(evidence, name, value) for name in (COHORTS, GROUPS, STOCK)}
    return [
        _windows(kind, rows, {name: spans.get(kind, {}) for name, spans in shown.items()})
        for kind, rows in sorted(kinds.items())
    ]


def _windows(kind: Kind, rows: list[dict[str, Any]], shown: Mapping[str, Spans]) -> Windows:
    months = tuple(row["month_code"] for row in rows)
    size = len(months)

    def volume(*names: str) -> Numbers:
        total = np.cumsum([0, *(sum(row[name] for name in names) for row in rows)])
        inside: Numbers = np.maximum(total[None, 1:] - total[:-1, None], 0)
        return inside

    after = np.array([row["open_count"] for row in rows], dtype=np.int64)
    first = rows[0]
    came = sum(first[name] for name in (*CAME, "reopened_count"))
    before = np.array(
        [first["open_count"] - came + sum(first[name] for name in (*WENT, "withdrawn_count")), *after[:-1]]
    )
    at = {month: place for place, month in enumerate(months)}
    stock = {value: _at_ends(spans, at, size) for value, spans in shown[STOCK].items()}
    start = {value: np.array([0, *ends[:-1]]) for value, ends in stock.items()}
    wide, none = np.ones((size, size), dtype=np.int64), dict[Any, Numbers]()
    terms = (
        _term(1, {value: ends[:, None] * wide for value, ends in start.items()}, before[:, None] * wide),
        _term(1, _inside(shown[COHORTS], at, size), volume(*CAME)),
        _term(1, none, volume("reopened_count")),
        _term(-1, _inside(shown[GROUPS], at, size), volume(*WENT)),
        _term(-1, none, volume("withdrawn_count")),
        _term(-1, {value: ends[None, :] * wide for value, ends in stock.items()}, after[None, :] * wide),
    )
    return Windows(kind, months, terms)


def _term(sign: int, shown: Mapping[Any, Numbers], volume: Numbers) -> Term:
    return Term(sign, shown, np.maximum(volume - sum(shown.values(), np.zeros_like(volume)), 0))


def _inside(shown: Spans, at: Mapping[str, int], size: int) -> dict[Any, Numbers]:
    """Sum, for each window, the cases whose first and last month lie in it."""
    found: dict[Any, Numbers] = {}
    for value, spans in shown.items():
        counts = np.zeros((size, size), dtype=np.int64)
        for first, last, cases in spans:
            if first in at and last in at:
                counts[at[first], at[last]] += cases
        found[value] = np.cumsum(np.cumsum(counts[::-1], axis=0)[::-1], axis=1)
    return found


def _at_ends(spans: Iterable[tuple[str, str, int]], at: Mapping[str, int], size: int) -> Numbers:
    ends = np.zeros(size, dtype=np.int64)
    for _, last, cases in spans:
        if last in at:
            ends[at[last]] += cases
    return ends


def _spans(
    evidence: Evidence, name: str, value: Callable[[tuple[str, ...], str | None], Hashable]
) -> dict[Kind, Spans]:
    table = evidence.partition(name)
    found: dict[Kind, Spans] = {}
    if not table.num_rows:
        return found
    ways = tree_paths(evidence, "service")
    more = [column for column in ("late_for_code", "channel_code") if column in table.column_names]
    columns = [*KIND, "period_code", "release_id", "service_id", *more]
    dated = table.filter(pc.not_equal(table["period_code"], EARLIER))
    for row in dated.group_by(columns).aggregate([("case_count", "sum")]).to_pylist():
        service = row["service_id"]
        known = value(() if service is None else ways.get(service, (service,)), row.get("channel_code"))
        if known is None:
            continue
        first, last = month_span(row["period_code"])
        if row.get("late_for_code") is not None:
            last = max(last, row["release_id"])
        spans = found.setdefault((row["body_id"], row["case_type_code"]), {})
        spans.setdefault(known, []).append((first, last, row["case_count_sum"]))
    return found
