"""What is left of a log after anonymisation: published rows beside true timelines. Shares no code with the product.

A case's published timeline is a list of steps, with None for a gap (None for the whole: nothing is shown of it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Shown = Sequence[str | None] | None
Case = tuple[Sequence[str], Shown]  # what happened, what is published


@dataclass(frozen=True)
class Kept:
    """Shares in percent, counts of what should be 0, and the size of the smallest group but the floor."""

    events: float
    exact: float
    follows_error: float
    false_follows: int
    invented: int
    smallest: int


def measure(cases: Sequence[Case], groups: Iterable[int]) -> Kept:
    """Compare cases with what is published of them; groups: sizes of the published groups without floors."""
    total = sum(len(true) for true, _ in cases)
    common = [longest_common(true, steps(shown)) for true, shown in cases]
    told, happened, false = Counter[tuple[str, str]](), Counter[tuple[str, str]](), 0
    for true, shown in cases:
        own_told, own_true = Counter(follows(shown)), Counter(pairwise(true))
        false += (own_told - own_true).total()
        told += own_told
        happened += own_true
    error = sum(abs(told[pair] - happened[pair]) for pair in told | happened)
    return Kept(
        events=100 * sum(common) / total,
        exact=100 * sum(list(true) == list(shown or ()) for true, shown in cases) / len(cases),
        follows_error=100 * error / happened.total(),
        false_follows=false,
        invented=sum(len(steps(shown)) - found for (_, shown), found in zip(cases, common, strict=True)),
        smallest=min(groups, default=0),
    )


def steps(shown: Shown) -> list[str]:
    """Leave the gaps out."""
    return [step for step in shown or () if step is not None]


def follows(shown: Shown) -> list[tuple[str, str]]:
    """List the pairs of steps that are said to follow each other directly."""
    return [(first, second) for first, second in pairwise(shown or ()) if first is not None and second is not None]


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Measure the longest common subsequence.

    >>> longest_common("intake", "take in")
    4
    """
    row = [0] * (len(other) + 1)
    for step in one:
        before = 0
        for place, given in enumerate(other):
            before, row[place + 1] = row[place + 1], before + 1 if step == given else max(row[place], row[place + 1])
    return row[-1]
