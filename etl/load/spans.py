"""Between which days the median wait of a union of groups lies, as far as the published rows of the groups tell.

A row bounds how many of its cases waited at most v days: from below by its order statistics up to v, from above by those
beyond v; its duration band bounds all of its cases. Untimed cases may have waited anything. Whoever holds the rows can
recompute it; nothing of a case enters.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

WAITS = {"wait_p25_days": 25, "wait_median_days": 50, "wait_p75_days": 75, "wait_p90_days": 90}
NOT_RECORDED = "not_recorded"
Array = np.ndarray[tuple[int], np.dtype[np.int64]]


def median_span(group: pa.Table, run: Array, sizes: Array) -> tuple[pa.Array, pa.Array]:
    """Give the least and the greatest median (nearest rank) of each run of groups; NULL where the rows set no bound.

    group: rows with case_count, timed_band_code, duration_band_code and WAITS; run: number of the run of each row, from 0
    and rising; sizes: cases of each run.
    """
    count = group["case_count"].to_numpy().astype(np.int64)
    least, most = _steps(group, count)
    rank = (sizes + 1) // 2
    return _first_reaching(*most, run, rank), _first_reaching(*least, run, rank)


def _steps(group: pa.Table, count: Array) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
    """Write both bounds of each row as steps (row, day, cases more from that day on); day -1 stands for every day."""
    timed = pc.fill_null(pc.cast(group["timed_band_code"], pa.int64()), 0).to_numpy()
    rows = np.arange(len(count))
    low, high = _band(group)
    least, most = _Steps(), _Steps()
    ranks = {name: (timed * percent + 99) // 100 for name, percent in WAITS.items()}
    sure = np.zeros_like(count)
    beyond = np.zeros_like(count)
    for name in WAITS:
        day = pc.fill_null(group[name], -1).to_numpy()
        shown = (day >= 0) & (timed > 0)
        gained = np.where(shown, np.maximum(ranks[name] - sure, 0), 0)
        least.add(rows, day, gained, shown)
        sure += gained
    for name in reversed(list(WAITS)):
        day = pc.fill_null(group[name], -1).to_numpy()
        shown = (day >= 0) & (timed > 0)
        lost = np.where(shown, np.maximum(timed - ranks[name] + 1 - beyond, 0), 0)
        most.add(rows, day, lost, shown)
        beyond += lost
    # the rest: bounded by the band, else by nothing
    banded = low >= 0
    least.add(rows, np.where(high >= 0, high, 0), count - sure, (high >= 0) & (count > sure))
    most.add(rows, np.where(banded, low, -1), count - beyond, count > beyond)
    return least.arrays(), most.arrays()


class _Steps:
    """Steps of many rows, collected part by part."""

    def __init__(self) -> None:
        self._parts: list[tuple[Array, Array, Array]] = []

    def add(self, rows: Array, day: Array, more: Array, where: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        """Add a step for the rows where it stands."""
        self._parts.append((rows[where], day[where], more[where]))

    def arrays(self) -> tuple[Array, Array, Array]:
        """Give all steps as three arrays."""
        row, day, more = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return row, day, more


def _band(group: pa.Table) -> tuple[Array, Array]:
    """Give the first and last day of each row's duration band; -1 where there is none."""
    codes = group["duration_band_code"].combine_chunks().dictionary_encode()
    bounds = [(-1, -1) if code == NOT_RECORDED else _bounds(code) for code in codes.dictionary.to_pylist()]
    bounds.append((-1, -1))
    place = pc.fill_null(codes.indices, len(bounds) - 1).to_numpy()
    ends = np.array(bounds, np.int64)[place]
    return ends[:, 0], ends[:, 1]


def _bounds(code: str) -> tuple[int, int]:
    first, _, last = code.partition("_")
    return int(first), -1 if last == "up" else int(last)


def _first_reaching(row: Array, day: Array, more: Array, run: Array, rank: Array) -> pa.Array:
    """Give the first day on which the cases of each run reach its rank; NULL: never, or (day -1) from the start."""
    order = np.lexsort((day, run[row]))
    runs, days, total = run[row][order], day[order], np.cumsum(more[order])
    own = np.arange(len(rank))
    before = np.concatenate(([0], total))[np.searchsorted(runs, own)]
    reached = np.searchsorted(total, before + rank)
    is_own = np.concatenate((runs, [-1]))[reached] == own
    found = np.where(is_own, np.concatenate((days, [-1]))[reached], -1)
    return pa.array(found, mask=found < 0)
