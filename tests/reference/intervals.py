"""The interval of a value over whole groups, as CONTRACT "Intervals" says it: what is known, and what is still possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Interval:
    """At least and at most so many of `total` cases have the value."""

    at_least: int
    at_most: int
    total: int


def interval(
    rows: Iterable[Mapping[str, Any]], column: str, code: str, *, parents: Mapping[str, str | None], awaiting: int
) -> Interval:
    """Bound the cases with `code` in `column`: a coarser value and NULL leave it possible, and so does a waiting case."""
    known = hidden = other = 0
    above = ancestors(code, parents)
    for row in rows:
        if row[column] == code or code in ancestors(row[column], parents):
            known += row["case_count"]
        elif row[column] is None or row[column] in above:
            hidden += row["case_count"]
        else:
            other += row["case_count"]
    total = known + hidden + other + awaiting
    return Interval(known, known + hidden + awaiting, total)


def ancestors(code: str | None, parents: Mapping[str, str | None]) -> set[str]:
    """List the coarser codes of a code."""
    found: set[str] = set()
    step = parents.get(code) if code else None
    while step is not None:
        found.add(step)
        step = parents.get(step)
    return found
