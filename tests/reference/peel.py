"""Peeling once more, slowly: lists of cases, one rung after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from etl.metadata import Policy
from tests.reference.values import Case, fits, value


def peel(cases: Sequence[Case], policy: Policy) -> tuple[list[tuple[int, list[Case]]], list[Case]]:
    """Peel cases of one floor: groups with their rung number, and what is left."""
    left, groups = list(cases), []
    for number, levels in enumerate(policy.ladder, 1):
        alike: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
        for case in left:
            if fits(case, levels, policy):
                alike[tuple(value(case, column, level, policy) for column, level in levels.items())].append(case)
        standing = [members for members in alike.values() if are_enough(members, policy.k)]
        groups += [(number, members) for members in standing]
        taken = {case["case_key"] for members in standing for case in members}
        left = [case for case in left if case["case_key"] not in taken]
    return groups, left


def requesters(cases: Sequence[Case]) -> Counter[str]:
    """Count the cases of each requester; an unknown one stands for one case."""
    return Counter(case["requester_key"] or f"alone {case['case_key']}" for case in cases)


def are_enough(cases: Sequence[Case], k: int) -> bool:
    """Say whether cases have k requesters, none of whom has more than half of them."""
    asked = requesters(cases)
    return len(asked) >= k and max(asked.values()) <= len(cases) / 2
