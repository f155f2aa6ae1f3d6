"""Figures of nested selections tell nothing of the few cases that are left over, or the audit sees it."""

from __future__ import annotations

from typing import Any

import pytest

from etl.audit import Evidence, times
from tests.audit.conftest import learnt, planted

ROW = {"release_id": "1403-03", "year_code": "1403", "body_id": "alef", "timed_band_code": "100"}
ROW |= {"basis_code": "attested"}
NOTHING = {"wait_p25_days": None, "wait_median_days": None, "wait_p75_days": None, "wait_p90_days": None}
SCOPE = 175  # of body alef: 24 + 25 + 26 fine ones, 3 * 11, 3 * 15, floors of 3 + 4 + 5, 10 late ones


def _with(evidence: Evidence, *rows: dict[str, Any], groups: dict[str, Any] | None = None) -> Any:
    def changed(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | (groups or {}) if row["rung_number"] == 1 else row for row in given]

    def added(_: list[dict[str, Any]]) -> list[dict[str, Any]]:
        empty = {"case_type_code": "foi", "service_id": None, "service_level": None, **NOTHING}
        return [{"duration_id": 30000001 + place, **ROW, **empty, **row} for place, row in enumerate(rows)]

    return times.attack(planted(evidence, {"case_group": changed, "duration": added}), seed=1, attempts=1)


def test_a_median_of_many_unknown_waits_is_clean(evidence: Evidence) -> None:
    """75 of 175 cases waited 3 to 5 days by their band; the median of all, 4 days, leaves company on both sides."""
    assert _with(evidence, {"scope_count": SCOPE, "wait_median_days": 4}).hit_count == 0


@pytest.mark.parametrize(
    "row",
    [
        {"scope_count": SCOPE, "wait_median_days": 2},  # shorter waits than 75 known ones: 88 - 1 of 100 unknown ones
        {"scope_count": SCOPE, "wait_p75_days": 6},
    ],
)
def test_a_figure_beside_known_waits_is_clean_while_others_are_many(evidence: Evidence, row: dict[str, Any]) -> None:
    """A hundred cases of whose wait nothing is known give company on either side of the band."""
    assert _with(evidence, row).hit_count == 0


@pytest.mark.parametrize(
    ("row", "groups"),
    [
        ({"scope_count": SCOPE, "wait_p25_days": 6}, {}),  # rank 44, but 75 cases are known to be shorter
        ({"scope_count": SCOPE, "wait_p90_days": 2, "wait_p25_days": 1}, {}),
        ({"scope_count": SCOPE, "wait_p90_days": 9}, {"duration_band_code": "11_15", "lateness_code": "late"}),
    ],
)
def test_few_cases_left_over_are_seen(evidence: Evidence, row: dict[str, Any], groups: dict[str, Any]) -> None:
    """Where bands already place nearly all that lies on one side of a figure, it speaks of those that are left."""
    assert learnt(_with(evidence, row, groups=groups)) == {"lonely_time"}


def test_a_parent_beside_its_children_is_seen(evidence: Evidence) -> None:
    """Two selections that differ by few cases: the larger one's figure is that of the few."""
    child = {"case_type_code": "foi", "service_id": "build", "service_level": "leaf", "scope_count": 75}
    figures = {"wait_p25_days": 3, "wait_median_days": 4, "wait_p75_days": 5}
    clean = [child | figures, {"scope_count": SCOPE, "wait_median_days": 4}]
    assert _with(evidence, *clean).hit_count == 0
    groups = {"timed_band_code": None, "wait_median_days": None, "duration_band_code": None, "lateness_code": None}
    leak = [child | {"wait_p25_days": 12}, {"scope_count": SCOPE, "wait_p75_days": 10}]
    assert _with(evidence, *leak, groups=groups).hit_count == 1


def test_a_selection_that_is_no_sum_of_groups_is_seen(evidence: Evidence) -> None:
    """`scope_count` is the sum of the groups that published columns select: floors, late ones and all."""
    assert learnt(_with(evidence, {"scope_count": SCOPE - 1, "wait_median_days": 4})) == {"second_partition"}


def test_the_same_cases_once_more_are_clean(evidence: Evidence) -> None:
    """A body with one case type has its waits twice, and nothing is left over."""
    figures = {"scope_count": SCOPE, "wait_median_days": 4, "wait_p25_days": 4, "wait_p75_days": 4}
    both = [figures, figures | {"case_type_code": None}]
    assert _with(evidence, *both).hit_count == 0
