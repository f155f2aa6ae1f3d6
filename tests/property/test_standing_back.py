"""Finished groups stand back as well: no release is stopped for good by what stock and flow tell of those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from etl.audit import flows
from etl.model.identity import Books
from tests.property.conftest import Engine, Run, rows_of_all
from tests.property.test_engine_equals_reference import COHORT, GROUP, STOCK, as_run, bag, groups_of, published
from tests.property.test_law_2_identity import published as published_evidence
from tests.reference.anonymise import Memory, release_months
from tests.reference.offices import Snapshot
from tests.reference.runs import cells_of, rows_of
from tests.reference.surges import KIND, dwindled, emptied, surges

SEEDS = (17, 27)  # in whose offices finished groups stand back, in a season of each


def play(engine: Engine, snapshots: Sequence[Snapshot]) -> list[Run]:
    """Run an office beside the reference; every release passes the gate of stock and flow on its day."""
    memory, books, runs = Memory(), Books(), list[Run]()
    for snapshot, made in zip(snapshots, engine.run(snapshots), strict=True):
        release_months(snapshot.cases, snapshot.due, policy=engine.policy, memory=memory)
        books.add(rows_of(made.margin), cells_of(made, engine.policy))
        assert all(books.narrow(month.code, k=engine.policy.k) == [] for month in snapshot.due)
        runs.append(Run(snapshot, rows_of_all(made), memory))
    return runs


def check_equal(runs: Sequence[Run]) -> None:
    """Hold the groups, members, cohorts and open groups of all runs against those of the reference."""
    memory = runs[-1].memory
    found = [row for run in runs for row in groups_of(run)]
    assert bag(found, (*GROUP, "members")) == bag(memory.groups, (*GROUP, "members"))
    for name, columns, own in (
        ("cohort_group", COHORT, memory.cohort_groups),
        ("open_group", STOCK, memory.open_groups),
    ):
        assert bag([row for run in runs for row in run.rows[name]], columns) == bag(own, columns)


@pytest.mark.parametrize("late", [0, 1])
def test_finished_groups_stand_back_for_open_groups_that_are_out(engine: Engine, late: int) -> None:
    """Open groups said 80 permits, 78 went: the last two would be known; late cases that tell it stand back as well."""
    runs = play(engine, emptied(late=late))
    check_equal(runs)
    month = runs[-1].snapshot.due[-1].code
    assert runs[-1].memory.stood_back == {(month, *KIND.values())}
    shown = [row for run in runs for row in run.rows["case_group"] if row["release_id"] == month]
    assert {(row["late_for_code"], row["service_id"], row["channel_code"], row["is_floor"]) for row in shown} == {
        ("1403-01" if late else None, None, None, False)
    }
    assert sum(row["case_count"] for row in shown) == 118
    assert any(row["outcome_code"] == "completed" for row in shown)
    earlier = [row for run in runs for row in run.rows["case_group"] if row["release_id"] < month]
    assert any(row["service_id"] is not None for row in earlier)


def test_finished_groups_stand_back_for_a_month_to_come(engine: Engine) -> None:
    """20 permits to build are among 23 open cases: of four that end later one surely is, and then it is too late."""
    runs = play(engine, dwindled())
    check_equal(runs)
    last, then = (month.code for month in (runs[-1].snapshot.due[-1], runs[0].snapshot.due[-1]))
    assert runs[-1].memory.stood_back == {(then, *KIND.values())}
    shown = [row for run in runs for row in run.rows["case_group"] if row["release_id"] == then]
    assert {(row["service_id"], row["channel_code"], row["is_floor"]) for row in shown} == {(None, None, False)}
    attack = flows.attack(published_evidence(runs), seed=1, attempts=1)
    assert attack.attempts > 0
    assert attack.findings == ()
    assert last > then


@pytest.mark.parametrize("seed", SEEDS)
def test_law_7_what_stands_back_equals_the_reference(engine: Engine, seed: int) -> None:
    """On offices whose work comes in surges; and the audit of all releases finds nothing."""
    runs = play(engine, surges(seed))
    check_equal(runs)
    assert runs[-1].memory.stood_back
    attack = flows.attack(published_evidence(runs), seed=1, attempts=1)
    assert attack.attempts > 0
    assert attack.findings == ()


def test_what_stands_back_is_the_same_month_by_month(engine: Engine) -> None:
    """All months in one pass publish what the same months publish one by one over the same staging."""
    snapshots = surges(SEEDS[-1])[:3]
    last, due = snapshots[-1], tuple(month for snapshot in snapshots for month in snapshot.due)
    together = replace(last, due=due)
    (made,) = engine.run([together])
    memory = Memory()
    release_months(together.cases, due, policy=engine.policy, memory=memory)
    assert memory.stood_back
    run = Run(together, rows_of_all(made), memory)
    parts = [rows_of_all(part) for part in engine.run([replace(last, due=(month,)) for month in due], closed=due)]
    for number, rows in enumerate(parts):  # keys of timelines hold within a pass
        for row in (*rows["trace_step"], *rows["case_group"]):
            row["trace_key"] = row["trace_key"] and f"{number}:{row['trace_key']}"
    one_by_one = {table: [row for rows in parts for row in rows[table]] for table in parts[0]}
    assert published(as_run(together, one_by_one, run)) == published(run)
