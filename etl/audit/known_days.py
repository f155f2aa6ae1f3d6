"""Known days: of how many cases of a group can somebody be one whose wait, or days up to some step, are known.

A band of waits holds a case or does not. A median or quartile says how many cases lie on either side of it: of a group of
17, three at most wait longer than its median and less than its upper quartile. What an outsider does not know, how many
cases have a time at all, counts against the attack, and so does every step that a known one may be. Days since the start
are days since the first step, on the clock of waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow.compute as pc

from etl.audit.evidence import Evidence
from etl.audit.nested import BAND, WAITS, fewest_timed, nearest_rank

AROUND = 20  # numbers of timed cases below the largest possible one that are tried: ranks are alike every 20
MEDIAN = 50
Row = dict[str, Any]


def fitting_wait(row: Row, days: int) -> int:
    """Count the cases of a group, at most, of which one with a wait of so many days can be one."""
    if not in_band(row["duration_band_code"], days):
        return 0
    figures = {percent: row[name] for name, percent in WAITS.items() if row[name] is not None}
    told = fewest_timed(row)  # by the rule of company; where that is broken, the band alone
    least = told if told <= row["case_count"] else int(row[BAND] or 0)
    return _fitting(*_beside(days, figures), least=least, most=row["case_count"])


def fitting_step(row: Row, steps: Sequence[Row], days: int) -> int:
    """Count the cases of a group, at most, that can have reached one of some steps so many days after their first.

    steps: the rows of `case_group_step` of the group that the known step may be.
    """
    found: list[int] = [] if steps else [row["case_count"]]
    for step in steps:
        figures = {} if step["since_start_median_days"] is None else {MEDIAN: step["since_start_median_days"]}
        found.append(_fitting(*_beside(days, figures), least=int(step[BAND] or 0), most=row["case_count"]))
    return max(found)


@lru_cache(maxsize=65_536)
def in_band(band: str | None, days: int) -> bool:
    """Say whether a wait can lie in a published band; the lowest one holds all that is less.

    >>> in_band("06_10", 5), in_band("06_10", 10), in_band("61_up", 70), in_band("00_02", -1), in_band(None, 3)
    (False, True, True, True, True)
    """
    low, _, high = (band or "").partition("_")
    if not low.isdecimal():
        return True  # not shown, or shown as not recorded: what the body lacks somebody else may know
    return (days >= int(low) or int(low) == 0) and (not high.isdecimal() or days <= int(high))


def step_rows(evidence: Evidence) -> dict[int, list[Row]]:
    """Give the timed steps of each group, by case_group_id."""
    found: dict[int, list[Row]] = {}
    table = evidence.table("case_group_step")
    for row in table.filter(pc.is_valid(table["since_start_median_days"])).to_pylist() if table.num_rows else ():
        found.setdefault(row["case_group_id"], []).append(row)
    return found


def _beside(days: int, figures: Mapping[int, int]) -> tuple[int, int | None]:
    """Give the percentiles next to some days on either side; 0 and None stand for what is beyond all figures."""
    before = max((percent for percent, shown in figures.items() if shown < days), default=0)
    return before, min((percent for percent, shown in figures.items() if shown > days), default=None)


@lru_cache(maxsize=65_536)
def _fitting(before: int, after: int | None, *, least: int, most: int) -> int:
    """Count those between two percentiles, for the number of timed cases that leaves the most."""
    numbers = {min(least, most), *range(max(least, most - AROUND), most + 1)}
    counts: list[int] = [_between(before, after, timed) + most - timed for timed in numbers]
    return max(counts)


def _between(before: int, after: int | None, timed: int) -> int:
    end = timed + 1 if after is None else nearest_rank(timed, after)
    return max(0, end - nearest_rank(timed, before) - 1)
