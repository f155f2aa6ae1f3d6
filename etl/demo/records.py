"""What the two databases know of a case at a cutoff: rows, as operators typed them, with their mistakes.

Register numbers run on for the whole life of every case, seen or not, so that they do not change when time passes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from etl.demo.case import TWIN, Case
from etl.demo.clock import OfficeClock
from etl.demo.people import draw_name, letter_text, margin_text, request_text
from etl.demo.routes import DECISIONS, DESK_ACTIONS, ENDINGS, Step
from etl.demo.vocabulary import IN_PROGRESS, SPELLINGS, STATUS_AFTER

Row = tuple[object, ...]
Reference = tuple[str | None, str | None, str | None]
NO_REFERENCE: Reference = (None, None, None)
DESK_TABLES = ("applicant", "request", "request_step", "notice", "survey")
AUTOMATION_TABLES = ("dossier", "letter", "referral")
LETTERS = 100  # letter ids of case n are n * LETTERS and on
INCOMING, OUTGOING, INTERNAL = "1", "2", "3"
_LETTER_OF = {"registered": INCOMING, "issued": OUTGOING, "inquiry_sent": INTERNAL}
_DIRECTION = {INCOMING: "incoming", OUTGOING: "outgoing", INTERNAL: "internal"}
_STAGES = (("registered", "ثبت"), ("decided", "تصمیم"), ("closed", "اختتام"))
_TRACKING = 999_999_999_989, 618_033_988_749  # a prime, so that multiplying is a permutation of its remainders


@dataclass(frozen=True)
class Records:
    """Collects the rows of cases known at `cutoff` (ordinal of a civil day), by table."""

    clock: OfficeClock
    cutoff: int
    staff: dict[str, str]  # unit code -> who receives there
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    registers: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, case: Case) -> int:
        """Add a case as far as it is known; give how many cases a reader of both databases sees in it."""
        steps = [step for step in case.steps if step.day <= self.cutoff]
        numbers = self._number_letters(case)
        if not steps or case.entered_day > self.cutoff:
            return 0
        seen = 0
        office_steps = [step for step in steps if step.action not in DESK_ACTIONS]
        has_dossier = case.has_dossier and bool(office_steps)
        if case.applicant is not None:
            reference = next(iter(numbers.values()), NO_REFERENCE) if has_dossier else NO_REFERENCE
            self._add_request(case, steps, reference)
            seen += 1 + 2 * self._add_twin(case, reference)  # the letter then belongs to neither
        if has_dossier:
            self._add_dossier(case, office_steps, numbers)
            is_own = case.applicant is None or case.link in ("missing", "mistyped") or case.flaw is not None
            seen += is_own and case.secrecy == "normal"
        return seen

    def staff_at(self, unit: str) -> str:
        """Give the name of the official of a unit."""
        if unit not in self.staff:
            self.staff[unit] = draw_name(Random(f"staff/{unit}"))
        return self.staff[unit]

    def _number_letters(self, case: Case) -> dict[int, Reference]:
        numbers: dict[int, Reference] = {}
        if not case.has_dossier:
            return numbers
        for position, step in enumerate(case.steps):
            book = _LETTER_OF.get(step.action)
            if book is None:
                continue
            if step.action == "registered" and case.direction == "internal":
                book = INTERNAL
            code, year = f"{case.body.code}-{book}", self.clock.year_text(step.day)
            self.registers[code, year] += 1
            numbers[position] = (year, code, str(self.registers[code, year]))
        return numbers

    def _add_request(self, case: Case, steps: Sequence[Step], letter: Reference) -> None:
        applicant = case.applicant
        if applicant is None:
            return
        clock, style, words = self.clock, case.style, SPELLINGS[case.is_arabic]
        desk_steps = [step for step in steps if step.action in DESK_ACTIONS]
        is_followed = case.link in ("both", "tracking", "letter", "none")
        known = steps if is_followed else desk_steps
        decided = _day(known, DECISIONS | (frozenset() if is_followed else frozenset({"notified"})))
        closed = _day(known, ENDINGS, last=True)
        outcome = self._outcome(case) if decided is not None or closed is not None else None
        is_refused = outcome in ("refused_exempt", "rejected_unclear")
        registered = _flawed_day(case, "impossible_date", clock, case.received[0])
        closed_text = self._text(closed, style)
        if case.flaw == "closed_early":
            closed_text = self._text(case.received[0] - 5, style)
        subject, body = request_text(applicant, case.service.name)
        self.rows["applicant"].append(applicant.row)
        self.rows["request"].append(
            (
                case.number,
                tracking_code(case.number),
                case.body.code,
                words["proposal" if case.flaw == "unknown_code" else case.kind],
                case.service.code,
                words[case.channel],
                words[case.urgency],
                applicant.number,
                clock.day_text(case.received[0], style),
                clock.minute_texts[style][case.received[1]],
                registered,
                clock.day_text(case.entered_day, style),
                self._text(case.promised_day, style),
                self._text(decided, style),
                closed_text,
                words[STATUS_AFTER.get(known[-1].action, IN_PROGRESS)],
                words[outcome],
                words[case.exemption] if is_refused else None,
                f"درخواست {applicant.full_name} پذیرفته نشد." if is_refused and case.is_reason_given else None,
                words[case.ground],
                case.parent,
                *_typed_reference(case, letter),
                subject,
                body,
                self._changed_at(case, steps),
            )
        )
        self._add_desk_life(case, desk_steps, known)

    def _add_desk_life(self, case: Case, desk_steps: Sequence[Step], known: Sequence[Step]) -> None:
        applicant = case.applicant
        if applicant is None:
            return
        style, words = case.style, SPELLINGS[case.is_arabic]
        days, minutes, first = self.clock.day_texts[style], self.clock.minute_texts[style], self.clock.first
        for number, step in enumerate(desk_steps, 1):
            name = self.staff_at(step.target)
            when = (days[step.day - first], minutes[step.minute])
            self.rows["request_step"].append((case.number, number, words[step.action], *when, step.target, name))
        passed = (case.received[0], _day(known, DECISIONS), _day(known, ENDINGS, last=True))
        for (_, stage), day, is_told in zip(_STAGES, passed, case.told, strict=True):
            if day is not None and is_told:
                text = f"{applicant.full_name}، پرونده {tracking_code(case.number)}: {stage}"
                state = "ناموفق" if case.dice > 0.985 else "تحویل شد"
                self.rows["notice"].append((case.number, stage, applicant.mobile, text, days[day - first], state))
        if case.score is not None and passed[2] is not None:
            self.rows["survey"].append((case.number, int(case.score), f"{applicant.full_name} سپاسگزار است."))

    def _add_twin(self, case: Case, letter: Reference) -> int:
        """Add the second request of somebody who asked twice: the desk named the same letter in both."""
        if not case.has_twin or letter is NO_REFERENCE:
            return 0
        twin = case._replace(
            number=case.number + TWIN,
            outcome="duplicate",
            correction=None,
            exemption=None,
            link="letter",
            flaw=None,
            steps=tuple(step for step in case.steps if step.action in DESK_ACTIONS),
        )
        self._add_request(twin, [step for step in twin.steps if step.day <= self.cutoff], letter)
        return 1

    def _add_dossier(self, case: Case, steps: Sequence[Step], numbers: dict[int, Reference]) -> None:
        style, words, is_leading = case.style, SPELLINGS[case.is_arabic], case.applicant is None
        decided, closed = _day(steps, DECISIONS), _day(steps, ENDINGS, last=True)
        outcome = self._outcome(case) if decided is not None or closed is not None else None
        closed_text = self._text(closed, style)
        if is_leading and case.flaw == "closed_early":
            closed_text = self._text(case.received[0] - 5, style)
        kind = "proposal" if is_leading and case.flaw == "unknown_code" else case.kind
        self.rows["dossier"].append(
            (
                case.number,
                case.body.code,
                case.number * LETTERS,
                words[kind],
                case.service.code,
                case.handler,
                words[STATUS_AFTER.get(steps[-1].action, IN_PROGRESS)],
                self._text(decided, style),
                closed_text,
                words[outcome],
                self.clock.day_text(case.entered_day, style),
                self._changed_at(case, steps),
            )
        )
        days, minutes, first = self.clock.day_texts[style], self.clock.minute_texts[style], self.clock.first
        for number, step in enumerate(steps, 1):
            name = self.staff_at(step.target)
            margin = margin_text((case.dice * number) % 1, name) if step.action in ("referred", "assigned") else None
            when = (days[step.day - first], minutes[step.minute])
            to = (step.source, step.target)
            changed_at = date.fromordinal(max(step.day, case.entered_day)).isoformat()
            row = (case.number, number, case.number * LETTERS, words[step.action], *to, *when, name, margin, changed_at)
            self.rows["referral"].append(row)
        self._add_letters(case, numbers)

    def _add_letters(self, case: Case, numbers: dict[int, Reference]) -> None:
        clock, style, words = self.clock, case.style, SPELLINGS[case.is_arabic]
        for order, (position, (year, code, register_no)) in enumerate(numbers.items()):
            step = case.steps[position]
            if step.day > self.cutoff or code is None:
                break
            is_first = order == 0
            registered = clock.day_text(step.day, style)
            if is_first and case.applicant is None:
                registered = _flawed_day(case, "impossible_date", clock, step.day)
            name = case.sender
            subject, body = letter_text(name, case.service.name, reply=not is_first)
            sender_kind = "دستگاه" if case.applicant is None else case.applicant.kind
            official = self.staff_at(step.target)
            self.rows["letter"].append(
                (
                    case.number * LETTERS + order,
                    case.number,
                    code,
                    year,
                    register_no,
                    words[_DIRECTION[code[-1]]],
                    registered,
                    clock.minute_texts[style][step.minute],
                    clock.day_text(step.day - (is_first and case.applicant is None) * 2, style),
                    words[case.secrecy],
                    words[case.urgency],
                    words[case.channel],
                    sender_kind if is_first else "دستگاه",
                    name if is_first else official,
                    official if is_first else name,
                    None if is_first else official,
                    _typed_tracking(case) if is_first else None,
                    None if is_first else case.number * LETTERS,
                    case.number * LETTERS + order - 1 if order > 1 else None,
                    subject,
                    body,
                )
            )

    def _outcome(self, case: Case) -> str | None:
        if case.correction is not None and case.correction.day <= self.cutoff:
            return case.correction.outcome
        return case.outcome

    def _changed_at(self, case: Case, steps: Sequence[Step]) -> str:
        """Give the last day on which something that is known of the case was written."""
        corrected = [case.correction.day] if case.correction and case.correction.day <= self.cutoff else []
        return date.fromordinal(max(case.entered_day, *(step.day for step in steps), *corrected)).isoformat()

    def _text(self, day: int | None, style: int) -> str | None:
        return None if day is None else self.clock.day_text(day, style)


def tracking_code(number: int) -> str:
    """Give the tracking code of a case: twelve digits that do not show the order of cases."""
    prime, factor = _TRACKING
    digits = f"{number * factor % prime:012}"
    return f"{digits[:5]}-{digits[5:]}"


def _day(steps: Sequence[Step], actions: frozenset[str], *, last: bool = False) -> int | None:
    days = [step.day for step in steps if step.action in actions]
    return (days[-1] if last else days[0]) if days else None


def _flawed_day(case: Case, flaw: str, clock: OfficeClock, day: int) -> str:
    return f"{clock.year_text(day)}/07/31" if case.flaw == flaw else clock.day_text(day, case.style)


def _typed_reference(case: Case, letter: Reference) -> Reference:
    year, code, register_no = letter
    if register_no is None or case.link in ("tracking", "missing"):
        return NO_REFERENCE
    return (year, code, f"9{register_no}0") if case.link == "mistyped" else letter


def _typed_tracking(case: Case) -> str | None:
    if case.applicant is None or case.link in ("letter", "missing"):
        return None
    code = tracking_code(case.number)
    return (
        f"{code[:4]}{(int(code[4]) + 1) % 10}{code[5:8]}{code[9]}{code[8]}{code[10:]}"
        if case.link == "mistyped"
        else code
    )
