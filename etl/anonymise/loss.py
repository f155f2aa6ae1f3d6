"""What a ladder would keep: for each column the share of cases that show it at each level, by size of body.

For the operator who chooses a ladder on past periods, before it is frozen; private, and never an input of a release
(a ladder that followed the period's data would tell about them). Sizes are cadences: bodies released by month are large,
by season middling, by year small. Shares are of whole groups, floors included, as whole percentages; a size with fewer
than k cases is only named. Late groups are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl.anonymise.held import fetch
from etl.metadata import Policy
from etl.metadata.levels import COLUMNS, levels_of

if TYPE_CHECKING:
    from ibis.expr.types import Table

SIZES = ("month", "season", "year")
DROPPED = "dropped"
FLOOR = "floor"


@dataclass(frozen=True)
class LossRow:
    """Of the cases of a size, so many per cent show a column at a level (or `dropped`); column `floor`: they show nothing.

    percent: None where the size has fewer than k cases.
    """

    size_code: str
    column: str
    level: str
    percent: int | None


def loss_rows(groups: Table, policy: Policy) -> list[LossRow]:
    """Weigh the groups of a run (shape of `case_group`) by size, column and level."""
    own = groups.filter(groups.late_for_code.isnull())
    counted = fetch(own.group_by("cadence_code", "rung_number").agg(n=own.case_count.sum()))
    return weigh(counted, policy)


def weigh(counted: Iterable[Mapping[str, Any]], policy: Policy) -> list[LossRow]:
    """Turn cases by cadence_code and rung_number (n) into shares."""
    by_size: dict[str, dict[int, int]] = {size: {} for size in SIZES}
    for row in counted:
        by_size[row["cadence_code"]][row["rung_number"]] = int(row["n"])
    rows = []
    for size, rungs in by_size.items():
        total = sum(rungs.values())
        for column, level, shown in _levels(policy):
            n = sum(count for rung, count in rungs.items() if rung in shown)
            if total:
                rows.append(LossRow(size, column, level, None if total < policy.k else round(100 * n / total)))
    return rows


def _levels(policy: Policy) -> list[tuple[str, str, set[int]]]:
    """List the columns of the ladder with their levels, and the rungs that show them so."""
    floor = len(policy.ladder) + 1
    found: list[tuple[str, str, set[int]]] = []
    for column in COLUMNS:
        used = {number: rung[column] for number, rung in enumerate(policy.ladder, 1) if column in rung}
        for level in levels_of(policy, column):
            numbers = {number for number, shown in used.items() if shown == level}
            found += [(column, level, numbers)] if numbers else []
        found += [(column, DROPPED, set(range(1, floor + 1)) - set(used))] if used else []
    return [*found, (FLOOR, FLOOR, {floor})]
