"""A published time has company on both sides, or it is somebody's own."""

from __future__ import annotations

from typing import Any

import pytest

from etl.audit import Evidence, times
from tests.audit.conftest import learnt, planted


def _with(evidence: Evidence, **values: Any) -> Any:
    def changed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | values if row["rung_number"] == 1 else row for row in rows]

    return times.attack(planted(evidence, {"case_group": changed}), seed=1, attempts=1)


def test_times_of_a_clean_office_have_company(evidence: Evidence) -> None:
    """A median of twenty to forty-nine cases is nobody's."""
    attack = times.attack(evidence, seed=1, attempts=1)
    assert attack.hit_count == 0
    assert attack.attempts == 3


@pytest.mark.parametrize(
    "values",
    [
        {"timed_band_code": "1"},  # a time over one case
        {"timed_band_code": None},  # a time nobody knows the cases of
        {"wait_p90_days": 30},  # of at most 49 cases of which 24 are in the group
        {"timed_band_code": "10", "case_count": 12, "wait_p25_days": 2},
    ],
)
def test_a_time_without_company_is_seen(evidence: Evidence, values: dict[str, Any]) -> None:
    """From band and size an outsider knows how many cases stand behind a figure."""
    assert learnt(_with(evidence, **values)) == {"lonely_time"}


def test_a_percentile_of_a_large_group_is_clean(evidence: Evidence) -> None:
    """Forty cases show a ninetieth percentile."""
    assert _with(evidence, timed_band_code="20", case_count=45, wait_p90_days=30).hit_count == 0
