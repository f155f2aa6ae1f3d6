"""How cases end: outcomes by kind of case, the exemption a refusal cites, and other weighted choices of the office."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Choice:
    """A weighted choice; None stands for a value the office did not record."""

    values: tuple[str | None, ...]
    bounds: tuple[float, ...]

    def pick(self, draw: float) -> str | None:
        """Give the value at a number from 0 to 1.

        >>> weighted([("a", 1), ("b", 3)]).pick(0.5)
        'b'
        """
        return self.values[bisect(self.bounds, draw)]


def weighted(pairs: Sequence[tuple[str | None, float]]) -> Choice:
    """Make a choice of (value, weight) pairs."""
    total = sum(weight for _, weight in pairs)
    sums = list(accumulate(weight / total for _, weight in pairs))
    return Choice(tuple(value for value, _ in pairs), tuple(sums[:-1]))


OUTCOMES = {
    "service": weighted(
        [
            ("completed", 87.5),
            ("incomplete_documents", 5.5),
            ("not_eligible", 3.6),
            ("referred_elsewhere", 1.4),
            ("withdrawn", 1.2),
            ("other", 0.4),
            (None, 0.4),
        ]
    ),
    "foi": weighted(
        [
            ("granted_full", 50),
            ("granted_partial", 13),
            ("already_public", 12),
            ("refused_exempt", 9),
            ("not_held", 7),
            ("referred_elsewhere", 5),
            ("rejected_unclear", 2.5),
            ("withdrawn", 1.5),
        ]
    ),
    "complaint": weighted(
        [
            ("completed", 62),
            ("not_eligible", 20),
            ("granted_partial", 10),
            ("rejected_unclear", 3.5),
            ("withdrawn", 3),
            ("duplicate", 1.5),
        ]
    ),
    "inquiry": weighted([("completed", 94), ("referred_elsewhere", 4.5), (None, 1.5)]),
    "correspondence": weighted([("completed", 95), ("referred_elsewhere", 2.6), ("other", 1.2), (None, 1.2)]),
}
REFUSALS = frozenset({"refused_exempt", "rejected_unclear"})
NEGATIVE = REFUSALS | {"not_eligible", "incomplete_documents"}
EXEMPTIONS = weighted(
    [
        ("ir_14", 30),
        ("ir_15", 26),
        ("ir_13", 17),
        ("ir_16", 10),
        ("ir_17c", 8),
        ("ir_17a", 4),
        ("ir_17b", 3),
        (None, 2),
    ]
)
REASON_GIVEN = 0.90
CHANNELS = weighted(
    [
        ("web", 61),
        ("mobile", 14),
        ("desk", 15),
        ("portal", 5),
        ("phone", 2.2),
        ("post", 1.6),
        ("email", 0.7),
        (None, 0.5),
    ]
)
URGENCY = weighted([("simple", 95), ("urgent", 4.4), ("immediate", 0.6)])
GROUNDS = weighted(
    [("late", 40), ("no_reply", 22), ("refusal", 14), ("incomplete", 12), ("irrelevant", 8), ("cost", 4)]
)
SECRECY = weighted([("confidential", 78), ("very_confidential", 11), ("secret", 6), (None, 5)])
FLAWS = weighted([("impossible_date", 50), ("closed_early", 25), ("unknown_code", 25)])
LINKS = weighted([("both", 62), ("tracking", 24), ("letter", 14)])
BROKEN = weighted([("missing", 55), ("mistyped", 45)])
SCORES = weighted([("5", 34), ("4", 30), ("3", 18), ("2", 9), ("1", 9)])
LATE_SCORES = weighted([("5", 12), ("4", 18), ("3", 24), ("2", 22), ("1", 24)])
