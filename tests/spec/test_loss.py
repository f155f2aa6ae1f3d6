"""What a ladder would keep, weighed by hand."""

from __future__ import annotations

from etl.anonymise.loss import LossRow, weigh
from etl.metadata import Policy

POLICY = Policy(ladder=({"outcome": "code", "service": "leaf"}, {"outcome": "parent"}, {"service": "family"}))


def test_shares_are_of_whole_groups_by_size_of_body() -> None:
    """Rungs 1, 2, 3 and the floor hold 50, 30, 10 and 10 of 100 cases of bodies released by month."""
    counted = [
        {"cadence_code": "month", "rung_number": rung, "n": n} for rung, n in ((1, 50), (2, 30), (3, 10), (4, 10))
    ]
    assert weigh(counted, POLICY) == [
        LossRow("month", "service", "leaf", 50),
        LossRow("month", "service", "family", 10),
        LossRow("month", "service", "dropped", 40),
        LossRow("month", "outcome", "code", 50),
        LossRow("month", "outcome", "parent", 30),
        LossRow("month", "outcome", "dropped", 20),
        LossRow("month", "floor", "floor", 10),
    ]


def test_a_size_with_fewer_than_k_cases_is_only_named() -> None:
    """Nine cases give no share."""
    rows = weigh([{"cadence_code": "year", "rung_number": 1, "n": 9}], POLICY)
    assert {row.percent for row in rows} == {None}
    assert {row.size_code for row in rows} == {"year"}
