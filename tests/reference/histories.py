"""Long random histories: what a small office looks like at many extractions, with everything that sources do to a past.

Cases are seen late, finish late, vanish, are reopened and closed again; and after they were counted their body, type,
outcome and date of finishing change at the source. Everything follows from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.reference.offices import Snapshot, life, months

NEVER = 99
CASES = 1300


def history(seed: int, *, runs: Sequence[int]) -> tuple[Snapshot, ...]:
    """Make the office of a seed as it looks at each run; runs: how many months each releases."""
    chance = random.Random(f"history {seed}")
    calendar = months(sum(runs))
    last_on = calendar[-1].last_on + timedelta(days=15)
    lives = [life(chance, number, last_on) | {"story": _story(chance, len(runs))} for number in range(CASES)]
    made, released = [], 0
    for run, length in enumerate(runs):
        due = calendar[released : released + length]
        released += length
        today = due[-1].last_on + timedelta(days=15)
        seen = [_seen(each, run, today) for each in lives]
        made.append(Snapshot(tuple(case for case in seen if case is not None), tuple(due)))
    return tuple(made)


def _story(chance: random.Random, runs: int) -> dict[str, Any]:
    """Say in which run what happens to a case."""

    def at(share: float) -> int:
        return chance.randrange(1, runs) if chance.random() < share else NEVER

    late, finish_late = at(0.12), at(0.12)
    reopened = at(0.04)
    return {
        "seen": 0 if late == NEVER else late,
        "finish_seen": 0 if finish_late == NEVER else finish_late,
        "gone": at(0.04),
        "back": chance.choice((1, 2, NEVER)),  # runs after it vanished
        "reopened": reopened,
        "closed_again": reopened + chance.choice((1, 2, NEVER)),
        "moved": at(0.05),
        "retyped": at(0.05),
        "edited": at(0.08),
        "outcome": chance.choice(("granted_full", "refused_exempt", "not_eligible", None)),
        "dated": at(0.05),
        "days": chance.choice((-40, -10, 5, 30, 70)),
    }


def _seen(each: dict[str, Any], run: int, today: date) -> dict[str, Any] | None:
    story = each["story"]
    is_gone = story["gone"] <= run < story["gone"] + story["back"]
    if story["seen"] > run or is_gone or each["registered_on"] > today:
        return None
    case = dict(each)
    if story["moved"] <= run:
        case["body_id"] = "body0"
    if story["retyped"] <= run:
        case["case_type_code"] = "service"
    if case["finished_on"] is not None and story["dated"] <= run:
        case["finished_on"] = max(case["registered_on"], case["finished_on"] + timedelta(days=story["days"]))
    if case["finished_on"] is None or case["finished_on"] > today or story["finish_seen"] > run:
        unknown = ("finished_on", "outcome_code", "lateness_law_code", "lateness_bylaw_code", "wait_days")
        return case | dict.fromkeys(unknown) | {"status_code": "in_progress"}
    if story["edited"] <= run:
        case["outcome_code"] = story["outcome"]
    case["status_code"] = "reopened" if story["reopened"] <= run < story["closed_again"] else "closed"
    return case
