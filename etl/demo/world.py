"""The world behind the office: every case with its whole life, a pure function of (seed, body, month).

What the databases know at a date is cut out of these lives later (`etl.demo.records`), so that late entries, closings
and corrections appear by themselves when time passes. One random stream per body and month, drawn in a fixed order
that nothing known later can change.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from etl.demo import story
from etl.demo.bodies import Month, Offices, Stream
from etl.demo.case import BODY_MONTH, SPAWNED, Case
from etl.demo.clock import DAY_MINUTES, OfficeClock
from etl.demo.lives import decided_index, draw_letter, draw_request, is_late
from etl.demo.outcomes import NEGATIVE


def draw_month(seed: int, clock: OfficeClock, offices: Offices, month: Month, *, monthly: float) -> Iterator[Case]:
    """Draw the cases that come to a body in a month; `monthly` is its number of cases in an average month."""
    rnd = Random(f"{seed}/{offices.body.id}/{month.year:04}-{month.month:02}")
    busy = 0.94 + 0.12 * rnd.random()
    wanted = monthly * story.SEASON[month.month] * busy * story.DIRECT
    if story.silent(offices.body.id, month.year, month.month):
        return
    count = int(wanted) + (rnd.random() < wanted % 1)
    tempo = story.pace(offices.body.id, month.year, month.month) * (0.92 + 0.16 * rnd.random())
    stream = Stream(rnd, clock, offices, month, tempo, [])
    base = ((month.year - 1390) * 12 + month.month) * 100 + offices.number
    for index in range(count):
        start = (month.first_index * DAY_MINUTES) + int(
            (index + rnd.random()) / count * month.working_count * DAY_MINUTES
        )
        number = base * BODY_MONTH + index
        if rnd.random() < story.DESK_SHARE:
            case = _desk_case(stream, number, start)
            yield case
            complaint = _complaint_about(stream, case)
            if complaint is not None:
                yield complaint
        else:
            yield draw_letter(stream, number, start)


def _desk_case(stream: Stream, number: int, start: int) -> Case:
    draw = stream.rnd.random()
    known = stream.offices.services
    if draw < story.FOI_SHARE:
        return draw_request(stream, number, start, "foi", known["foi_request"])
    if draw < story.FOI_SHARE + story.COMPLAINT_SHARE:
        service = "service_complaint" if stream.rnd.random() < 0.8 else "staff_complaint"
        return draw_request(stream, number, start, "complaint", known[service])
    service_id = stream.offices.choice.pick(stream.rnd.random())
    return draw_request(stream, number, start, "service", known[service_id or ""])


def _complaint_about(stream: Stream, case: Case) -> Case | None:
    rnd, clock = stream.rnd, stream.clock
    draw, wait = rnd.random(), rnd.random()
    is_slow = is_late(clock, case)
    limit = story.SPAWN_OTHER
    if case.outcome in NEGATIVE:
        limit = story.SPAWN_REFUSED
    elif is_slow:
        limit = story.SPAWN_LATE
    if case.kind == "complaint" or draw >= limit:
        return None
    start = int((decided_index(clock, case.steps) + 1 + wait * 15) * DAY_MINUTES)
    if story.silent(stream.offices.body.id, *clock.month_of(clock.at(start)[0])):
        return None
    service = stream.offices.services["service_complaint"]
    complaint = draw_request(stream, case.number + SPAWNED, start, "complaint", service, parent=case)
    return complaint._replace(ground="late" if is_slow else complaint.ground)
