"""Random small offices in staging form, as they look at several extractions: cases appear, finish, move, vanish.

Everything follows from a seed. Values are skewed so that groups around k occur on every rung; bodies differ in volume so
that all cadences occur; some cases are seen late, some vanish, some are reopened and closed again, some change body.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from etl.calendars import Period, parse_period
from etl.metadata import Policy
from etl.metadata.settings import Bands, Body, Cadence, Clock, Clocks, Margins, Node, Sensitive
from etl.model.staging import CASE, CASE_EXEMPTION, EVENT, Staging

FIRST = "1402-11"
RUNS = (14, 1, 1)  # months that each run releases
FIRST_ON = parse_period("jalali", FIRST).first_on
TRACES = (
    (("intake", "registered", "reg"), ("review", "in_review", "u1"), ("decide", "decided", "u1")),
    (("intake", "registered", "reg"), ("review", "in_review", "u2"), ("decide", "decided", "u2")),
    (
        ("intake", "registered", "reg"),
        ("scan", None, "reg"),
        ("review", "in_review", "u1"),
        ("decide", "decided", "u1"),
    ),
    (
        ("intake", "registered", "reg"),
        ("review", "in_review", "u1"),
        ("legal", "in_review", "u2"),
        ("decide", "decided", "u1"),
    ),
)
COARSE = {"granted_full": "positive", "completed": "positive", "refused_exempt": "negative", "not_eligible": "negative"}


@dataclass(frozen=True)
class Snapshot:
    """Staging at one extraction, as rows, and the months that are due then."""

    cases: tuple[dict[str, Any], ...]  # columns of staging `case`, with `events` and `exemptions`
    due: tuple[Period, ...]


def small_policy(*, k: int = 5, headline: str = "law") -> Policy:
    """A policy with every ladder column and every level, small thresholds and a sensitive service."""
    return Policy(
        clocks=Clocks(headline, bylaw=Clock("working", 10), law=Clock("calendar", 10)),
        k=k,
        cadence=Cadence(month=25, season=10),
        bodies=tuple(Body(f"body{number}", {"fa": "", "en": ""}) for number in range(5)),
        services=(
            Node("permits", None, {}),
            Node("building", "permits", {}),
            Node("build", "building", {}),
            Node("shop", "permits", {}),
            Node("welfare", None, {}),
            Node("aid", "welfare", {}),
        ),
        units=(
            Node("hq", None, {}, staff_band="10_19"),
            Node("u1", "hq", {}, staff_band="3_9"),
            Node("u2", "hq", {}, staff_band="under_10"),
            Node("reg", None, {}, staff_band="1_2"),
        ),
        margins=Margins(join_small={"inquiry": "service"}),
        sensitive=Sensitive(("welfare",), {"outcome": COARSE}, ("trace", "loop")),
        bands=Bands(duration_wide=(0, 10, 20)),
        levels={"service": ("leaf", "group", "family")},
        patterns="mined",
        ladder=(
            {"service": "leaf", "unit": "leaf", "outcome": "code", "lateness": "code", "trace": "steps_units"},
            {"service": "leaf", "outcome": "code", "lateness": "code", "loop": "flag", "trace": "steps"},
            {"service": "leaf", "outcome": "code", "lateness": "code", "trace": "steps"},
            {"service": "leaf", "outcome": "code", "lateness": "code", "trace": "milestones"},
            {"service": "leaf", "outcome": "code", "channel": "code", "trace": "pattern"},
            {"service": "family", "outcome": "code", "trace": "pattern"},
            {"service": "leaf", "unit": "department", "outcome": "code", "duration": "band", "channel": "code"},
            {"service": "group", "outcome": "code", "duration": "wide_band"},
            {"service": "family", "outcome": "code", "lateness": "code"},
            {"service": "family", "outcome": "parent", "lateness": "code"},
            {"outcome": "code", "lateness": "code"},
            {"outcome": "code"},
            {"lateness": "code"},
            {"service": "family"},
        ),
    )


def snapshots(seed: int) -> tuple[Snapshot, ...]:
    """Make the office of a seed as it looks at each run."""
    chance = random.Random(seed)
    calendar = months(sum(RUNS))
    last_on = calendar[-1].last_on + timedelta(days=15)
    lives = [life(chance, number, last_on) for number in range(2400)]
    made, released = [], 0
    for run, length in enumerate(RUNS):
        due = calendar[released : released + length]
        released += length
        today = due[-1].last_on + timedelta(days=15)
        seen = [_seen(chance, each, run, today) for each in lives]
        made.append(Snapshot(tuple(case for case in seen if case is not None), tuple(due)))
    return tuple(made)


def stage(backend: Any, snapshot: Snapshot, name: str) -> Staging:
    """Put a snapshot on an engine in staging form, in the order of its rows."""
    events = [event for case in snapshot.cases for event in case["events"]]
    cited = [
        {"case_key": case["case_key"], "batch_id": 1, "exemption_code": code}
        for case in snapshot.cases
        for code in case["exemptions"]
    ]
    rows = [{column: case.get(column) for column in CASE.names} for case in snapshot.cases]
    return Staging(
        backend.create_table(f"{name}_case", pa.Table.from_pylist(rows, schema=CASE)),
        backend.create_table(f"{name}_event", pa.Table.from_pylist(events, schema=EVENT)),
        backend.create_table(f"{name}_exemption", pa.Table.from_pylist(cited, schema=CASE_EXEMPTION)),
    )


def shuffled(snapshot: Snapshot, seed: int) -> Snapshot:
    """Give the same staging in another order of rows."""
    chance = random.Random(seed)
    cases = [dict(case, events=chance.sample(case["events"], len(case["events"]))) for case in snapshot.cases]
    return replace(snapshot, cases=tuple(chance.sample(cases, len(cases))))


def rekeyed(snapshot: Snapshot) -> Snapshot:
    """Give the same staging as another secret would key it: other case keys, in another order."""
    cases = []
    for case in snapshot.cases:
        key = f"z{case['case_key'][::-1]}"
        events = [dict(event, case_key=key) for event in case["events"]]
        cases.append(dict(case, case_key=key, events=events))
    return replace(snapshot, cases=tuple(cases))


def months(count: int) -> list[Period]:
    """Give so many months from FIRST on."""
    codes = [f"{1402 + (10 + place) // 12}-{(10 + place) % 12 + 1:02}" for place in range(count)]
    return [parse_period("jalali", code) for code in codes]


def life(chance: random.Random, number: int, last_on: date) -> dict[str, Any]:
    """Draw a case with its events, its end, and its story over three runs."""
    body = chance.choices(range(5), weights=(10, 6, 4, 2, 1))[0]
    registered = FIRST_ON + timedelta(days=chance.randrange((last_on - FIRST_ON).days))
    wait = chance.choice((0, 1, 2, 2, 3, 4, 5, 7, 9, 12, 20, 35))
    outcomes = ("granted_full", "completed", "refused_exempt", "not_eligible", "rejected_unclear", None)
    service = chance.choices(("build", "shop", "aid", "not_recorded"), weights=(8, 2, 3, 1))[0]
    key = f"{chance.randrange(16**8):08x}{number:04}"
    finished = registered + timedelta(days=wait) if chance.random() < 0.93 else None
    exempt = chance.sample(("ir_14", "ir_15"), chance.randrange(3))
    case = {
        "case_key": key,
        "batch_id": 1,
        "is_deleted": False,
        "first_seen_batch": 1,
        "case_type_code": chance.choices(("foi", "service", "inquiry"), weights=(5, 6, 1))[0],
        "body_id": f"body{body}",
        "unit_id": chance.choices(("u1", "u2", None), weights=(6, 3, 1))[0],
        "service_id": service,
        "requester_key": _requester(chance, body, service),
        "channel_code": chance.choices(("web", "desk", None), weights=(7, 2, 1))[0],
        "registered_on": registered,
        "due_bylaw_on": registered + timedelta(days=14),
        "due_law_on": registered + timedelta(days=10),
        "is_loop": chance.choices((True, False, None), weights=(2, 8, 1))[0],
        "reason_code": chance.choice((None, "exempt")),
        "exemptions": tuple(exempt),
        "outcome_code": chance.choices(
            outcomes, weights=(2, 1, 1, 40, 1, 1) if service == "shop" else (9, 3, 2, 1, 1, 1)
        )[0],
        "wait_days": wait if chance.random() < 0.95 else None,
        "lateness_law_code": "late" if wait > 10 else "on_time",
        "lateness_bylaw_code": chance.choice(("on_time", "late", None)),
        "finished_on": finished,
    }
    applicant = random.Random(number)  # of its own, so that the other draws stay as they are
    case["applicant_kind_code"] = applicant.choices(("natural", "legal", None), weights=(8, 2, 1))[0]
    case["applicant_province_code"] = applicant.choices(("tehran", "yazd", None), weights=(7, 1, 1))[0]
    case["events"] = _events(chance, key, registered, wait)
    case["story"] = {
        "seen": chance.choices((0, 1, 2), weights=(20, 1, 1))[0],
        "finish_seen": chance.choices((0, 1, 2), weights=(20, 1, 1))[0],
        "gone": chance.choices((9, 1, 2), weights=(30, 1, 1))[0],
        "reopened": chance.choices((9, 0, 1), weights=(30, 1, 1))[0],
        "closed_again": chance.choice((1, 2, 9)),
        "moved": chance.choices((9, 1), weights=(40, 1))[0],
    }
    return case


def _requester(chance: random.Random, body: int, service: str) -> str | None:
    """Draw who asks: nobody known, one of many, or the one person who asks a body most of what it is asked of a service."""
    often = 0.6 if service == "shop" else 0.05
    if chance.random() < often:
        return f"often{body}"
    return None if chance.random() < 0.3 else f"person{chance.randrange(1500)}"


def _events(chance: random.Random, key: str, registered: date, wait: int) -> list[dict[str, Any]]:
    steps = list(chance.choices((*TRACES, ()), weights=(8, 3, 2, 1, 1))[0])
    if steps and chance.random() < 0.3:  # a detour, which makes the timeline rare
        steps.insert(chance.randrange(len(steps) + 1), (chance.choice(("call", "visit", "review")), None, "u1"))
    events = []
    for place, (activity, milestone, unit) in enumerate(steps):
        day = registered + timedelta(days=wait * place // max(len(steps) - 1, 1))
        is_known = chance.random() < 0.93
        events.append(
            {
                "case_key": key,
                "batch_id": 1,
                "seq": place + 1,
                "activity_code": activity,
                "milestone_code": milestone,
                "occurred_at": datetime.combine(day, time(6), UTC) if is_known else None,
                "occurred_on": day if is_known else None,
                "time_precision_code": chance.choices(("day", "second", "month"), weights=(8, 8, 1))[0],
                "to_unit_id": unit,
                "is_derived": chance.random() < 0.03,
            }
        )
    return events


def _seen(chance: random.Random, life: dict[str, Any], run: int, today: date) -> dict[str, Any] | None:
    story = life["story"]
    if story["seen"] > run or story["gone"] <= run or life["registered_on"] > today:
        return None
    case = dict(life)
    if case["finished_on"] is None or case["finished_on"] > today or story["finish_seen"] > run:
        open_part = ("finished_on", "outcome_code", "lateness_law_code", "lateness_bylaw_code", "wait_days")
        return case | dict.fromkeys(open_part) | {"status_code": "in_progress"}
    is_reopened = story["reopened"] <= run < story["closed_again"]
    case["status_code"] = "reopened" if is_reopened else "closed"
    if story["moved"] <= run:
        case["body_id"] = "body0"
    return case
