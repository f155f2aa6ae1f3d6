"""Rows of the published table `quality`, and the only two ways in which one of them says how much (DESIGN §4).

A row is an interval, at least and at most, never an exact count: orders of magnitude for what extraction left out, five
points for a share of cases. Two releases then differ by a whole band or not at all, and a band of a share is wide enough
to hold k cases. Rows are mappings of the table's columns without its key.
"""

from __future__ import annotations

from collections.abc import Mapping

QualityRow = Mapping[str, str | int | None]

SHARE_POINTS = 5
WHOLE = 100


def count_band(count: int, k: int) -> tuple[int, int]:
    """Give the order of magnitude of a count: nothing, fewer than k, and then by powers of ten.

    >>> [count_band(n, 10) for n in (0, 4, 10, 99, 100, 4321)]
    [(0, 0), (1, 9), (10, 99), (10, 99), (100, 999), (1000, 9999)]
    """
    if count <= 0:
        return 0, 0
    if count < k:
        return 1, k - 1
    upper = 10
    while upper <= count:
        upper *= 10
    return max(k, upper // 10), max(k, upper - 1)


def share_band(part: int, whole: int, k: int) -> tuple[int, int]:
    """Give the band of five points in which a share lies, or 0 to 100 where such a band is less than k cases wide.

    >>> share_band(190, 200, 10), share_band(200, 200, 10), share_band(190, 199, 10)
    ((95, 100), (95, 100), (0, 100))
    """
    if whole * SHARE_POINTS < k * WHOLE:
        return 0, WHOLE
    low = min(part * WHOLE // whole // SHARE_POINTS * SHARE_POINTS, WHOLE - SHARE_POINTS)
    return low, low + SHARE_POINTS
