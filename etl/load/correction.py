"""What a correction may do to a released group, and the row that stands for it afterwards (DESIGN §4 "Late cases, corrections").

A group is withdrawn for good, or replaced by exactly one coarser row over the same cases: `case_count` equal, what is
wrong dropped together with all that implies it, nothing ever finer. A group of 11 that came back as one of 10 would give
away the eleventh case, so nothing here looks at a case: a replacement is made from the released row alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from etl.errors import UsageError
from etl.load.sums import LADDER_COLUMNS
from etl.metadata import Policy

TIMES = "times"
TIME_COLUMNS = ("timed_band_code", "wait_p25_days", "wait_median_days", "wait_p75_days", "wait_p90_days")
STEP_TIMES = ("timed_band_code", "since_start_median_days", "since_previous_median_days")
DROPPABLE = (*LADDER_COLUMNS, TIMES)
# what tells a dropped column all the same, or was computed from the same dates
_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "unit": ("trace",),
    "loop": ("trace",),
    "trace": (TIMES,),
    "duration": (TIMES,),
    "lateness": ("duration", TIMES),
}
Group = Mapping[str, Any]


@dataclass(frozen=True)
class Correction:
    """What shall happen to a released group: `drop` names the wrong ladder columns; None withdraws it for good."""

    case_group_id: int
    reason_code: str
    drop: tuple[str, ...] | None = None


def dropped_with(columns: Iterable[str], policy: Policy) -> frozenset[str]:
    """Close a choice of columns: whatever tells a dropped column goes with it.

    >>> sorted(dropped_with(["lateness"], Policy())), sorted(dropped_with(["unit"], Policy()))
    (['duration', 'lateness', 'times'], ['times', 'trace', 'unit'])
    """
    told_by = {**_TOLD_BY, "outcome": policy.sensitive.implies}
    found: set[str] = set()
    waiting = list(columns)
    while waiting:
        column = waiting.pop()
        if column not in found:
            found.add(column)
            waiting += told_by.get(column, ())
    return frozenset(found)


def replacement(group: Group, drop: Collection[str]) -> dict[str, Any]:
    """Make the coarser row of a released group (its columns by name), still without id and release of its own.

    drop: ladder columns and `times`, closed by `dropped_with`. `replaces_id` names the group as it was first released.
    """
    row = dict(group)
    for name in drop:
        columns = TIME_COLUMNS if name == TIMES else (LADDER_COLUMNS[name][0], f"{name}_level")
        row |= {column: None for column in columns if column in row}
    return row | {"replaces_id": first_id(group)}


def first_id(group: Group) -> int:
    """Give the id under which the cases of a group were first released: its own, or that of what it replaces."""
    first: int = group["case_group_id"] if group["replaces_id"] is None else group["replaces_id"]
    return first


def check_correction(asked: Correction, group: Group | None, *, taken: Collection[int], policy: Policy) -> None:
    """Refuse a correction that cannot be: unknown or floor group, a second one, nothing to drop, below k; UsageError.

    group: the released row that `asked` names, None where there is none. taken: ids withdrawn, or to be withdrawn, already.
    """
    name = f"the group {asked.case_group_id}"
    if group is None:
        raise _refused(
            "correction-unknown",
            f"{name}, which was never released",
            "the case_group_id of a released group",
            "Take it from table case_group, or from view case_group_v1.",
        )
    if asked.case_group_id in taken:
        raise _refused(
            "correction-twice",
            f"{name}, which is withdrawn or waits to be",
            "a group that still holds",
            "Correct the row that replaced it, if there is one (column replaced_by_id of table withdrawal).",
        )
    if group["is_floor"]:
        raise _refused(
            "correction-floor",
            f"{name}, which is a floor row",
            "a group that shows more than body, period, case type and a count",
            "The margin says the same, exact by law. Mend the source; the next month's margin counts the difference,"
            " and the body may say so in a note.",
        )
    if asked.drop is not None:
        _check_replacement(asked, group, policy)


def _check_replacement(asked: Correction, group: Group, policy: Policy) -> None:
    if not any(_shows(group, column) for column in asked.drop or ()):
        raise _refused(
            "correction-nothing",
            f"columns to drop ({', '.join(asked.drop or ())}) of which the group {asked.case_group_id} shows none",
            "a column that the group shows",
            "Look at the row first; where nothing can be dropped, withdraw the group.",
        )
    if group["case_count"] < policy.k:
        raise _refused(
            "correction-below-k",
            f"the group {asked.case_group_id}, smaller than today's k",
            f"at least {policy.k} cases in any row that is released now",
            "Withdraw it: a row that was released under a smaller k cannot be released again.",
        )


def _shows(group: Group, column: str) -> bool:
    names = TIME_COLUMNS if column == TIMES else (LADDER_COLUMNS[column][0],)
    return any(group[name] is not None for name in names)


def _refused(slug: str, found: str, expected: str, todo: str) -> UsageError:
    return UsageError(slug, found=found, expected=expected, todo=todo)
