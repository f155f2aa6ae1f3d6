"""The books of all releases: do groups, flows and stocks add up? Recounted in plain Python, which did not make the numbers.

A sum per body and case type; a pair that one side lacks counts as 0 there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

Pair = tuple[str, str]  # body_id, case_type_code
PAIR = ("body_id", "case_type_code")
FINISHED = ("finished_count", "late_finished_count")
CAME = ("registered_count", "late_registered_count", "reopened_count")
WENT = (*FINISHED, "withdrawn_count")


@dataclass
class Balance:
    """Sums over all releases up to the one before: per body and case type, in cases."""

    finished: Counter[Pair] = field(default_factory=Counter)
    grouped: Counter[Pair] = field(default_factory=Counter)
    open: Counter[Pair] = field(default_factory=Counter)
    registered: dict[Pair, dict[str, int]] = field(default_factory=dict)  # by body and type, then month

    def add(self, margin: pa.Table, group: pa.Table) -> None:
        """Add one release, or several that follow one another."""
        self.finished.update(_sums(margin, FINISHED))
        self.grouped.update(_sums(own_groups(group), ("case_count",)))
        self.open = _sums(margin.filter(pc.equal(margin["month_code"], pc.max(margin["month_code"]))), ("open_count",))
        self.registered = self.registered_with(margin)

    def registered_with(self, margin: pa.Table) -> dict[Pair, dict[str, int]]:
        """Give the registered cases of every body, type and month, those of a release that comes now with them."""
        found = {pair: dict(months) for pair, months in self.registered.items()}
        columns = (margin[name].to_pylist() for name in (*PAIR, "month_code", "registered_count"))
        for body, case_type, month, count in zip(*columns, strict=True):
            found.setdefault((body, case_type), {})[month] = count
        return found

    def is_whole(self, margin: pa.Table, group: pa.Table) -> bool:
        """Say whether groups + floor + awaiting are all finished cases so far (law 3)."""
        finished = _together(self.finished, _sums(margin, FINISHED))
        return finished == _together(
            self.grouped, _sums(own_groups(group), ("case_count",)), _sums(margin, ("awaiting_count",))
        )

    def closes(self, margin: pa.Table) -> bool:
        """Say whether the flows of every body and type give the change of its stock (identity of CONTRACT, `margin`)."""
        return _together(self.open, _sums(margin, CAME)) == _together(
            _sums(margin, WENT), _sums(margin, ("open_count",))
        )

    def lacks_rows(self, margin: pa.Table) -> bool:
        """Say whether a body and type that had a row in the release before has none now."""
        return not set(self.open) <= set(_pairs(margin))


def has_twins(margin: pa.Table) -> bool:
    """Say whether a body and case type has two rows."""
    pairs = _pairs(margin)
    return len(set(pairs)) < len(pairs)


def own_groups(group: pa.Table) -> pa.Table:
    """Leave out the rows that replace an earlier group: they stand for cases that another row counts already."""
    return group.filter(pc.is_null(group["replaces_id"]))


def _pairs(table: pa.Table) -> list[Pair]:
    return list(zip(*(table[name].to_pylist() for name in PAIR), strict=True))


def _sums(table: pa.Table, columns: Sequence[str]) -> Counter[Pair]:
    """Sum columns by body and type; a pair whose sum is 0 is there, too."""
    summed = table.group_by(list(PAIR)).aggregate([(name, "sum") for name in columns])
    counts = zip(*(summed[f"{name}_sum"].to_pylist() for name in columns), strict=True)
    return Counter(dict(zip(_pairs(summed), map(sum, counts), strict=True)))


def _together(*sums: Counter[Pair]) -> Counter[Pair]:
    """Add sums up; `+` would leave out what is below 0, an error that must be seen."""
    total: Counter[Pair] = Counter()
    for each in sums:
        total.update(each)
    return total
