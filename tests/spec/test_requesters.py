"""Who asked: when cases of several people, of one person, or of nobody known are enough for a group, by small tables."""

from __future__ import annotations

from typing import Any

import ibis
import pyarrow as pa
import pytest

from etl.anonymise.groups import _timed_steps
from etl.anonymise.peel import Rung, peel
from etl.anonymise.ranks import rank_values
from etl.anonymise.requesters import alone_in, are_enough, count_requesters, with_requesters
from etl.anonymise.traces import Timelines
from etl.metadata import Policy
from tests.reference.runs import rows_of

CASE = pa.schema(
    [
        ("case_number", pa.int32()),
        ("requester_key", pa.string()),
        ("body_id", pa.int32()),
        ("service", pa.int32()),
        ("days", pa.int32()),
    ]
)
K = 3


def asked_by(backend: Any, *requesters: str | None) -> Any:
    """Put one case per requester on the engine, all of one body and service, with waits of 1, 2, 3 … days."""
    rows = [
        {"case_number": number, "requester_key": key, "body_id": 1, "service": 1, "days": number}
        for number, key in enumerate(requesters, 1)
    ]
    name = f"asked_{len(backend.list_tables())}"
    return with_requesters(backend.create_table(name, pa.Table.from_pylist(rows, schema=CASE)))


@pytest.mark.parametrize(
    ("requesters", "is_enough"),
    [
        (("a", "b", "c"), True),
        (("a", "b", "b"), False),  # two people
        ((None, None, None), True),  # nobody known: each case its own
        (("a", "a", None), False),
        (("a", "a", "a", "b", "c", "d"), True),  # one person holds half
        (("a", "a", "a", "a", "b", "c", "d"), False),  # one person holds more than half
        (("a", "a", "b", "b", "c", "c"), True),
    ],
)
def test_cases_are_enough_by_who_asked(backend: Any, requesters: tuple[str | None, ...], *, is_enough: bool) -> None:
    """Cases stand together if k people asked and nobody asked for more than half of them."""
    case = asked_by(backend, *requesters)
    counted = count_requesters(case, ("body_id",))
    assert rows_of(counted.select(enough=are_enough(counted, K))) == [{"enough": is_enough}]
    held = backend.create_table(f"peeled_{len(backend.list_tables())}", case)
    peeled = rows_of(peel(held, [Rung(("service",))], floor=("body_id",), k=K))
    assert {row["rung_number"] for row in peeled} == ({1} if is_enough else {None})


def test_a_median_needs_as_many_people_as_a_group(backend: Any) -> None:
    """Ten cases of ten people have a median, ten of which six are one person's have none, and no number of people."""
    several = asked_by(backend, *"abcdefghij")
    one = asked_by(backend, *"aaaaaabcde")
    ranks = [
        rows_of(rank_values(case, "days", group=("body_id",), percents={"median": 50}, k=K))[0]
        for case in (several, one)
    ]
    assert [(row["median"], row["timed_count"]) for row in ranks] == [(5, 10), (None, 0)]


@pytest.mark.parametrize(
    ("requesters", "median"),
    [
        ("abcdefghijklmnopqrstu", 11),
        ("abcdefghijklmnxyxyxyx", 11),  # above the median of twenty-one cases: four people
        ("abcdefghijklzzxxxxxxx", None),  # above it three, of whom one knows where hers are
        ("zzxxxxxxxabcdefghijkl", None),  # below it three
        ("abcdefghabcdefgh", None),  # eight people are too few for a median of people, wherever they stand
    ],
)
def test_on_each_side_of_a_median_are_people(backend: Any, requesters: str, median: int | None) -> None:
    """Four cases of one person are no company: she knows that the figure is the last of all others."""
    [row] = rows_of(
        rank_values(asked_by(backend, *requesters), "days", group=("body_id",), percents={"median": 50}, k=K)
    )
    assert row["median"] == median
    assert row["timed_count"] == len(set(requesters))


def test_a_rank_has_company_whatever_is_equal(backend: Any) -> None:
    """Of twelve times six are one day: the third of them is among equals, and two lie below it."""
    rows = [
        {"case_number": n, "requester_key": None, "body_id": 1, "service": 1, "days": max(1, n - 5)}
        for n in range(1, 13)
    ]
    case = with_requesters(backend.create_table("equal_days", pa.Table.from_pylist(rows, schema=CASE)))
    [row] = rows_of(rank_values(case, "days", group=("body_id",), percents={"p25": 25, "median": 50}, k=K))
    assert (row["p25"], row["median"]) == (None, 1)


def test_the_number_of_a_requester_is_given_to_several_cases_only(backend: Any) -> None:
    """A requester with one case stands alone like an unknown one, but is known."""
    rows = rows_of(asked_by(backend, "a", "a", "b", None))
    by_number = sorted((row["case_number"], row["requester_number"], row["is_requester_known"]) for row in rows)
    assert by_number == [(1, 1, True), (2, 1, True), (3, None, True), (4, None, False)]


def test_who_has_one_case_in_a_group_stands_alone_in_it(backend: Any) -> None:
    """Of two people with two cases each one has both in a group, the other one in each of two; nobody's group is lost."""
    case = asked_by(backend, "a", "a", "b", "b", None)
    number = ibis.cases((case.case_number == 4, 2), (case.case_number == 5, ibis.null("int32")), else_=1)
    rows = rows_of(alone_in(case.mutate(group_number=number.cast("int32")), "group_number"))
    told = sorted((row["case_number"], row["group_number"], row["requester_number"]) for row in rows)
    assert told == [(1, 1, 1), (2, 1, 1), (3, 1, None), (4, 2, None), (5, None, None)]


def test_a_time_after_a_gap_needs_company_of_its_own(backend: Any) -> None:
    """Where steps may lie between, fewer cases know the days since the previous step: too few show no median of them."""
    cases = range(1, 13)
    steps = [
        {"case_number": n, "step_number": 1, "token": 1, "since_start": n, "since_previous": n if n < 10 else None}
        for n in cases
    ]
    shown = [
        {"case_number": n, "group_number": 1, "release_id": "r", "trace_level": "pattern", "requester_number": None}
        for n in cases
    ]
    tokens = [{"token": 1, "activity_code": "a", "unit_id": "", "milestone_code": "", "milestone_token": None}]
    numbers = ("case_number", "step_number", "token", "since_start", "since_previous", "group_number")
    kinds = dict.fromkeys((*numbers, "requester_number", "milestone_token"), pa.int32())

    def put(name: str, rows: list[dict[str, Any]]) -> Any:
        shape = pa.schema([(column, kinds.get(column, pa.string())) for column in rows[0]])
        return backend.create_table(f"gap_{name}", pa.Table.from_pylist(rows, schema=shape))

    timelines = Timelines(put("token", tokens), {}, ())
    timed = _timed_steps(put("step", steps), put("shown", shown), timelines, Policy(), has_gaps=True)
    [row] = rows_of(timed)
    assert (row["since_start_median_days"], row["since_previous_median_days"]) == (6, None)
