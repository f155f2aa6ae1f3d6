"""Shares as intervals: what is known, and what may hide in rows that do not show the value (CONTRACT "Intervals").

Rare is dropped first, so a share of the known rows alone would flatter; every share here is of all cases. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDE_POINTS = 10


@dataclass(frozen=True)
class Interval:
    """A count between `at_least` and `at_least + not_shown`, of `total` cases."""

    at_least: int
    not_shown: int
    total: int

    @property
    def at_most(self) -> int:
        """The largest count that the published rows allow; never above the total."""
        return min(self.at_least + self.not_shown, self.total)

    @property
    def low(self) -> float:
        """The smallest possible share, 0 to 1 (0 of nothing is 0)."""
        return self.at_least / self.total if self.total else 0.0

    @property
    def high(self) -> float:
        """The largest possible share, 0 to 1."""
        return self.at_most / self.total if self.total else 0.0

    @property
    def is_wide(self) -> bool:
        """Say whether the share is too wide to be printed as a percentage (more than 10 points)."""
        return 100 * (self.high - self.low) > WIDE_POINTS

    @property
    def tenths(self) -> tuple[int, int]:
        """How many of ten: the smallest and the largest whole number, both rounded down.

        >>> Interval(61, 13, 100).tenths
        (6, 7)
        """
        return int(10 * self.low + 1e-9), int(10 * self.high + 1e-9)


def hundred(counts: Sequence[int]) -> tuple[int, ...]:
    """Share 100 dots among counts by largest remainder (ties: the earlier one); all zeros give all zeros.

    >>> hundred([1, 1, 1])
    (34, 33, 33)
    """
    whole = sum(counts)
    if not whole:
        return tuple(0 for _ in counts)
    exact = [100 * count / whole for count in counts]
    dots = [int(share) for share in exact]
    order = sorted(range(len(counts)), key=lambda i: (dots[i] - exact[i], i))
    for i in order[: 100 - sum(dots)]:
        dots[i] += 1
    return tuple(dots)
