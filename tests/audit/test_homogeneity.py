"""One outcome only, for all whom an outsider can select: a hit where the policy promises more, else counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from etl.audit import Evidence, homogeneity
from tests.audit.conftest import learnt, planted

Rows = list[dict[str, Any]]


def _welfare(
    evidence: Evidence, outcomes: dict[str | None, int], change: dict[str, Any] | None = None, **promised: Any
) -> Evidence:
    def added(rows: Rows) -> Rows:
        own = {"release_id": "1403-03", "body_id": "be", "case_type_code": "service", "period_code": "1403-03"}
        own |= {"service_id": "loan", "service_level": "leaf", "is_floor": False, "rung_number": 2}
        more = [
            dict.fromkeys(rows[0])
            | own
            | {"case_group_id": 39_000_001 + n, "outcome_code": outcome, "case_count": count}
            | (change or {})
            for n, (outcome, count) in enumerate(outcomes.items())
        ]
        return [*rows, *more]

    changed = planted(evidence, {"case_group": added})
    policy = dict(evidence.newest.policy)
    policy["sensitive"] = {**policy["sensitive"], **promised}
    return replace(changed, releases=(*evidence.releases[:-1], replace(evidence.newest, policy=policy)))


def _attack(evidence: Evidence) -> Any:
    return homogeneity.attack(evidence, seed=1, attempts=1)


def test_a_share_above_the_promised_one_is_seen(evidence: Evidence) -> None:
    """Nine in ten with one outcome, where the policy promises at most eight."""
    outcomes: dict[str | None, int] = {"positive": 180, "negative": 20}
    assert learnt(_attack(_welfare(evidence, outcomes, largest_share=0.8))) == {"one_outcome"}
    assert _attack(_welfare(evidence, outcomes, largest_share=0.95)).hit_count == 0


def test_the_promise_is_the_released_one(evidence: Evidence) -> None:
    """What settings promise by default stands in every policy.yml, and the audit holds it against the rows."""
    assert evidence.newest.policy["sensitive"]["largest_share"] == 0.8
    assert learnt(_attack(_welfare(evidence, {"negative": 180, "positive": 20}))) == {"one_outcome"}


def test_outcomes_that_are_one_outcome_are_added_up(evidence: Evidence) -> None:
    """Half of a kind each, and both are refusals: nine in ten were refused; beside another outcome it is half."""
    shop = {"service_id": "shop"}
    refused: dict[str | None, int] = {"not_eligible": 90, "incomplete_documents": 90, "withdrawn": 20}
    assert learnt(_attack(_welfare(evidence, refused, shop))) == {"one_outcome"}
    assert _attack(_welfare(evidence, {"not_eligible": 90, "withdrawn": 110}, shop)).hit_count == 0


def test_hidden_outcomes_count_in_the_denominator(evidence: Evidence) -> None:
    """Who may be among the hidden has no known outcome."""
    assert _attack(_welfare(evidence, {"positive": 180, None: 60}, largest_share=0.8)).hit_count == 0


@pytest.mark.parametrize(
    ("change", "is_hit"),
    [
        ({"service_id": "shop", "outcome_code": "rejected"}, True),
        ({"service_id": "shop", "outcome_code": "completed"}, False),  # ordinary
        ({"service_id": "shop", "outcome_code": "refused_exempt", "case_type_code": "foi"}, False),  # the body's act
    ],
)
def test_the_promise_covers_persons(evidence: Evidence, change: dict[str, Any], is_hit: bool) -> None:
    """Not what is ordinary, and not what the Act makes a body report."""
    attack = _attack(_welfare(evidence, {"x": 180}, change))
    assert learnt(attack) == ({"one_outcome"} if is_hit else set())


def test_the_outcome_of_a_whole_body_is_the_body_s(evidence: Evidence) -> None:
    """Most of a body's cases were rejected, and no row says so beside a service: nothing was promised against that."""
    rejected = {"case_group_id": 39_500_001, "service_id": None, "service_level": None, "outcome_code": "rejected"}
    whole = _welfare(evidence, {"rejected": 180}, rejected)
    rows = whole.table("case_group").num_rows
    both = _welfare(whole, {None: 20})
    assert both.table("case_group").num_rows == rows + 1
    assert _attack(both).hit_count == 0


@pytest.mark.parametrize(("in_family", "is_hit"), [(40, False), (900, True)])
def test_who_knows_a_family_may_mean_any_service_below(evidence: Evidence, in_family: int, *, is_hit: bool) -> None:
    """A row of the family alone tells nothing while most cases of the family stand in rows of its services."""
    family = {"case_group_id": 39_500_001, "service_id": "welfare", "service_level": "family"}
    own = _welfare(evidence, {"negative": in_family}, family)
    attack = _attack(_welfare(own, {"positive": 120, None: 60}))
    assert learnt(attack) == ({"one_outcome"} if is_hit else set())


def test_without_a_promise_one_outcome_is_a_limit(evidence: Evidence) -> None:
    """Said and counted: of sensitive services apart from facts about the body."""
    attack = _attack(_welfare(evidence, {"positive": 180}, largest_share=None))
    assert attack.hit_count == 0
    assert attack.limits["one_outcome_sensitive"] == 1
    assert attack.limits["one_outcome"] >= 1  # body `be` completes everything


def test_the_policy_names_what_outsiders_know(evidence: Evidence) -> None:
    """Projections come from the released policy."""
    assert homogeneity.projections({"sensitive": {"known_to_outsiders": ["unit", ["service", "channel"]]}}) == [
        ("unit_id",),
        ("service_id", "channel_code"),
    ]
    assert len(homogeneity.projections(evidence.newest.policy)) == 3
