"""The engine's rows are those of the plain-Python reference, whatever the order, the keys, or the size of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.property.conftest import Engine, Run, rows_of_all
from tests.property.test_laws_of_random_offices import bounded, members_of, offices, traces_of
from tests.reference.offices import Snapshot, rekeyed, shuffled, snapshots

RunsOf = Callable[[int], Sequence[Run]]

GROUP = (
    *("release_id", "body_id", "case_type_code", "period_code", "cadence_code", "period_first_on", "period_last_on"),
    *(
        "late_for_code",
        "rung_number",
        "is_floor",
        "service_id",
        "service_level",
        "unit_id",
        "unit_level",
        "outcome_code",
    ),
    *("lateness_code", "duration_band_code", "is_loop", "channel_code", "trace", "trace_level", "case_count"),
    *("timed_band_code", "wait_p25_days", "wait_median_days", "wait_p75_days", "wait_p90_days"),
)
STEP = (
    "step_number",
    "activity_code",
    "unit_id",
    "is_gap",
    "timed_band_code",
    "since_start_median_days",
    "since_previous_median_days",
)
STATUTORY = (
    "release_id",
    "year_code",
    "body_id",
    "case_type_code",
    "dimension_code",
    "value_code",
    "case_count",
    "basis_code",
)
MARGIN = (
    *("release_id", "month_code", "body_id", "case_type_code", "registered_count", "finished_count", "open_count"),
    *("open_overdue_count", "reopened_count", "late_registered_count", "late_finished_count", "withdrawn_count"),
    "awaiting_count",
)


COHORT = (
    *("release_id", "body_id", "case_type_code", "period_code", "rung_number", "is_floor", "service_id"),
    *("service_level", "channel_code", "applicant_kind_code", "applicant_province_code", "cohort_state_code"),
    "case_count",
)

STOCK = (
    *("release_id", "body_id", "case_type_code", "period_code", "rung_number", "is_floor", "service_id"),
    *("stage_code", "age_band_code", "case_count"),
)

UNIT_TIME = ("release_id", "year_code", "unit_id", "timed_band_code", "stay_median_days", "basis_code")

DURATION = (
    *("release_id", "year_code", "body_id", "case_type_code", "service_id", "service_level", "scope_count"),
    *("timed_band_code", "wait_p25_days", "wait_median_days", "wait_p75_days", "wait_p90_days", "basis_code"),
)


def bag(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Counter[tuple[Any, ...]]:
    """Count rows by their columns, in no order."""
    return Counter(tuple(row[name] for name in columns) for row in rows)


def groups_of(run: Run) -> list[dict[str, Any]]:
    """Give the engine's groups with their trace, steps and members in place of keys."""
    traces, members = traces_of(run), members_of(run)
    steps: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in run.rows["case_group_step"]:
        steps[row["group_key"]].append(tuple(row[name] for name in STEP))
    return [
        row
        | {"trace": traces[row["trace_key"]] if row["trace_key"] else None}
        | {"steps": tuple(sorted(steps[row["group_key"]])), "members": frozenset(members[row["group_key"]])}
        for row in run.rows["case_group"]
    ]


def published(run: Run) -> tuple[Counter[tuple[Any, ...]], ...]:
    """Everything of a run that is published, without keys and order."""
    groups = groups_of(run)
    return (
        bag(run.rows["margin"], MARGIN),
        bag(groups, (*GROUP, "steps")),
        bag(run.rows["statutory"], STATUTORY),
        bag(run.rows["cohort_group"], COHORT),
        bag(run.rows["open_group"], STOCK),
        bag(run.rows["unit_time"], UNIT_TIME),
        bag(run.rows["duration"], DURATION),
    )


def as_run(snapshot: Snapshot, rows: dict[str, list[dict[str, Any]]], run: Run) -> Run:
    """Dress an engine's rows as a run."""
    return replace(run, snapshot=snapshot, rows=rows)


@bounded
@offices
def test_law_7_groups_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """Groups, their members, order statistics and steps are those of the reference, in each of the three runs."""
    seen = 0
    for run in runs_of(seed):
        by_hand = [
            row | {"steps": tuple(sorted(tuple(step[name] for name in STEP) for step in row["steps"]))}
            for row in run.memory.groups[seen:]
        ]
        seen = len(run.memory.groups)
        assert bag(groups_of(run), (*GROUP, "steps", "members")) == bag(by_hand, (*GROUP, "steps", "members"))


@bounded
@offices
def test_law_7_margins_and_statutory_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """Margins and the statutory table are those of the reference."""
    runs = runs_of(seed)
    assert bag([row for run in runs for row in run.rows["margin"]], MARGIN) == bag(runs[-1].memory.margins, MARGIN)
    given = bag([row for run in runs for row in run.rows["statutory"]], STATUTORY)
    assert given == bag(runs[-1].memory.statutory, STATUTORY)


@bounded
@offices
def test_law_7_cohorts_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """Cohorts are those of the reference: the same groups, the same floors, with the same month."""
    runs = runs_of(seed)
    given = bag([row for run in runs for row in run.rows["cohort_group"]], COHORT)
    assert given == bag(runs[-1].memory.cohort_groups, COHORT)


@bounded
@offices
def test_law_7_open_groups_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """The open cases at the year's end are those of the reference, in the same groups and floors."""
    runs = runs_of(seed)
    given = bag([row for run in runs for row in run.rows["open_group"]], STOCK)
    assert given
    assert given == bag(runs[-1].memory.open_groups, STOCK)


@bounded
@offices
def test_law_7_unit_times_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """Medians of stays are those of the reference; a unit of one or two posts is nowhere, a small one in the one above."""
    runs = runs_of(seed)
    given = [row for run in runs for row in run.rows["unit_time"]]
    assert {row["unit_id"] for row in given} == {"hq", "u1"}
    assert bag(given, UNIT_TIME) == bag(runs[-1].memory.unit_times, UNIT_TIME)


@bounded
@offices
def test_law_7_durations_equal_the_reference(runs_of: RunsOf, seed: int) -> None:
    """Waits of closed sets are those of the reference, at every place of the chain, and the same ones are not shown."""
    runs = runs_of(seed)
    given = [row for run in runs for row in run.rows["duration"]]
    assert {row["service_level"] for row in given} == {None, "family", "leaf"}
    assert bag(given, DURATION) == bag(runs[-1].memory.durations, DURATION)


def test_law_7_order_of_the_input_does_not_matter(engine: Engine, runs_of: RunsOf) -> None:
    """The same staging in another order of rows publishes the same."""
    run = runs_of(1)[0]
    other = shuffled(run.snapshot, 7)
    rows = rows_of_all(next(engine.run([other])))
    assert published(as_run(other, rows, run)) == published(run)


def test_two_secrets_publish_the_same(engine: Engine, runs_of: RunsOf) -> None:
    """Keying the source's ids with another secret changes no published row, over two runs."""
    first, second = runs_of(2)[:2]
    others = [rekeyed(first.snapshot), rekeyed(second.snapshot)]
    for run, other, made in zip((first, second), others, engine.run(others), strict=True):
        assert published(as_run(other, rows_of_all(made), run)) == published(run)


def test_a_backfill_equals_releasing_month_by_month(engine: Engine, runs_of: RunsOf) -> None:
    """Fourteen months in one pass publish what the same months publish in three passes over the same staging."""
    run = runs_of(2)[0]
    due = run.snapshot.due
    cuts = (0, 1, 5, len(due))
    parts = [replace(run.snapshot, due=due[low:high]) for low, high in zip(cuts, cuts[1:], strict=False)]
    made = [rows_of_all(part) for part in engine.run(parts, closed=due)]
    for number, rows in enumerate(made):  # keys of timelines hold within a pass
        for row in (*rows["trace_step"], *rows["case_group"]):
            row["trace_key"] = row["trace_key"] and f"{number}:{row['trace_key']}"
    together = {table: [row for rows in made for row in rows[table]] for table in made[0]}
    assert published(as_run(run.snapshot, together, run)) == published(run)


def test_snapshots_of_a_seed_are_repeatable() -> None:
    """A seed names one office."""
    assert snapshots(1)[0].cases[:5] == snapshots(1)[0].cases[:5]
