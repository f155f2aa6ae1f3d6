"""The ladder replayed: rows too large to have fallen through it tell that cells exist."""

from __future__ import annotations

from typing import Any

from etl.audit import Evidence, minimality
from etl.audit.candidates import Candidates
from tests.audit.conftest import learnt, planted

Rows = list[dict[str, Any]]
LAST_RUNG = 6  # lateness alone


def _attack(evidence: Evidence) -> Any:
    return minimality.attack(evidence, seed=1, attempts=1)


def _row(evidence: Evidence, **values: Any) -> Evidence:
    def added(rows: Rows) -> Rows:
        empty = dict.fromkeys(rows[0])
        own = {"case_group_id": 39_000_001, "release_id": "1403-03", "body_id": "alef", "case_type_code": "complaint"}
        return [*rows, empty | own | {"period_code": "1403-03", "is_floor": False} | values]

    return planted(evidence, {"case_group": added})


def test_a_clean_office_forces_nothing_sensitive(evidence: Evidence) -> None:
    """Small remainders force no cell."""
    attack = _attack(evidence)
    assert attack.hit_count == 0
    assert attack.attempts > 0


def test_a_sensitive_cell_that_must_exist_is_seen(evidence: Evidence) -> None:
    """More cases of a sensitive service than all outcomes but one could hide: each outcome occurs."""
    policy = evidence.newest.policy
    outcomes = len(Candidates(evidence, policy).outcomes({"service_id": "loan"}))
    enough = (outcomes * 3 - 1) * (evidence.k - 1) + 1  # outcome x lateness of rung 2
    shown = {"rung_number": LAST_RUNG, "service_id": "loan", "service_level": "leaf"}
    assert learnt(_attack(_row(evidence, **shown, case_count=enough))) == {"forced_cell"}
    less = _attack(_row(evidence, **shown, lateness_code="on_time", case_count=(outcomes - 1) * (evidence.k - 1)))
    assert less.hit_count == 0


def test_a_plain_cell_that_must_exist_is_a_limit(evidence: Evidence) -> None:
    """Of a service that is not sensitive only the existence of a cell of unknown size is learnt: said and counted."""
    shown = {"rung_number": LAST_RUNG, "service_id": "build", "service_level": "leaf"}
    attack = _attack(_row(evidence, **shown, case_count=2000))
    assert attack.hit_count == 0
    assert attack.limits["forced_cell"] > 0


def test_the_outcomes_of_a_sensitive_service_are_the_coarse_ones(evidence: Evidence) -> None:
    """An adversary counts the values that can be published, not those that the office has."""
    candidates = Candidates(evidence, evidence.newest.policy)
    sensitive, plain = (candidates.outcomes({"service_id": name}) for name in ("loan", "build"))
    assert "positive" in sensitive
    assert "granted_full" not in sensitive
    assert "granted_full" in plain
    assert "positive" not in plain
    assert candidates.sensitive == {"welfare", "loan"}


def test_blanking_that_signals_is_seen(evidence: Evidence) -> None:
    """An outcome hidden on a rung that shows outcomes says that there was something to hide."""

    def blank(rows: Rows) -> Rows:
        return [row | {"outcome_code": None} if row["outcome_code"] == "refused_exempt" else row for row in rows]

    assert "blanked" in learnt(_attack(planted(evidence, {"case_group": blank})))
