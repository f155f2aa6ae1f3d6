"""Random small offices whose work comes in surges: cases are registered in few months and decided in few others.

Little is hidden between two month ends then, and what one population shows solves for what the others hide. Everything
follows from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from etl.calendars import Period
from tests.reference.offices import Snapshot, life, months

MONTHS = 8  # from 1402-11 on: a year ends with the second
BEGUN = 3  # months of the first run, from which cadences are guessed
CASES = 400
KIND = {"body_id": "body0", "case_type_code": "service"}


def surges(seed: int) -> list[Snapshot]:
    """Make the office of a seed: three months are due first, then one after the other, each at an extraction of its own."""
    chance = random.Random(f"surges {seed}")
    calendar = months(MONTHS)
    begins, ends = calendar[: chance.randint(1, 2)], chance.sample(calendar[1:], 3)
    late = chance.choice((0, 0.1))
    lives = [_case(chance, number, begins, ends, late) for number in range(CASES)]
    dues = [tuple(calendar[:BEGUN]), *((month,) for month in calendar[BEGUN:])]
    today = [due[-1].last_on + timedelta(days=15) for due in dues]
    return [
        Snapshot(tuple(_seen(each, day) for each in lives if each["registered_on"] <= day), due)
        for due, day in zip(dues, today, strict=True)
    ]


def emptied(*, late: int) -> list[Snapshot]:
    """120 cases are open at a year's end; two permits are left of them a month later, which is seen so many months late."""
    lives = [("build", 0, 0)] * 90 + [("build", 1, 2)] * 78 + [("build", 1, None)] * 2 + [("aid", 1, 2)] * 40
    return _runs_of(lives, [3, *([1] * late)], late=late)


def dwindled() -> list[Snapshot]:
    """123 cases are open at a year's end; a month later 20 permits to build and three others, and then four of these end."""
    lives = [("build", 0, 0)] * 90 + [("build", 1, 2)] * 60 + [("build", 1, None)] * 18 + [("build", 1, 3)] * 2
    lives += [("aid", 1, 2)] * 40 + [("shop", 1, None)] + [("shop", 1, 3)] * 2
    return _runs_of(lives, [3, 1], late=0)


def _runs_of(lives: Sequence[tuple[str, int, int | None]], runs: Sequence[int], *, late: int) -> list[Snapshot]:
    """Make the runs of an office: how many months each releases; what ends late is seen so many months late."""
    made, calendar = [], months(sum(runs))
    for place, length in enumerate(runs):
        released = sum(runs[:place])
        seen = released + length - (late if place < late else 0)
        cases = tuple(_alike(number, *each, seen=seen) for number, each in enumerate(lives))
        made.append(Snapshot(cases, tuple(calendar[released : released + length])))
    return made


def _case(
    chance: random.Random, number: int, begins: Sequence[Period], ends: Sequence[Period], late: float
) -> dict[str, Any]:
    registered = chance.choice(begins).first_on + timedelta(days=chance.randrange(25))
    finished = chance.choice(ends).first_on + timedelta(days=chance.randrange(25))
    wait = (finished - registered).days
    made = life(chance, number, ends[-1].last_on)
    return made | {
        "body_id": "body0",
        "case_type_code": "foi" if number % 3 else "service",
        "requester_key": f"person{number}",
        "service_id": chance.choices(("build", "shop", "aid"), weights=(8, 3, 4))[0],
        "channel_code": chance.choices(("web", "desk"), weights=(3, 1))[0],
        "outcome_code": chance.choice(("granted_full", "refused_exempt")),
        "registered_on": registered,
        "finished_on": finished if wait >= 0 and chance.random() < 0.97 else None,
        "due_bylaw_on": registered + timedelta(days=14),
        "due_law_on": registered + timedelta(days=10),
        "lateness_law_code": "late" if wait > 10 else "on_time",
        "wait_days": wait,
        "events": [event | {"occurred_on": None, "occurred_at": None} for event in made["events"]],
        "seen_days": chance.choice((35, 65)) if chance.random() < late else 0,  # after its end it is seen late
    }


def _seen(each: dict[str, Any], today: date) -> dict[str, Any]:
    case = {name: value for name, value in each.items() if name not in ("story", "seen_days")}
    finished = case["finished_on"]
    if finished is None or finished + timedelta(days=each["seen_days"]) > today:
        unknown = ("finished_on", "outcome_code", "lateness_law_code", "lateness_bylaw_code", "wait_days")
        return case | dict.fromkeys(unknown) | {"status_code": "in_progress"}
    return case | {"status_code": "closed"}


def _alike(number: int, service: str, registered: int, finished: int | None, *, seen: int) -> dict[str, Any]:
    """A case of two months, in nothing but its service, outcome and person unlike the others; seen: months known by then."""
    calendar = months(max(seen, registered + 1))
    begun = calendar[registered].first_on + timedelta(days=9)
    ended = None if finished is None or finished >= seen else months(finished + 1)[-1].first_on + timedelta(days=9)
    drawn = life(random.Random(number), number, calendar[-1].last_on)
    refused = service == "aid" and number % 2
    alike: dict[str, Any] = {
        "unit_id": "u1",
        "channel_code": "web",
        "lateness_bylaw_code": None,
        "is_loop": False,
        "reason_code": None,
    }
    alike |= {"applicant_kind_code": "natural", "applicant_province_code": "tehran", "events": []}
    known = {
        "outcome_code": "refused_exempt" if refused else "completed",
        "lateness_law_code": "late" if finished != registered else "on_time",
        "wait_days": (ended - begun).days if ended else None,
    }
    days = {"registered_on": begun, "due_law_on": begun + timedelta(days=10), "finished_on": ended}
    mine = {"case_key": f"case{number:04}", "requester_key": f"person{number}", "service_id": service, "exemptions": ()}
    made = drawn | KIND | alike | mine | days | (known if ended else dict.fromkeys(known))
    return {name: value for name, value in made.items() if name != "story"} | {
        "status_code": "closed" if ended else "in_progress"
    }
