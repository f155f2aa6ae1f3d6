"""Linkage: whoever knows something true of a case finds nobody, or at least k cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from etl.audit import Evidence, linkage
from etl.audit.finding import Attack, Tally
from etl.audit.known_days import fitting_wait
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


def _alone(evidence: Evidence, victim: Victim, *, steps: list[dict[str, Any]] | None = None, **values: Any) -> Attack:
    """Judge a victim where one group stands alone in its body and period, with other values and timed steps."""

    def first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | values for row in rows if row["unit_id"] == "alef_tech" and row["period_code"] == "1403-01"]

    leak = planted(evidence, {"case_group": first})
    schema = leak.table("case_group_step").schema
    place = {"case_group_id": leak.table("case_group")["case_group_id"][0].as_py(), "unit_id": None, "is_gap": False}
    timed = [dict.fromkeys(schema.names) | place | row for row in steps or ()]
    leak = replace(leak, tables={**leak.tables, "case_group_step": pa.Table.from_pylist(timed, schema=schema)})
    tally = Tally("linkage")
    judge(Suspects(leak), victim, evidence.k, tally)
    return tally.done()


def test_a_known_wait_rules_groups_out(evidence: Evidence) -> None:
    """Thirty days are not in the band of three to five; four are, and a group without a band excludes nothing."""
    suspects = Suspects(evidence)
    everyone, short, long = (suspects.of(Victim(PLACE, wait=days)) for days in (None, 4, 30))
    assert short == everyone
    assert len(long) == len(everyone) - 1


def test_a_figure_says_how_many_lie_beyond_it(evidence: Evidence) -> None:
    """Of 17 timed cases with three quartiles, three lie between two of them, four below the lowest, all at most in one day."""
    row = {"case_count": 17, "duration_band_code": None, "timed_band_code": "10", "wait_p90_days": None}
    row |= {"wait_p25_days": 5, "wait_median_days": 9, "wait_p75_days": 20}
    assert [fitting_wait(row, days) for days in (3, 7, 12, 30)] == [4, 3, 3, 4]
    assert fitting_wait(row | {"wait_p25_days": 9}, 9) == 12
    assert fitting_wait(row | {"case_count": 20}, 12) == 6  # three of them may have no time at all


def test_days_that_leave_one_or_two_cases_are_seen(evidence: Evidence) -> None:
    """Quartile and ninth tenth of twelve cases, without company: who waited between them is one of two."""
    waits = {"wait_median_days": None, "wait_p75_days": 5, "wait_p90_days": 9}
    known = {"case_count": 12, "timed_band_code": "10", "duration_band_code": None}
    attack = _alone(evidence, Victim(PLACE, wait=7), **known, **waits)
    assert learnt(attack) == {"few_candidates"}
    assert "wait_days = 7" in attack.findings[0].where
    assert _alone(evidence, Victim(PLACE, wait=7), **known, wait_median_days=4).hit_count == 0


def test_days_to_a_step_are_known_too(evidence: Evidence) -> None:
    """Half of 24 took nine days to the decision at most; who knows of two days stands among the eleven before, or fewer."""
    steps = [{"step_number": 2, "activity_code": "decide", "timed_band_code": "20", "since_start_median_days": 9}]
    for count, limits in ((24, {"one_outcome": 1}), (12, {"known_days": 1})):
        victim = Victim(PLACE, steps=STEPS, days={1: 2})
        attack = _alone(evidence, victim, steps=[steps[0] | {"timed_band_code": str(count)}], case_count=count)
        assert (attack.hit_count, attack.limits) == (0, limits)
