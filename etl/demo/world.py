"""The world behind the office: every case with its whole life, a pure function of (seed, body, month).

What the databases know at a date is cut out of these lives later (`etl.demo.records`), so that late entries, closings
and corrections appear by themselves when time passes. One random stream per body and month, drawn in a fixed order
that nothing known later can change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from etl.demo import story
from etl.demo.case import BODY_MONTH, SPAWNED, Case, Correction
from etl.demo.catalogue import Catalogue, OfficeBody, OfficeService
from etl.demo.clock import DAY_MINUTES, OfficeClock
from etl.demo.outcomes import (
    BROKEN,
    CHANNELS,
    EXEMPTIONS,
    FLAWS,
    GROUNDS,
    LATE_SCORES,
    LINKS,
    NEGATIVE,
    OUTCOMES,
    REASON_GIVEN,
    REFUSALS,
    SCORES,
    SECRECY,
    URGENCY,
    Choice,
    weighted,
)
from etl.demo.people import Applicant, draw_applicant, draw_name
from etl.demo.routes import DECISIONS, ENDINGS, FILED, LONG, NOTED, SHORT, Detours, Step, draw_stages

KNOWN_APPLICANTS = 200  # how many of a month's applicants may come again
SHORT_WAIT = 4.5  # services that usually take fewer working days skip the head of the department
LIMIT_DAYS = 10


@dataclass(frozen=True)
class Offices:
    """A body's units by short name and the services it has."""

    body: OfficeBody
    number: int
    units: Mapping[str, str]
    parents: Mapping[str, str]
    services: Mapping[str, OfficeService]
    choice: Choice
    handlers: tuple[str, ...]  # units that handle letters, busiest first

    def roles(self, unit: str, other: str) -> Mapping[str, str]:
        """Name the roles of a route whose handling unit is `unit`; a small body has no legal unit of its own."""
        known = self.units
        head = self.parents.get(unit, known["hozeh"])
        legal = known.get("hoghoghi", known["hozeh"])
        return {
            "D": known["miz"],
            "S": known["dabirkhaneh"],
            "H": head,
            "U": known[unit],
            "L": legal,
            "X": known[other],
        }


@dataclass(frozen=True)
class Month:
    """A Jalali month of the world: its working days are numbers of the clock."""

    year: int
    month: int
    first_index: int
    working_count: int


@dataclass(frozen=True)
class Stream:
    """One body's month being drawn."""

    rnd: Random
    clock: OfficeClock
    offices: Offices
    month: Month
    pace: float
    applicants: list[Applicant]


def offices_of(catalogue: Catalogue) -> tuple[Offices, ...]:
    """Arrange the catalogue by body."""
    common = {service.id: service for service in catalogue.services if service.body is None}
    arranged = []
    for number, body in enumerate(catalogue.bodies, 1):
        own = {service.id: service for service in catalogue.services if service.body == body.id}
        handlers = tuple(dict.fromkeys(service.unit for service in own.values() if service.unit))
        choice = weighted([(service.id, service.share) for service in own.values()])
        units, parents = catalogue.unit_codes(body.id), catalogue.parent_codes(body.id)
        arranged.append(Offices(body, number, units, parents, {**common, **own}, choice, handlers))
    return tuple(arranged)


def draw_month(seed: int, clock: OfficeClock, offices: Offices, month: Month, *, monthly: float) -> Iterator[Case]:
    """Draw the cases that come to a body in a month; `monthly` is its number of cases in an average month."""
    rnd = Random(f"{seed}/{offices.body.id}/{month.year:04}-{month.month:02}")
    busy = 0.94 + 0.12 * rnd.random()
    wanted = monthly * story.SEASON[month.month] * busy * story.SPAWN_ALLOWANCE
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
            yield _letter_case(stream, number, start)


def _desk_case(stream: Stream, number: int, start: int) -> Case:
    draw = stream.rnd.random()
    known = stream.offices.services
    if draw < story.FOI_SHARE:
        return _request(stream, number, start, "foi", known["foi_request"])
    if draw < story.FOI_SHARE + story.COMPLAINT_SHARE:
        service = "service_complaint" if stream.rnd.random() < 0.8 else "staff_complaint"
        return _request(stream, number, start, "complaint", known[service])
    service_id = stream.offices.choice.pick(stream.rnd.random())
    return _request(stream, number, start, "service", known[service_id or ""])


def _request(
    stream: Stream,
    number: int,
    start: int,
    kind: str,
    service: OfficeService,
    *,
    parent: Case | None = None,
) -> Case:
    rnd, clock = stream.rnd, stream.clock
    is_arabic = rnd.random() < 0.12
    channel = CHANNELS.pick(rnd.random())
    applicant = parent.applicant if parent is not None else _applicant(stream, number, is_arabic)
    unit = _unit_for(stream.offices, service.unit)
    roles = stream.offices.roles(unit, _other(stream.offices, unit, rnd.random()))
    outcome = OUTCOMES[kind].pick(rnd.random())
    is_instant = rnd.random() < service.instant
    received = clock.at(start)
    timeline = (
        _instant_steps(stream, start, roles) if is_instant else _request_steps(stream, start, service, roles, outcome)
    )
    link = "none"
    if not is_instant:
        chosen = BROKEN if rnd.random() < story.BROKEN_LINK else LINKS
        link = chosen.pick(rnd.random()) or "both"
    promise = clock.index_of(received[0]) + max(3, round(service.wait * 1.3))
    is_promised = rnd.random() < 0.86 and not is_instant
    is_late = _decided_index(clock, timeline) - clock.index_of(received[0]) > LIMIT_DAYS
    is_refusal = outcome in REFUSALS
    ground = GROUNDS.pick(rnd.random()) if kind == "complaint" else None
    return Case(
        number=number,
        body=stream.offices.body,
        service=service,
        kind=kind,
        channel=channel,
        urgency=URGENCY.pick(rnd.random()) or "simple",
        applicant=applicant,
        sender=applicant.full_name if applicant is not None else "",
        direction="incoming",
        handler=roles["D"] if is_instant else roles["U"],
        received=received,
        entered_day=_entered(rnd, received[0]),
        steps=tuple(timeline),
        promised_day=clock.working[min(promise, len(clock.working) - 1)] if is_promised else None,
        outcome=outcome,
        correction=_correction(rnd, kind, timeline, outcome),
        exemption=EXEMPTIONS.pick(rnd.random()) if outcome == "refused_exempt" else None,
        is_reason_given=is_refusal and rnd.random() < REASON_GIVEN,
        ground="conduct" if service.id == "staff_complaint" else ground,
        parent=parent.number if parent is not None else None,
        link=link,
        secrecy="normal",
        flaw=_flaw(rnd),
        told=(rnd.random() < 0.95, rnd.random() < 0.93, rnd.random() < 0.94),
        score=(LATE_SCORES if is_late else SCORES).pick(rnd.random()) if rnd.random() < 0.18 else None,
        style=_style(rnd),
        is_arabic=is_arabic,
        has_twin=not is_instant and rnd.random() < story.TWICE,
        dice=rnd.random(),
    )


def _instant_steps(stream: Stream, start: int, roles: Mapping[str, str]) -> list[Step]:
    desk = roles["D"]
    answered = start + 5 + int(stream.rnd.random() * 40)
    at = stream.clock.at
    return [
        Step("received", None, desk, *at(start)),
        Step("answered_at_desk", desk, desk, *at(answered)),
        Step("closed", desk, desk, *at(answered + 3)),
    ]


def _request_steps(
    stream: Stream, start: int, service: OfficeService, roles: Mapping[str, str], outcome: str | None
) -> list[Step]:
    rnd = stream.rnd
    detours = _detours(stream, service, outcome)
    plan = SHORT if service.wait < SHORT_WAIT else LONG
    stages = [("received", "", "D", 0)]
    stages.append(("registered", "D", "S", 20 + int(rnd.random() ** 3 * 1.6 * DAY_MINUTES)))
    stages += draw_stages(rnd, plan, service.wait * stream.pace, detours)
    stages.append(("issued", "H", "S", 15 + int(rnd.random() * 0.5 * DAY_MINUTES)))
    stages.append(("notified", "S", "D", 10 + int(rnd.random() * 0.4 * DAY_MINUTES)))
    stages.append(("closed", "D", "D", 10 + int(rnd.random() * 1.5 * DAY_MINUTES)))
    if rnd.random() < story.REOPENED:
        stages.append(("reopened", "D", "D", (3 + int(rnd.random() * 20)) * DAY_MINUTES))
        stages.append(("closed", "D", "D", (4 + int(rnd.random() * 12)) * DAY_MINUTES))
    return _walk(stream.clock, stages, start, roles)


def _detours(stream: Stream, service: OfficeService, outcome: str | None) -> Detours:
    rnd = stream.rnd
    draws = [rnd.random() for _ in range(6)]
    body = stream.offices.body.id
    legal = story.SETTLING_DAYS if body == story.SETTLING_BODY else story.LEGAL_DAYS
    return Detours(
        clarified=draws[0] < (0.7 if outcome == "incomplete_documents" else story.CLARIFIED),
        inquired=draws[1] < story.INQUIRED,
        legal_days=legal if draws[2] < service.legal else None,
        returned=draws[3] < story.RETURNED,
        contested=draws[4] < story.CONTESTED,
        stuck_days=int(40 + 200 * draws[0]) if draws[5] < story.STUCK else 0,
    )


def _letter_case(stream: Stream, number: int, start: int) -> Case:
    rnd, clock, offices = stream.rnd, stream.clock, stream.offices
    draw = rnd.random()
    kind, name = "correspondence", "official_letter"
    if draw < story.INQUIRY_SHARE:
        kind, name = "inquiry", "body_inquiry"
    elif draw < story.INQUIRY_SHARE + story.INTERNAL_SHARE:
        name = "internal_letter"
    service = offices.services[name]
    is_internal = name == "internal_letter"
    unit = offices.handlers[int(rnd.random() ** 2 * len(offices.handlers))]
    roles = offices.roles(unit, _other(offices, unit, rnd.random()))
    outcome = OUTCOMES[kind].pick(rnd.random())
    timeline = _letter_steps(stream, start, service, roles, is_internal=is_internal)
    is_classified = rnd.random() < story.CLASSIFIED
    received = clock.at(start)
    is_arabic = rnd.random() < 0.12
    return Case(
        number=number,
        body=offices.body,
        service=service,
        kind=kind,
        channel="internal" if is_internal else ("ece" if rnd.random() < 0.72 else "post"),
        urgency=URGENCY.pick(rnd.random()) or "simple",
        applicant=None,
        sender=draw_name(rnd, arabic=is_arabic),
        direction="internal" if is_internal else "incoming",
        handler=roles["U"],
        received=received,
        entered_day=_entered(rnd, received[0]),
        steps=tuple(timeline),
        promised_day=None,
        outcome=outcome,
        correction=None,
        exemption=None,
        is_reason_given=False,
        ground=None,
        parent=None,
        link="none",
        secrecy=SECRECY.pick(rnd.random()) if is_classified else "normal",
        flaw=_flaw(rnd),
        told=(False, False, False),
        score=None,
        style=_style(rnd),
        is_arabic=is_arabic,
        has_twin=False,
        dice=rnd.random(),
    )


def _letter_steps(
    stream: Stream, start: int, service: OfficeService, roles: Mapping[str, str], *, is_internal: bool
) -> list[Step]:
    rnd = stream.rnd
    detours = Detours(stuck_days=int(30 + 150 * rnd.random()) if rnd.random() < story.STUCK else 0)
    is_answered = service.id == "body_inquiry" or rnd.random() < 0.45
    plan = NOTED if is_internal else (LONG if is_answered else FILED)
    stages = [("registered", "", "S", 0), *draw_stages(rnd, plan, service.wait * stream.pace, detours)]
    if plan is LONG:
        stages.append(("issued", "H", "S", 15 + int(rnd.random() * 0.5 * DAY_MINUTES)))
        stages.append(("filed", "S", "S", 20 + int(rnd.random() * DAY_MINUTES)))
    return _walk(stream.clock, stages, start, roles)


def _complaint_about(stream: Stream, case: Case) -> Case | None:
    rnd, clock = stream.rnd, stream.clock
    draw, wait = rnd.random(), rnd.random()
    decided = _decided_index(clock, case.steps)
    is_late = decided - clock.index_of(case.received[0]) > LIMIT_DAYS
    limit = story.SPAWN_OTHER
    if case.outcome in NEGATIVE:
        limit = story.SPAWN_REFUSED
    elif is_late:
        limit = story.SPAWN_LATE
    if case.kind == "complaint" or draw >= limit:
        return None
    start = int((decided + 1 + wait * 15) * DAY_MINUTES)
    service = stream.offices.services["service_complaint"]
    complaint = _request(stream, case.number + SPAWNED, start, "complaint", service, parent=case)
    return complaint._replace(ground="late" if is_late else complaint.ground)


def _walk(
    clock: OfficeClock, stages: list[tuple[str, str, str, int]], start: int, roles: Mapping[str, str]
) -> list[Step]:
    steps = []
    position = start
    for action, source, target, gap in stages:
        position += gap
        day, minute = clock.at(position)
        steps.append(Step(action, roles[source] if source else None, roles[target], day, minute))
    return steps


def _applicant(stream: Stream, number: int, is_arabic: bool) -> Applicant:
    rnd, known = stream.rnd, stream.applicants
    if known and rnd.random() < 0.17:
        return known[int(rnd.random() * len(known))]
    applicant = draw_applicant(rnd, number, arabic=is_arabic)
    if len(known) == KNOWN_APPLICANTS:
        known[int(rnd.random() * KNOWN_APPLICANTS)] = applicant
    else:
        known.append(applicant)
    return applicant


def _unit_for(offices: Offices, name: str | None) -> str:
    return name if name is not None and name in offices.units else "hozeh"


def _other(offices: Offices, unit: str, draw: float) -> str:
    others = [name for name in offices.handlers if name != unit] or ["hozeh"]
    return others[int(draw * draw * len(others))]


def _decided_index(clock: OfficeClock, steps: list[Step] | tuple[Step, ...]) -> int:
    decided = next(step.day for step in steps if step.action in DECISIONS)
    return clock.index_of(decided)


def _entered(rnd: Random, day: int) -> int:
    return day + int(28 + 34 * rnd.random()) if rnd.random() < story.ENTERED_LATE else day


def _correction(rnd: Random, kind: str, steps: list[Step], outcome: str | None) -> Correction | None:
    draw, days = rnd.random(), rnd.random()
    if draw >= story.CORRECTED:
        return None
    closed = max(step.day for step in steps if step.action in ENDINGS)
    other = "granted_partial" if kind == "foi" else "completed"
    return Correction(closed + int(20 + 70 * days), other if outcome != other else "referred_elsewhere")


def _flaw(rnd: Random) -> str | None:
    return FLAWS.pick(rnd.random()) if rnd.random() < story.FLAWED else None


def _style(rnd: Random) -> int:
    draw = rnd.random()
    return 0 if draw < 0.78 else 1 if draw < 0.90 else 2
