"""The books of all releases: do groups, flows and stocks add up? Recounted in pandas, which did not make the numbers.

A series per sum, indexed by body and case type; pandas aligns them, so a pair that one side lacks counts as 0 there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

PAIR = ["body_id", "case_type_code"]


def _nothing() -> pd.Series[int]:
    return pd.Series(dtype="int64", index=pd.MultiIndex.from_arrays([[], []], names=PAIR))


@dataclass
class Balance:
    """Sums over all releases up to the one before: per body and case type, in cases."""

    finished: pd.Series[int] = field(default_factory=_nothing)
    grouped: pd.Series[int] = field(default_factory=_nothing)
    open: pd.Series[int] = field(default_factory=_nothing)
    registered: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)  # by body and type, then month

    def add(self, margin: pa.Table, group: pa.Table) -> None:
        """Add one release."""
        rows = _by_pair(margin)
        self.finished = _plus(self.finished, rows["finished_count"] + rows["late_finished_count"])
        self.grouped = _plus(self.grouped, _cases(group))
        self.open = rows["open_count"]
        self.registered = self.registered_with(margin)

    def registered_with(self, margin: pa.Table) -> dict[tuple[str, str], dict[str, int]]:
        """Give the registered cases of every body, type and month, those of a release that comes now with them."""
        found = {pair: dict(months) for pair, months in self.registered.items()}
        for row in margin.select([*PAIR, "month_code", "registered_count"]).to_pylist():
            found.setdefault((row["body_id"], row["case_type_code"]), {})[row["month_code"]] = row["registered_count"]
        return found

    def is_whole(self, margin: pa.Table, group: pa.Table) -> bool:
        """Say whether groups + floor + awaiting are all finished cases so far (law 3)."""
        rows = _by_pair(margin)
        finished = _plus(self.finished, rows["finished_count"] + rows["late_finished_count"])
        placed = _plus(_plus(self.grouped, _cases(group)), rows["awaiting_count"])
        return bool(finished.sub(placed, fill_value=0).eq(0).all())

    def closes(self, margin: pa.Table) -> bool:
        """Say whether the flows of every body and type give the change of its stock (identity of CONTRACT, `margin`)."""
        rows = _by_pair(margin)
        came = rows["registered_count"] + rows["late_registered_count"] + rows["reopened_count"]
        went = rows["finished_count"] + rows["late_finished_count"] + rows["withdrawn_count"]
        return bool(_plus(self.open, came - went).sub(rows["open_count"], fill_value=0).eq(0).all())

    def lacks_rows(self, margin: pa.Table) -> bool:
        """Say whether a body and type that had a row in the release before has none now."""
        return not self.open.index.isin(_by_pair(margin).index).all()


def has_twins(margin: pa.Table) -> bool:
    """Say whether a body and case type has two rows."""
    return not _by_pair(margin).index.is_unique


def own_groups(group: pa.Table) -> pa.Table:
    """Leave out the rows that replace an earlier group: they stand for cases that another row counts already."""
    return group.filter(pc.is_null(group["replaces_id"]))


def _by_pair(margin: pa.Table) -> pd.DataFrame:
    return margin.to_pandas().set_index(PAIR)


def _cases(group: pa.Table) -> pd.Series[int]:
    frame = own_groups(group).select([*PAIR, "case_count"]).to_pandas()
    return frame.groupby(PAIR)["case_count"].sum()


def _plus(left: pd.Series[int], right: pd.Series[int]) -> pd.Series[int]:
    return left.add(right, fill_value=0)
