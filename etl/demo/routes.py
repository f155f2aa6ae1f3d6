"""How a case goes through a body: activities, units and working time, drawn once for the whole life of the case.

A route is a list of stages (activity, from, to, gap in working minutes); units are roles until the world names them:
D service desk, S secretariat, H head of the department, U the unit that handles it, L legal, X another unit.
Most cases of a service take one of two routes; detours make the rest: documents asked for, inquiries, legal review,
returned drafts; a contested case takes many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from etl.demo.clock import DAY_MINUTES

Stage = tuple[str, str, str, int]

LONG = (
    ("referred", "S", "H", 0.13),
    ("assigned", "H", "U", 0.14),
    ("reviewed", "U", "U", 0.43),
    ("drafted", "U", "H", 0.18),
    ("signed", "H", "H", 0.12),
)
SHORT = (("assigned", "S", "U", 0.22), ("reviewed", "U", "U", 0.53), ("signed", "U", "H", 0.25))
FILED = (
    ("referred", "S", "H", 0.2),
    ("assigned", "H", "U", 0.3),
    ("reviewed", "U", "U", 0.4),
    ("filed", "U", "S", 0.1),
)
NOTED = (("assigned", "S", "U", 0.4), ("filed", "U", "S", 0.6))
DESK_ACTIONS = frozenset({"received", "answered_at_desk", "notified", "closed", "reopened"})
DECISIONS = frozenset({"signed", "answered_at_desk"})
ENDINGS = frozenset({"closed", "filed"})
SPREAD = 0.28  # of the logarithm of the wait
CONTESTED_ROUNDS = (8, 11)


class Step(NamedTuple):
    """One step of a case: what was done, from which unit to which (codes), and when (civil day, minute)."""

    action: str
    source: str | None
    target: str
    day: int
    minute: int


@dataclass(frozen=True)
class Detours:
    """Which detours a case takes; `legal_days` bounds the stay in the legal unit, `stuck_days` is a stay under review."""

    clarified: bool = False
    inquired: bool = False
    legal_days: tuple[int, int] | None = None
    returned: bool = False
    contested: bool = False
    stuck_days: int = 0


def draw_stages(rnd: Random, plan: Sequence[tuple[str, str, str, float]], wait: float, detours: Detours) -> list[Stage]:
    """Draw the gaps of a plan whose usual length is `wait` working days, with its detours."""
    total = wait * DAY_MINUTES * rnd.lognormvariate(0.0, SPREAD)
    stages: list[Stage] = []
    for action, source, target, share in plan:
        stages.append((action, source, target, max(1, int(total * share * (0.75 + 0.5 * rnd.random())))))
        if action == "reviewed":
            stages.extend(_after_review(rnd, detours))
        elif action == "drafted" and detours.returned:
            stages.append(("returned", "H", "U", _days(rnd, 0.3, 1.5)))
            stages.append(("drafted", "U", "H", _days(rnd, 0.8, 3.0)))
    return stages


def _after_review(rnd: Random, detours: Detours) -> list[Stage]:
    stages: list[Stage] = []
    if detours.clarified:
        stages += _clarification(rnd)
    if detours.inquired:
        stages += _inquiry(rnd)
    if detours.legal_days is not None:
        stages += _legal(rnd, detours.legal_days)
    if detours.contested:
        for _ in range(rnd.randint(*CONTESTED_ROUNDS)):
            stages += rnd.choice((_clarification, _inquiry, _commission))(rnd)
    if detours.stuck_days:
        stages.append(("reviewed", "U", "U", detours.stuck_days * DAY_MINUTES))
    return stages


def _clarification(rnd: Random) -> list[Stage]:
    return [
        ("clarification_asked", "U", "D", _days(rnd, 0.1, 0.5)),
        ("clarification_given", "D", "U", _days(rnd, 2, 7)),
        ("reviewed", "U", "U", _days(rnd, 0.4, 1.5)),
    ]


def _inquiry(rnd: Random) -> list[Stage]:
    return [
        ("inquiry_sent", "U", "X", _days(rnd, 0.1, 0.6)),
        ("inquiry_answered", "X", "U", _days(rnd, 1.5, 6)),
        ("reviewed", "U", "U", _days(rnd, 0.3, 1.2)),
    ]


def _legal(rnd: Random, days: tuple[int, int]) -> list[Stage]:
    return [
        ("referred", "U", "L", _days(rnd, 0.2, 0.8)),
        ("legal_review", "L", "L", _days(rnd, *days)),
        ("referred", "L", "U", _days(rnd, 0.2, 0.8)),
    ]


def _commission(rnd: Random) -> list[Stage]:
    return [
        ("commission", "U", "H", _days(rnd, 3, 9)),
        ("returned", "H", "U", _days(rnd, 0.3, 1.5)),
        ("reviewed", "U", "U", _days(rnd, 0.5, 2.5)),
    ]


def _days(rnd: Random, low: float, high: float) -> int:
    return int((low + (high - low) * rnd.random()) * DAY_MINUTES) + 1
