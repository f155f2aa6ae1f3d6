"""Persons behind the outcome: classes that one outcome dominates, and rows that prove a finer value, by small tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise.coding import encode
from etl.anonymise.columns import outcome_parents
from etl.anonymise.finished import peel_finished
from etl.anonymise.ladder import IS_SENSITIVE, ladder_rungs
from etl.anonymise.persons import forced_limits
from etl.metadata import Policy
from etl.metadata.settings import Node, Sensitive
from tests.reference.runs import rows_of

POLICY = Policy(
    k=5,
    services=(Node("permit", None, {}), Node("aid", None, {}), Node("shop", None, {})),
    sensitive=Sensitive(implies=("trace",), known_to_outsiders=(("service",), ("service", "channel"))),
    ladder=(
        {"service": "leaf", "channel": "code", "outcome": "code"},
        {"service": "leaf", "outcome": "code"},
        {"outcome": "code"},
        {"service": "leaf"},
    ),
)
TEXTS = (
    *("body_id", "case_type_code", "period_code", "service_at_leaf", "channel_at_code", "outcome_at_code"),
    "outcome_at_parent",
)
Ended = tuple[str, str, str, int]  # service, channel, outcome, number of cases
Mostly = Mapping[str, int]  # outcome -> how many of its cases are of one and the same person
DOMINATED = ("aid", "web", "not_eligible", 18), ("aid", "web", "completed", 2)


def peeled(
    backend: Any,
    ended: Sequence[Ended],
    policy: Policy = POLICY,
    *,
    is_personal: bool = True,
    mine: Mostly | None = None,
) -> dict[Any, int]:
    """Peel cases of one body and period; (service, channel, outcome) -> rung of its cases (0: the floor)."""
    rows = []
    for service, channel, outcome, count in ended:
        for place in range(count):
            parent = outcome_parents(policy).get(outcome, outcome)
            person = 1 if place < (mine or {}).get(outcome, 0) else None
            texts = dict(zip(TEXTS, ("alef", "service", "1404-01", service, channel, outcome, parent), strict=True))
            flags = {"is_late": False, "is_sensitive": False, "is_personal": is_personal}
            ordinary = {"is_ordinary": outcome in policy.sensitive.ordinary}
            rows.append({"case_number": len(rows) + 1, "requester_number": person, **texts, **flags, **ordinary})
    numbers = {"case_number": pa.int32(), "requester_number": pa.int32()}
    kinds = numbers | dict.fromkeys(TEXTS, pa.string())
    schema = pa.schema([(name, kinds.get(name, pa.bool_())) for name in rows[0]])
    table = backend.create_table(f"ended_{len(backend.list_tables())}", pa.Table.from_pylist(rows, schema=schema))
    table = table.mutate(cadence_code=table.period_code, finished_year_code=table.period_code)
    drawn = {"service_id": ["service_at_leaf"], "channel_code": ["channel_at_code"], "outcome_code": list(TEXTS[-2:])}
    coded, lists = encode(table, drawn)
    held = backend.create_table(f"coded_{len(backend.list_tables())}", coded)
    found = rows_of(peel_finished(held, ladder_rungs(policy, {}, lists=lists), policy))
    rung = {row["case_number"]: 0 if row["is_floor"] else row["rung_number"] for row in found}
    by_end: dict[Any, set[int]] = {}
    for row in rows:
        place = (row["service_at_leaf"], row["channel_at_code"], row["outcome_at_code"])
        by_end.setdefault(place, set()).add(rung[row["case_number"]])
    assert all(len(rungs) == 1 for rungs in by_end.values())
    return {place: rungs.pop() for place, rungs in by_end.items()}


def test_an_outcome_that_dominates_is_not_shown_beside_its_service(backend: Any) -> None:
    """18 of 20 were not eligible: both outcomes go on to the rung that shows the outcome of the whole body."""
    rungs = peeled(backend, [*DOMINATED, ("permit", "web", "not_eligible", 5), ("permit", "web", "completed", 5)])
    assert rungs["aid", "web", "not_eligible"] == 3
    assert rungs["aid", "web", "completed"] in (0, 4)  # two cases: too few for an outcome
    assert rungs["permit", "web", "not_eligible"] == rungs["permit", "web", "completed"] == 1


def test_the_rarer_outcome_goes_with_the_dominating_one(backend: Any) -> None:
    """Six completed beside 34 not eligible could stand, and would tell by standing alone what the others are: they go too."""
    rungs = peeled(backend, [("aid", "web", "not_eligible", 34), ("aid", "web", "completed", 6)])
    assert set(rungs.values()) == {3}


def test_a_trace_is_never_shown_for_a_sensitive_service() -> None:
    """The trace implies the outcome: the rung that shows it does not fit; the service alone implies nothing."""
    policy = replace(POLICY, ladder=({"outcome": "code", "trace": "steps"}, {"service": "leaf"}))
    shows_trace, shows_none = ladder_rungs(policy, {}, lists={})
    assert IS_SENSITIVE in shows_trace.barred_by
    assert IS_SENSITIVE not in shows_none.barred_by


def test_the_outcomes_of_requests_under_the_act_are_the_bodys(backend: Any) -> None:
    """The same cases, of a statutory type, stay on the first rung: an office that refuses everything is not hidden."""
    assert peeled(backend, DOMINATED, is_personal=False)["aid", "web", "not_eligible"] == 1


def test_an_ordinary_outcome_may_dominate(backend: Any) -> None:
    """Nothing is learnt where nearly all were completed."""
    rungs = peeled(backend, [("aid", "web", "completed", 18), ("aid", "web", "not_eligible", 2)])
    assert rungs["aid", "web", "completed"] == 1


def test_a_share_at_the_limit_does_not_dominate(backend: Any) -> None:
    """16 of 20 are four fifths, not more."""
    rungs = peeled(backend, [("aid", "web", "not_eligible", 16), ("aid", "web", "withdrawn", 4)])
    assert rungs["aid", "web", "not_eligible"] == 1


def test_a_channel_that_one_outcome_dominates_is_left_out_first(backend: Any) -> None:
    """At the desk all were refused, in the service as a whole half of them: the outcome stands beside the service."""
    rungs = peeled(backend, [("aid", "desk", "not_eligible", 10), ("aid", "web", "completed", 10)])
    assert rungs["aid", "desk", "not_eligible"] == 2
    assert rungs["aid", "web", "completed"] == 1


def test_outcomes_that_are_one_outcome_dominate_together(backend: Any) -> None:
    """Ten not eligible and ten without documents are twenty refused; ten who withdrew beside them are another outcome."""
    refused = [("aid", "web", "not_eligible", 10), ("aid", "web", "incomplete_documents", 10)]
    assert set(peeled(backend, refused).values()) == {3}
    assert set(peeled(backend, [*refused, ("aid", "web", "withdrawn", 10)]).values()) == {1}


@pytest.mark.parametrize(("granted", "rung"), [(10, 3), (6, 1)])
def test_who_has_half_of_a_class_does_not_read_the_rest(backend: Any, granted: int, rung: int) -> None:
    """She knows her own ten of twenty-two, and that nobody else was eligible; of ten others four were."""
    ended = [("aid", "web", "completed", 11), ("aid", "web", "not_eligible", 11)]
    assert peeled(backend, ended, mine={"completed": granted})["aid", "web", "not_eligible"] == rung


def test_the_rest_is_judged_without_whom_it_is_read_by(backend: Any) -> None:
    """Without three refused cases of hers it is thirteen of seventeen; without two that she withdrew, sixteen of eighteen."""
    ended = [("aid", "web", "withdrawn", 4), ("aid", "web", "not_eligible", 16)]
    assert peeled(backend, ended, mine={"not_eligible": 3})["aid", "web", "not_eligible"] == 1
    assert peeled(backend, ended, mine={"withdrawn": 2})["aid", "web", "not_eligible"] == 3


@pytest.mark.parametrize("other", ["rejected_unclear", "withdrawn", "refused_exempt", "not_held"])
def test_which_outcome_dominates_cannot_be_seen(backend: Any, other: str) -> None:
    """Another dominating outcome, with a coarser code or without, gives the same groups and the same empty cells."""
    first = peeled(backend, [*DOMINATED, ("permit", "web", "completed", 9)])
    second = peeled(
        backend,
        [(s, c, other if o == "not_eligible" else o, n) for s, c, o, n in DOMINATED]
        + [("permit", "web", "completed", 9)],
    )
    assert Counter(first.values()) == Counter(second.values())
    assert first["aid", "web", "not_eligible"] == second["aid", "web", other]


MINIMAL = replace(
    POLICY,
    sensitive=replace(POLICY.sensitive, coarsen={"outcome": {}}, known_to_outsiders=()),
    ladder=({"service": "leaf", "outcome": "code"}, {"service": "leaf", "outcome": "parent"}, {"outcome": "code"}),
)


def test_limits_follow_the_code_list() -> None:
    """Of the parent `negative` four codes are the children: (4 - 1)(5 - 1) cases may fall to it, not more."""
    (limit,) = forced_limits(MINIMAL, 1)
    assert (limit.column, limit.by_value["negative"]) == ("outcome_at_parent", 12)
    assert list(forced_limits(MINIMAL, 0)) == list(forced_limits(MINIMAL, 2)) == []


@pytest.mark.parametrize(
    ("counts", "is_personal", "rung"), [((4, 4, 4), True, 2), ((4, 4, 4, 1), True, 0), ((4, 4, 4, 1), False, 2)]
)
def test_a_row_that_proves_every_finer_value_goes_on(
    backend: Any, counts: Sequence[int], rung: int, *, is_personal: bool
) -> None:
    """12 negative cases may lack one of four codes; 13, at most four of each, have all of them and go on, if of persons."""
    codes = ("refused_exempt", "rejected_unclear", "not_eligible", "incomplete_documents")
    ended = [("aid", "web", code, count) for code, count in zip(codes, counts, strict=False)]
    assert set(peeled(backend, ended, MINIMAL, is_personal=is_personal).values()) == {rung}
