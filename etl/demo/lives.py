"""The life of one case, drawn whole: what is asked, the way it takes through the body, and how it ends.

A request begins at the desk and causes a letter, or is answered at once; a letter of another body, or of the body
itself, stands in the automation only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from etl.demo import story
from etl.demo.bodies import Stream
from etl.demo.case import Case, Correction
from etl.demo.catalogue import OfficeService
from etl.demo.clock import DAY_MINUTES, OfficeClock
from etl.demo.outcomes import (
    BROKEN,
    CHANNELS,
    EXEMPTIONS,
    FLAWS,
    GROUNDS,
    LATE_SCORES,
    LINKS,
    OUTCOMES,
    REASON_GIVEN,
    REFUSALS,
    SCORES,
    SECRECY,
    URGENCY,
)
from etl.demo.people import Applicant, draw_applicant, draw_name
from etl.demo.routes import DECISIONS, ENDINGS, FILED, LONG, NOTED, SHORT, Detours, Step, draw_stages

KNOWN_APPLICANTS = 200  # how many of a month's applicants may come again
SHORT_WAIT = 4.5  # services that usually take fewer working days skip the head of the department


def draw_request(
    stream: Stream, number: int, start: int, kind: str, service: OfficeService, *, parent: Case | None = None
) -> Case:
    """Draw a request that comes to the desk at a position of the clock; `parent` is the case it complains about."""
    rnd, offices = stream.rnd, stream.offices
    is_arabic = rnd.random() < 0.12
    channel = CHANNELS.pick(rnd.random())
    unit = offices.unit_for(service.unit)
    roles = offices.roles(unit, offices.other(unit, rnd.random()))
    outcome = OUTCOMES[kind].pick(rnd.random())
    is_instant = rnd.random() < service.instant
    steps = _instant_steps(stream, start, roles) if is_instant else _steps(stream, start, service, roles, outcome)
    applicant = parent.applicant if parent is not None else _applicant(stream, number, is_arabic)
    case = Case(
        number=number,
        body=offices.body,
        service=service,
        kind=kind,
        channel=channel,
        urgency=URGENCY.pick(rnd.random()) or "simple",
        applicant=applicant,
        sender=applicant.full_name if applicant is not None else "",
        direction="incoming",
        handler=roles["D"] if is_instant else roles["U"],
        received=stream.clock.at(start),
        entered_day=_entered(rnd, stream.clock.at(start)[0]),
        steps=tuple(steps),
        outcome=outcome,
        link="none" if is_instant else _link(rnd),
        flaw=_flaw(rnd),
        style=_style(rnd),
        is_arabic=is_arabic,
        dice=rnd.random(),
        parent=parent.number if parent is not None else None,
    )
    return _with_answer(stream, case)


def draw_letter(stream: Stream, number: int, start: int) -> Case:
    """Draw a letter that does not come from the desk: of another body, an inquiry, or internal."""
    rnd, offices = stream.rnd, stream.offices
    draw = rnd.random()
    kind, name = "correspondence", "official_letter"
    if draw < story.INQUIRY_SHARE:
        kind, name = "inquiry", "body_inquiry"
    elif draw < story.INQUIRY_SHARE + story.INTERNAL_SHARE:
        name = "internal_letter"
    service = offices.services[name]
    is_internal = name == "internal_letter"
    unit = offices.handlers[int(rnd.random() ** 3 * len(offices.handlers))]
    roles = offices.roles(unit, offices.other(unit, rnd.random()))
    received = stream.clock.at(start)
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
        steps=tuple(_letter_steps(stream, start, service, roles)),
        outcome=OUTCOMES[kind].pick(rnd.random()),
        secrecy=SECRECY.pick(rnd.random()) if rnd.random() < story.CLASSIFIED else "normal",
        flaw=_flaw(rnd),
        style=_style(rnd),
        is_arabic=is_arabic,
        dice=rnd.random(),
    )


def decided_index(clock: OfficeClock, steps: Iterable[Step]) -> int:
    """Give the number of the working day on which a case with a decision was decided."""
    return clock.index_of(next(step.day for step in steps if step.action in DECISIONS))


def is_late(clock: OfficeClock, case: Case) -> bool:
    """Say whether the decision comes later than the ten working days of the bylaw."""
    return decided_index(clock, case.steps) - clock.index_of(case.received[0]) > story.LIMIT_DAYS


def _with_answer(stream: Stream, case: Case) -> Case:
    rnd, clock = stream.rnd, stream.clock
    has_letter = case.link != "none"
    promise = clock.index_of(case.received[0]) + max(3, round(case.service.wait * 1.3))
    is_promised = rnd.random() < story.PROMISED and has_letter
    ground = GROUNDS.pick(rnd.random()) if case.kind == "complaint" else None
    return case._replace(
        promised_day=clock.working[min(promise, len(clock.working) - 1)] if is_promised else None,
        correction=_correction(rnd, case),
        exemption=EXEMPTIONS.pick(rnd.random()) if case.outcome == "refused_exempt" else None,
        is_reason_given=case.outcome in REFUSALS and rnd.random() < REASON_GIVEN,
        ground="conduct" if case.service.id == "staff_complaint" else ground,
        told=(rnd.random() < 0.95, rnd.random() < 0.93, rnd.random() < 0.94),
        score=_score(stream, case),
        has_twin=has_letter and rnd.random() < story.TWICE,
    )


def _score(stream: Stream, case: Case) -> str | None:
    is_asked, draw = stream.rnd.random() < story.SURVEYED, stream.rnd.random()
    return (LATE_SCORES if is_late(stream.clock, case) else SCORES).pick(draw) if is_asked else None


def _link(rnd: Random) -> str:
    choice = BROKEN if rnd.random() < story.BROKEN_LINK else LINKS
    return choice.pick(rnd.random()) or "both"


def _instant_steps(stream: Stream, start: int, roles: Mapping[str, str]) -> list[Step]:
    desk = roles["D"]
    answered = start + 5 + int(stream.rnd.random() * 40)
    at = stream.clock.at
    return [
        Step("received", None, desk, *at(start)),
        Step("answered_at_desk", desk, desk, *at(answered)),
        Step("closed", desk, desk, *at(answered + 3)),
    ]


def _steps(
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


def _letter_steps(stream: Stream, start: int, service: OfficeService, roles: Mapping[str, str]) -> list[Step]:
    rnd = stream.rnd
    detours = Detours(stuck_days=int(30 + 150 * rnd.random()) if rnd.random() < story.STUCK else 0)
    is_answered = service.id == "body_inquiry" or rnd.random() < 0.30
    plan = NOTED if service.id == "internal_letter" else (LONG if is_answered else FILED)
    stages = [("registered", "", "S", 0), *draw_stages(rnd, plan, service.wait * stream.pace, detours)]
    if plan is LONG:
        stages.append(("issued", "H", "S", 15 + int(rnd.random() * 0.5 * DAY_MINUTES)))
        stages.append(("filed", "S", "S", 20 + int(rnd.random() * DAY_MINUTES)))
    return _walk(stream.clock, stages, start, roles)


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


def _entered(rnd: Random, day: int) -> int:
    return day + int(28 + 34 * rnd.random()) if rnd.random() < story.ENTERED_LATE else day


def _correction(rnd: Random, case: Case) -> Correction | None:
    draw, days = rnd.random(), rnd.random()
    if draw >= story.CORRECTED:
        return None
    closed = max(step.day for step in case.steps if step.action in ENDINGS)
    other = "granted_partial" if case.kind == "foi" else "completed"
    return Correction(closed + int(20 + 70 * days), other if case.outcome != other else "referred_elsewhere")


def _flaw(rnd: Random) -> str | None:
    return FLAWS.pick(rnd.random()) if rnd.random() < story.FLAWED else None


def _style(rnd: Random) -> int:
    draw = rnd.random()
    return 0 if draw < 0.78 else 1 if draw < 0.90 else 2
