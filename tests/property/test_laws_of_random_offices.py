"""The laws of DESIGN §4 on random offices of five bodies, three runs each; each law has mutants that it kills."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.property.conftest import Run, month_end
from tests.reference.anonymise import SHOWN_AS
from tests.reference.offices import small_policy
from tests.reference.patterns import activities, stand
from tests.reference.peel import requesters
from tests.reference.values import value

RunsOf = Callable[[int], Sequence[Run]]

SEEDS = (1, 2)
POLICY = small_policy()
offices = given(seed=st.sampled_from(SEEDS))
bounded = settings(
    max_examples=len(SEEDS),
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),  # a seed cannot be shrunk
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

LEVELS = {"service": "service_level", "unit": "unit_level", "trace": "trace_level"}


def members_of(run: Run) -> dict[str, list[str]]:
    """List the cases of each group of a run."""
    members = defaultdict(list)
    for row in run.rows["placement"]:
        if row["group_key"] is not None:
            members[row["group_key"]].append(row["case_key"])
    return members


def traces_of(run: Run) -> dict[str, tuple[Any, ...]]:
    """Read each published trace as a tuple of steps; those of a pattern say whether they are gaps."""
    steps = sorted(run.rows["trace_step"], key=lambda row: (row["trace_key"], row["step_number"]))
    traces: dict[str, tuple[Any, ...]] = defaultdict(tuple)
    for row in steps:
        step = (row["activity_code"], row["unit_id"])
        traces[row["trace_key"]] += ((*step, row["is_gap"]),) if row["level_code"] == "pattern" else (step,)
    return traces


@bounded
@offices
def test_law_1_no_group_is_smaller_than_k(runs_of: RunsOf, seed: int) -> None:
    """Every group that is not a floor has at least k cases, and as many as its case_count says."""
    for run in runs_of(seed):
        members = members_of(run)
        for row in run.rows["case_group"]:
            assert len(members[row["group_key"]]) == row["case_count"]
            assert row["is_floor"] or row["case_count"] >= POLICY.k


@bounded
@offices
def test_law_1_no_group_has_fewer_than_k_requesters(runs_of: RunsOf, seed: int) -> None:
    """Every group that is not a floor has k requesters at least, and none of them has more than half of its cases."""
    for run in runs_of(seed):
        cases = {case["case_key"]: case for case in run.snapshot.cases}
        members = members_of(run)
        for row in run.rows["case_group"]:
            asked = requesters([cases[key] for key in members[row["group_key"]]])
            assert row["is_floor"] or len(asked) >= POLICY.k
            assert row["is_floor"] or 2 * max(asked.values()) <= row["case_count"]


@bounded
@offices
def test_law_1_no_time_stands_for_fewer_than_k_cases(runs_of: RunsOf, seed: int) -> None:
    """A group shows a band and order statistics of its waits only over the cases of at least k people, none a half."""
    for run in runs_of(seed):
        cases = {case["case_key"]: case for case in run.snapshot.cases}
        members = members_of(run)
        for row in run.rows["case_group"]:
            timed = [cases[key] for key in members[row["group_key"]] if cases[key]["wait_days"] is not None]
            known, asked = [case["wait_days"] for case in timed], requesters(timed)
            shown = [row[f"wait_{name}_days"] for name in ("p25", "median", "p75", "p90")]
            if len(asked) < POLICY.k or 2 * max(asked.values()) > len(timed) or row["is_floor"]:
                assert row["timed_band_code"] is None
                assert shown == [None] * 4
            for rank_value in (day for day in shown if day is not None):
                assert sum(day <= rank_value for day in known) >= 5
                assert sum(day >= rank_value for day in known) >= 5


@bounded
@offices
def test_law_3_nothing_is_lost(runs_of: RunsOf, seed: int) -> None:
    """Groups, floors and awaiting cases of all releases so far are the finished cases so far, body by body."""
    grouped: Counter[tuple[str, str]] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    for run in runs_of(seed):
        sizes: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for row in run.rows["case_group"]:
            sizes[row["release_id"]][row["body_id"], row["case_type_code"]] += row["case_count"]
        for row in sorted(run.rows["margin"], key=lambda row: row["month_code"]):
            kind = (row["body_id"], row["case_type_code"])
            grouped[kind] += sizes[row["release_id"]][kind]
            counted[kind] += row["finished_count"] + row["late_finished_count"]
            assert grouped[kind] + row["awaiting_count"] == counted[kind]


@bounded
@offices
def test_law_3_every_finished_case_of_the_source_is_counted(runs_of: RunsOf, seed: int) -> None:
    """After each run, every staged case finished by the newest month's end has been counted, but for returned ones."""
    counted: set[str] = set()
    left: set[str] = set()
    for run in runs_of(seed):
        counted |= {row["case_key"] for row in run.rows["placement"] if row["population_code"] == "finished"}
        left |= {row["case_key"] for row in run.rows["placement"] if row["population_code"] == "withdrawn"}
        end = run.snapshot.due[-1].last_on
        finished = {
            case["case_key"] for case in run.snapshot.cases if case["finished_on"] and case["finished_on"] <= end
        }
        assert finished - left <= counted


@bounded
@offices
def test_margin_identity_closes(runs_of: RunsOf, seed: int) -> None:
    """Opening stock and flows give the closing stock of every month, body and type, and no month is missing."""
    stock: dict[tuple[str, str], int] = {}
    for run in runs_of(seed):
        for month in run.snapshot.due:
            rows = {
                (row["body_id"], row["case_type_code"]): row
                for row in run.rows["margin"]
                if row["month_code"] == month.code
            }
            assert set(stock) <= set(rows)
            for kind, row in rows.items():
                arrived = row["registered_count"] + row["late_registered_count"] + row["reopened_count"]
                left = row["finished_count"] + row["late_finished_count"] + row["withdrawn_count"]
                stock[kind] = stock.get(kind, 0) + arrived - left
                assert row["open_count"] == stock[kind] >= row["open_overdue_count"] >= 0


@bounded
@offices
def test_law_4_every_case_specialises_its_group(runs_of: RunsOf, seed: int) -> None:
    """What a group shows is true of each of its cases: the value itself, or the one above it in its tree."""
    for run in runs_of(seed):
        cases = {case["case_key"]: case for case in run.snapshot.cases}
        members, traces = members_of(run), traces_of(run)
        for row in run.rows["case_group"]:
            shown = row | {"trace": traces[row["trace_key"]] if row["trace_key"] else None}
            for key in members[row["group_key"]]:
                assert_specialises(cases[key], shown)
                day = cases[key]["finished_on"]
                assert row["period_first_on"] is None or row["period_first_on"] <= day <= row["period_last_on"]
                assert row["period_first_on"] is not None or row["period_code"] == "earlier"


def assert_specialises(case: dict[str, Any], shown: dict[str, Any]) -> None:
    """Compare every shown column with the case's own value at the shown level."""
    for column, name in SHOWN_AS.items():
        if shown[name] is None:
            continue
        level = POLICY.ladder[shown["rung_number"] - 1][column]
        assert column not in LEVELS or shown[LEVELS[column]] == level
        if level == "pattern":
            assert stand(shown[name], activities(case)) is not None
        else:
            assert value(case, column, level, POLICY) == shown[name]


@bounded
@offices
def test_law_6_a_later_run_touches_no_earlier_release(runs_of: RunsOf, seed: int) -> None:
    """A run writes rows of its own months only."""
    for run in runs_of(seed):
        due = {month.code for month in run.snapshot.due}
        for table in ("margin", "case_group", "statutory", "placement"):
            assert {row["release_id"] for row in run.rows[table]} <= due


@bounded
@offices
def test_law_6_no_case_is_placed_twice(runs_of: RunsOf, seed: int) -> None:
    """Over all runs a case is counted once per population and is in one group at most."""
    counted: Counter[tuple[str, str]] = Counter()
    grouped: Counter[str] = Counter()
    for run in runs_of(seed):
        for row in run.rows["placement"]:
            if row["group_key"] is None:
                counted[row["population_code"], row["case_key"]] += 1
            else:
                grouped[row["case_key"]] += 1
    assert max(counted.values()) == 1
    assert max(grouped.values()) == 1


@bounded
@offices
def test_a_case_is_grouped_when_its_period_closes_or_late(runs_of: RunsOf, seed: int) -> None:
    """A group that is not late belongs to the period that ends with its release; a late one to an earlier period."""
    for run in runs_of(seed):
        for row in run.rows["case_group"]:
            end = month_end(row["release_id"], run.snapshot)
            if row["late_for_code"] is None:
                assert row["period_last_on"] == end
            else:
                assert row["late_for_code"] == row["period_code"]
                assert not row["is_floor"]


@bounded
@offices
def test_a_period_that_closes_leaves_nobody_waiting(runs_of: RunsOf, seed: int) -> None:
    """Only cases whose period is still open, and late ones, wait: after the first run, those of open periods."""
    run = runs_of(seed)[0]
    grouped = {row["case_key"] for row in run.rows["placement"] if row["group_key"] is not None}
    waiting = [
        row for row in run.rows["placement"] if row["population_code"] == "finished" and row["case_key"] not in grouped
    ]
    closed = {month.code for month in run.snapshot.due}
    last = max(closed)
    assert all(row["period_code"] not in closed and row["period_code"][:4] >= last[:4] for row in waiting)


@pytest.mark.parametrize("seed", SEEDS)
def test_offices_are_rich_enough_to_test_laws(runs_of: RunsOf, seed: int) -> None:
    """The random offices have floors, late groups, traces, all cadences and medians, so that no law is tested in vain."""
    rows = [row for run in runs_of(seed) for row in run.rows["case_group"]]
    assert {row["cadence_code"] for row in rows} >= {"month", "season", "year"}
    assert any(row["is_floor"] for row in rows)
    assert any(row["late_for_code"] for row in rows)
    assert any(row["trace_key"] for row in rows)
    assert any(row["wait_median_days"] is not None for row in rows)
