"""The laws of late cases and corrections at the source over long histories: month after month, under changing policies."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from etl.anonymise import History, anonymise, with_settled
from etl.calendars import parse_period
from etl.metadata import Policy, promises_of
from etl.metadata.settings import Cadence
from tests.property.conftest import Engine, Rows, rows_of_all
from tests.reference.histories import history
from tests.reference.offices import FIRST_ON, Snapshot, small_policy
from tests.reference.runs import next_history

SHORT = (14, 1, 1)
LONG = (14, *([1] * 12))  # a whole year released month by month, its season and year groups too
LONGEST = (14, *([1] * 22))  # minutes each
HISTORIES = int(os.environ.get("HISTORIES", "0"))
FIRST_POLICY = small_policy()
STRICTER = replace(FIRST_POLICY, k=7)
SHORTER = replace(STRICTER, ladder=STRICTER.ladder[3:], cadence=Cadence(month=12, season=4))
Kind = tuple[str, str]


def policy_of(run: int) -> Policy:
    """The policy changes twice, both times within a year: k rises, then ladder and limits of cadence change."""
    return (FIRST_POLICY, STRICTER)[run] if run < 2 else SHORTER


@dataclass(frozen=True)
class Step:
    """One run of a history: what staging looked like, under which policy, and what was published."""

    snapshot: Snapshot
    policy: Policy
    rows: Rows


def play(engine: Engine, seed: int, runs: Sequence[int]) -> Iterator[Step]:
    """Release a history run by run, each with the memory of those before."""
    snapshots = history(seed, runs=runs)
    days = FIRST_POLICY.calendar.working.days(FIRST_ON, FIRST_ON + timedelta(days=31 * (sum(runs) + 4)))
    calendar = engine.backend.create_table(f"calendar_{seed}_{len(runs)}", days)
    memory = History(due=snapshots[0].due, first_month=snapshots[0].due[0])
    released: list[tuple[str, Any, int]] = []
    for run, snapshot in enumerate(snapshots):
        policy = policy_of(run)
        staging = engine.stage(snapshot)
        memory = with_settled(memory, staging.case, policy=policy)
        published = anonymise(staging, calendar=calendar, policy=policy, history=memory)
        rows = rows_of_all(published)
        yield Step(snapshot, policy, rows)
        waiting: Counter[str] = Counter()
        for row in rows["margin"]:
            waiting[row["month_code"]] += row["awaiting_count"]
        released += [(month.code, policy.decisive, waiting[month.code]) for month in snapshot.due]
        if run + 1 < len(snapshots):
            following = snapshots[run + 1].due
            memory = replace(
                next_history(engine.backend, memory, published, due=following), promises=promises_of(released)
            )


@pytest.fixture(scope="module")
def played(engine: Engine) -> list[Step]:
    """A short history."""
    return list(play(engine, 1, SHORT))


def check_history(steps: Sequence[Step]) -> None:
    """Hold every law of late cases against a history."""
    for check in CHECKS:
        check(steps)


def check_nothing_lost(steps: Sequence[Step]) -> None:
    """Groups, floors and awaiting cases are all finished cases, at every release, body by body."""
    grouped: Counter[Kind] = Counter()
    counted: Counter[Kind] = Counter()
    for step in steps:
        for month in step.snapshot.due:
            for row in step.rows["case_group"]:
                if row["release_id"] == month.code:
                    grouped[row["body_id"], row["case_type_code"]] += row["case_count"]
            for row in step.rows["margin"]:
                if row["month_code"] == month.code:
                    kind = (row["body_id"], row["case_type_code"])
                    counted[kind] += row["finished_count"] + row["late_finished_count"]
                    assert grouped[kind] + row["awaiting_count"] == counted[kind]
                    assert row["awaiting_count"] >= 0


def check_placed_once(steps: Sequence[Step]) -> None:
    """A case is counted once a population and grouped once, for ever, under the body and type it was first counted under."""
    counted: Counter[tuple[str, str]] = Counter()
    grouped: Counter[str] = Counter()
    first: dict[str, Kind] = {}
    for step in steps:
        for row in sorted(step.rows["placement"], key=lambda row: row["population_code"] != "registered"):
            if row["population_code"] not in ("registered", "finished", "reopened", "withdrawn"):
                continue
            key = row["case_key"]
            if row["group_key"] is None:
                counted[row["population_code"], key] += 1
            else:
                grouped[key] += 1
            assert first.setdefault(key, (row["body_id"], row["case_type_code"])) == (
                row["body_id"],
                row["case_type_code"],
            )
    assert max(counted.values()) == 1
    assert max(grouped.values()) == 1


def check_awaiting_is_who_waits(steps: Sequence[Step]) -> None:
    """`awaiting_count` is the number of counted finished cases that no release has put into a group."""
    waiting: dict[Kind, set[str]] = defaultdict(set)
    for step in steps:
        for row in step.rows["placement"]:
            if row["population_code"] == "finished" and row["group_key"] is None:
                waiting[row["body_id"], row["case_type_code"]].add(row["case_key"])
        for row in step.rows["placement"]:
            if row["population_code"] == "finished" and row["group_key"] is not None:
                waiting[row["body_id"], row["case_type_code"]].discard(row["case_key"])
        last = step.snapshot.due[-1].code
        for row in step.rows["margin"]:
            if row["month_code"] == last:
                assert row["awaiting_count"] == len(waiting[row["body_id"], row["case_type_code"]])


def check_differences_are_whole_groups(steps: Sequence[Step]) -> None:
    """What a release adds to any roll-up of all before it is 0 or at least the k then in force; only floors are smaller."""
    for step in steps:
        for row in step.rows["case_group"]:
            assert row["case_count"] >= (1 if row["is_floor"] else step.policy.k)
            assert not (row["is_floor"] and row["late_for_code"])


def check_periods_stand_once(steps: Sequence[Step]) -> None:
    """The cases of a period come in one release, and no two periods of a body and type overlap, whatever policy changes."""
    release_of: dict[tuple[str, str, str], str] = {}
    covered: dict[tuple[Kind, Any], str] = {}
    for step in steps:
        for row in step.rows["case_group"]:
            if row["late_for_code"] is not None:
                continue
            kind = (row["body_id"], row["case_type_code"])
            period = parse_period("jalali", row["period_code"])
            assert release_of.setdefault((*kind, period.code), row["release_id"]) == row["release_id"]
            day = period.first_on
            while day <= period.last_on:
                assert covered.setdefault((kind, day), period.code) == period.code
                day += timedelta(days=1)


def check_late_is_late(steps: Sequence[Step]) -> None:
    """A run writes rows of its own months only; a late group stands for a period that had ended before."""
    for step in steps:
        due = {month.code for month in step.snapshot.due}
        for row in step.rows["case_group"]:
            assert row["release_id"] in due
            if row["late_for_code"] not in (None, "earlier"):
                assert parse_period("jalali", row["late_for_code"]).first_on < step.snapshot.due[0].first_on


CHECKS: tuple[Callable[[Sequence[Step]], None], ...] = (
    check_nothing_lost,
    check_placed_once,
    check_awaiting_is_who_waits,
    check_differences_are_whole_groups,
    check_periods_stand_once,
    check_late_is_late,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_laws_hold_in_a_history(played: Sequence[Step], check: Callable[[Sequence[Step]], None]) -> None:
    """Each law holds over seven runs with late entries, changed pasts and two changes of policy."""
    check(played)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 2 + (HISTORIES or 1)))
def test_laws_hold_in_long_histories(engine: Engine, seed: int) -> None:
    """All laws hold over two years, the second one released month by month; over three years with `make histories`."""
    check_history(list(play(engine, seed, LONGEST if HISTORIES else LONG)))


def test_histories_are_rich_enough(played: Sequence[Step]) -> None:
    """Late groups of each kind, waiting cases, withdrawn and reopened ones occur, so that no law is tested in vain."""
    rows = [row for step in played for row in step.rows["case_group"]]
    late = {row["late_for_code"] for row in rows if row["late_for_code"] is not None}
    assert "earlier" in late
    assert {len(code) for code in late} >= {4, 7}
    populations = Counter(row["population_code"] for step in played for row in step.rows["placement"])
    assert populations["reopened"] >= 5
    assert populations["withdrawn"] >= 5
    last = [row for row in played[-1].rows["margin"] if row["awaiting_count"]]
    assert last
