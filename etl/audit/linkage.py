"""Linkage: who knows some true steps of a case looks for it among the published groups (von Voigt et al., 2020).

A victim is anybody about whom the adversary knows body, case type and period, m steps with their units in order, and
perhaps service, channel, duration band, outcome or lateness, the days of the wait, the days from the first step to others.
Candidates are the groups that can hold the victim: every value shown agrees, every known step stands in the timeline shown,
and the medians, quartiles and bands leave room for the days. They are nobody, or at least k cases; a floor row alone adds
nothing to what was known. Within a group days can leave fewer (three between two figures, by the company that each figure
has): they share all that is shown, so that is counted as a limit. Without private data victims are made from published
rows, some with one known value changed, as an adversary errs; tests take real cases. `suspects` is the same question for
any victim.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.audit.candidates import Candidates
from etl.audit.evidence import GROUPS, Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.known_days import fitting_step, fitting_wait, step_rows
from etl.audit.nested import COMPANY, WAITS
from etl.audit.selections import key_text

NAME = "linkage"
PLACE = ("body_id", "case_type_code", "period_code")
KNOWABLE = ("service_id", "channel_code", "duration_band_code", "outcome_code", "lateness_code", "unit_id", "is_loop")
FEWEST_BY_DAYS = COMPANY - 1  # between two figures, each with four cases on the other side of it
STEPS_KNOWN = (0, 1, 2, 3, None)  # None: all of them
Step = tuple[str, str | None]


@dataclass(frozen=True)
class Victim:
    """What an adversary knows of one case: where it stands, some of its values, some of its steps in order.

    wait: its days. days: place in `steps` -> days since the first step of the case.
    """

    place: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    wait: int | None = None
    days: Mapping[int, int] = field(default_factory=dict)


class Suspects:
    """The published groups, ready to be asked who can hold a victim."""

    def __init__(self, evidence: Evidence) -> None:
        """Index groups by place and timelines by id."""
        group = evidence.partition(GROUPS)
        self.rows: list[dict[str, Any]] = group.to_pylist()
        self._at: dict[tuple[Any, ...], list[int]] = {}
        for at, row in enumerate(self.rows):
            self._at.setdefault(tuple(row[name] for name in PLACE), []).append(at)
        self._candidates = Candidates(evidence, evidence.newest.policy)
        self.traces = _traces(evidence)
        self.timed_steps = step_rows(evidence)

    def of(self, victim: Victim) -> list[int]:
        """Give the places of the groups that can hold a victim."""
        return list(self.fitting(victim))

    def fitting(self, victim: Victim) -> dict[int, int]:
        """Give the places of the groups that can hold a victim, and how many of their cases, at most, have its known days."""
        rows, held = self.rows, self._at.get(tuple(victim.place[name] for name in PLACE), [])
        for name, value in victim.values.items():
            shown = self._candidates.shown_of(name, value)
            held = [at for at in held if rows[at][name] in shown]
        found = {at: self._fitting(rows[at], victim) for at in held if self._can_show(rows[at], victim.steps)}
        return {at: cases for at, cases in found.items() if cases}

    def _fitting(self, row: dict[str, Any], victim: Victim) -> int:
        """Count the cases of a group, at most, that have the days known of a victim; all of them where none are known."""
        counts: list[int] = [row["case_count"]]
        if victim.wait is not None:
            counts.append(fitting_wait(row, victim.wait))
        timed = self.timed_steps.get(row["case_group_id"], ())
        for place, days in victim.days.items() if timed else ():
            named = [step for step in timed if _same(victim.steps[place], (step["activity_code"], step["unit_id"]))]
            counts.append(fitting_step(row, named, days))
        return min(counts)

    def _can_show(self, row: Mapping[str, Any], steps: Sequence[Step]) -> bool:
        if row["trace_id"] is None or not steps:
            return True
        return _stands_in(steps, self.traces.get(row["trace_id"], ()), row["trace_level"])


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look for `attempts` victims made from published groups."""
    tally = Tally(NAME)
    suspects = Suspects(evidence)
    chance = random.Random(f"{seed}:{NAME}")
    for _ in range(attempts if suspects.rows else 0):
        judge(suspects, _invent(suspects, chance), evidence.k, tally)
    return tally.done()


def judge(suspects: Suspects, victim: Victim, k: int, tally: Tally) -> None:
    """Say what an adversary learns of one victim."""
    tally.tried()
    found = suspects.fitting(victim)
    rows = [suspects.rows[at] for at in found]
    cases, fitting = sum(row["case_count"] for row in rows), sum(found.values())
    if not cases:
        return
    if cases < k and all(row["is_floor"] for row in rows):
        tally.limit("floor")
    elif cases < k or fitting < FEWEST_BY_DAYS:
        tally.hit("few_candidates", tables=(GROUPS,), where=key_text(_known(victim)))
    elif fitting < k:
        tally.limit("known_days")
    elif "outcome_code" not in victim.values:
        outcomes = {row["outcome_code"] for row in rows}
        if len(outcomes) == 1 and outcomes != {None}:
            tally.limit("one_outcome")


def _known(victim: Victim) -> dict[str, Any]:
    days = {f"days_to_step_{place + 1}": days for place, days in sorted(victim.days.items())}
    wait = {} if victim.wait is None else {"wait_days": victim.wait}
    return dict(victim.place) | dict(victim.values) | {"steps_known": len(victim.steps)} | wait | days


def _invent(suspects: Suspects, chance: random.Random) -> Victim:
    row = suspects.rows[chance.randrange(len(suspects.rows))]
    known = [name for name in KNOWABLE if row[name] is not None]
    values = {name: row[name] for name in chance.sample(known, chance.randint(0, len(known)))}
    if values and chance.random() < 0.25:  # the adversary errs, or means somebody else
        name = chance.choice(sorted(values))
        values[name] = suspects.rows[chance.randrange(len(suspects.rows))][name] or values[name]
    trace = suspects.traces.get(row["trace_id"], ())
    steps = [step for step in trace if not step[2]] if row["trace_level"] != "milestones" else []
    wanted = chance.choice(STEPS_KNOWN)
    wanted = len(steps) if wanted is None else min(wanted, len(steps))
    chosen = sorted(chance.sample(range(len(steps)), wanted))
    known_steps = tuple(steps[at][:2] for at in chosen)
    days = _invent_days(suspects.timed_steps.get(row["case_group_id"], ()), known_steps, chance)
    waits = [row[name] for name in WAITS if row[name] is not None]
    wait = _near(chance.choice(waits), chance) if waits and chance.random() < 0.5 else None
    return Victim({name: row[name] for name in PLACE}, values, known_steps, wait, days)


def _invent_days(timed: Sequence[Mapping[str, Any]], steps: Sequence[Step], chance: random.Random) -> dict[int, int]:
    """Draw days since the first step, near a published median, for about half of the known steps that have one."""
    days = {}
    for place, step in enumerate(steps):
        named = [row for row in timed if _same(step, (row["activity_code"], row["unit_id"]))]
        if named and chance.random() < 0.5:
            days[place] = _near(chance.choice(named)["since_start_median_days"], chance)
    return days


def _near(days: int, chance: random.Random) -> int:
    return max(0, days + chance.choice((-5, -2, -1, 0, 1, 2, 5, 40)))


def _stands_in(steps: Sequence[Step], trace: Sequence[tuple[str, str | None, bool]], level: str | None) -> bool:
    """Say whether known steps can stand in a timeline shown: in order, where it has no gap and is not only milestones."""
    if level == "milestones" or any(step[2] for step in trace):
        return True
    shown = iter(trace)
    return all(any(_same(known, step[:2]) for step in shown) for known in steps)


def _same(known: Step, shown: Step) -> bool:
    """A unit that one side does not know or does not show agrees with any."""
    return known[0] == shown[0] and (known[1] is None or shown[1] is None or known[1] == shown[1])


def _traces(evidence: Evidence) -> dict[int, tuple[tuple[str, str | None, bool], ...]]:
    steps: dict[int, list[tuple[int, str, str | None, bool]]] = {}
    for row in evidence.table("trace_step").to_pylist():
        place = (row["step_number"], row["activity_code"], row["unit_id"], bool(row["is_gap"]))
        steps.setdefault(row["trace_id"], []).append(place)
    return {trace: tuple(step[1:] for step in sorted(found, key=lambda s: s[0])) for trace, found in steps.items()}
