"""Shares are intervals of all cases, and dots sum to a hundred."""

from __future__ import annotations

import itertools

from portal.body_facts import interval
from portal.intervals import Interval, hundred


def test_share_runs_from_known_to_known_and_hidden() -> None:
    """61 known and 13 hidden of 100 is 61 to 74 %."""
    share = Interval(61, 13, 100)
    assert (share.low, share.high) == (0.61, 0.74)
    assert share.is_wide


def test_at_most_never_passes_the_total() -> None:
    """What is hidden cannot make a part larger than the whole."""
    assert Interval(90, 20, 100).at_most == 100


def test_share_of_nothing_is_nothing() -> None:
    """An empty scope divides by nothing."""
    assert Interval(0, 0, 0).low == 0.0


def test_tenths_round_down_at_both_ends() -> None:
    """79 % is 7 of 10, never 8: a promise is not rounded up."""
    assert Interval(79, 10, 100).tenths == (7, 8)
    assert Interval(8, 0, 10).tenths == (8, 8)


def test_dots_always_sum_to_a_hundred() -> None:
    """Largest remainder gives exactly a hundred dots for any counts."""
    for counts in itertools.product((0, 1, 7, 33, 1000), repeat=3):
        assert sum(hundred(counts)) == (100 if sum(counts) else 0)


def test_dots_stay_near_their_share() -> None:
    """No dot count is a whole dot away from its share."""
    counts = (3, 5, 7, 11, 13, 17)
    for count, dots in zip(counts, hundred(counts), strict=True):
        assert abs(dots - 100 * count / sum(counts)) < 1


def test_row_of_a_query_becomes_an_interval() -> None:
    """Queries give at_least, not_shown and total."""
    assert interval({"at_least": 1, "not_shown": 2, "total": 9, "at_most": 3}) == Interval(1, 2, 9)
