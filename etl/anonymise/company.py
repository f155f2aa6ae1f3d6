"""What anybody knows of the waits behind published figures, and whether one more figure leaves nobody alone.

Order statistics of nested selections bound single cases: subtract the groups whose times are known from the selection
around them, and a rank with many cases on either side may stand for the last one of the few that are left. So every
selection carries, for each of its waits in rising order, the least and the most that it can be by all that is published
below it: bands, lateness, and the figures of groups and of smaller selections. A figure is shown only if, after all these
are taken away, at least four cases are left on each side of it (decision record 0019).

Knowing more than outsiders do (how many cases have a time) errs on the side of showing less. Pure numbers, no relation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from etl.anonymise.ranks import COMPANY

Numbers: TypeAlias = npt.NDArray[np.int32]
LOWEST, HIGHEST = -(2**31), 2**31 - 1  # of a wait of which nothing is known


@dataclass(frozen=True)
class Known:
    """The waits of a selection in rising order: the one at place i is at least `least[i]` and at most `most[i]` days."""

    least: Numbers
    most: Numbers

    def sharpened(self, figures: Mapping[int, int]) -> Known:
        """Add what figures say: rank (from 1) -> days."""
        least, most = self.least.copy(), self.most.copy()
        for rank, days in figures.items():
            least[rank - 1 :] = np.maximum(least[rank - 1 :], days)
            most[:rank] = np.minimum(most[:rank], days)
        return Known(least, most)

    def split(self, edge: int, *, below: int, above: int) -> Known:
        """Add that so many waits are no longer than `edge` days, and so many longer."""
        least, most = self.least.copy(), self.most.copy()
        most[:below] = np.minimum(most[:below], edge)
        first = len(least) - above
        least[first:] = np.maximum(least[first:], edge + 1)
        return Known(least, most)

    def leaves_company(self, rank: int, days: int, *, largest: int = 1) -> bool:
        """Say whether a figure leaves four cases on each side of it that nobody has placed there yet.

        largest: the most cases of one requester, who knows where they are: all but one of them are no company.
        """
        longer = len(self.least) - rank - int(np.count_nonzero(self.least > days))
        shorter = rank - 1 - int(np.count_nonzero(self.most < days))
        return min(longer, shorter) >= COMPANY + largest - 1


def known_of(count: int, *, least: int | None = None, most: int | None = None) -> Known:
    """Say of `count` waits that they lie between two numbers of days; None: no bound."""
    low, high = LOWEST if least is None else least, HIGHEST if most is None else most
    return Known(np.full(count, low, np.int32), np.full(count, high, np.int32))


def together(parts: Sequence[Known]) -> Known:
    """Put the waits of disjoint selections in one rising order."""
    nothing = np.zeros(0, np.int32)
    least = np.sort(np.concatenate([nothing, *(part.least for part in parts)]))
    return Known(least, np.sort(np.concatenate([nothing, *(part.most for part in parts)])))
