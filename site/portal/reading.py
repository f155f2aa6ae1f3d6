"""The box "how to read these data": six rules, each with a wrong and a right query and the results of both.

The results are computed when the site is built, on the newest release, so that a reader who follows the link sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalogue import load_queries
from portal.released import Released, Row
from portal.waits import Band

RULES = (1, 2, 3, 4, 5, 6)
_TEN_DAYS = 10


@dataclass(frozen=True)
class Answer:
    """A query of the box with its first row and address."""

    name: str
    sql: str
    row: Row
    address: str


@dataclass(frozen=True)
class Rule:
    """A rule with its wrong and its right query."""

    number: int
    wrong: Answer
    right: Answer


def read_rules(released: Released, *, case_type: str, bands: Sequence[Band]) -> list[Rule]:
    """Run the pairs of the box on the newest release."""
    above = next((band.code for band in bands if band.first > _TEN_DAYS), "99999")
    named = {"release": released.newest.release_id, "case_type": case_type, "above": above}

    def answer(name: str) -> Answer:
        row = released.ask(name, **named)[0]
        return Answer(name, load_queries()[name].sql, row, released.address(name, **named))

    return [Rule(n, answer(f"reading_{n}_wrong"), answer(f"reading_{n}_right")) for n in RULES]
