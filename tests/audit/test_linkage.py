"""Linkage: whoever knows something true of a case finds nobody, or at least k cases."""

from __future__ import annotations

from typing import Any

from etl.audit import Evidence, linkage
from etl.audit.finding import Tally
from etl.audit.linkage import Suspects, Victim, judge
from tests.audit.conftest import learnt, planted

PLACE = {"body_id": "alef", "case_type_code": "foi", "period_code": "1403-01"}
STEPS = (("review", "alef_tech"), ("decide", "alef_head"))


def _found(evidence: Evidence, **known: Any) -> list[int]:
    suspects = Suspects(evidence)
    values = {name: value for name, value in known.items() if name != "steps"}
    return [suspects.rows[at]["case_count"] for at in suspects.of(Victim(PLACE, values, known.get("steps", ())))]


def test_invented_victims_hide_in_a_clean_office(evidence: Evidence) -> None:
    """A thousand victims: no candidate set of 1 to k - 1 but floor rows."""
    attack = linkage.attack(evidence, seed=1, attempts=1000)
    assert (attack.attempts, attack.hit_count) == (1000, 0)


def test_a_group_below_k_is_found_by_what_is_known(evidence: Evidence) -> None:
    """A body with one small group alone: its members are found."""

    def alone(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"case_count": 4} if row["body_id"] == "be" else row for row in rows]

    assert learnt(linkage.attack(planted(evidence, {"case_group": alone}), seed=1, attempts=1000)) == {"few_candidates"}


def test_known_steps_and_values_rule_groups_out(evidence: Evidence) -> None:
    """A step that a timeline lacks excludes its group; a value that is not shown excludes nothing."""
    everyone = sorted(_found(evidence))
    assert sorted(_found(evidence, steps=STEPS)) == everyone
    assert len(_found(evidence, steps=(("decide", None), ("review", None)))) == len(everyone) - 1
    assert len(_found(evidence, outcome_code="refused_exempt")) < len(everyone)
    assert sorted(_found(evidence, channel_code="web")) == everyone
    assert len(_found(evidence, channel_code="post")) == len(everyone) - 1


def test_a_floor_alone_is_a_limit_and_one_outcome_is_counted(evidence: Evidence) -> None:
    """Who only fits the floor learns nothing new; who fits groups of one outcome learns it, and it is counted."""

    def floor_only(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["is_floor"]]

    tally = Tally("linkage")
    judge(Suspects(planted(evidence, {"case_group": floor_only})), Victim(PLACE), evidence.k, tally)
    judge(Suspects(evidence), Victim(PLACE | {"body_id": "be"}), evidence.k, tally)
    attack = tally.done()
    assert (attack.hit_count, attack.limits) == (0, {"floor": 1, "one_outcome": 1})
