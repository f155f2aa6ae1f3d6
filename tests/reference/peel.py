"""Peeling once more, slowly: lists of cases, one rung after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from etl.metadata import Policy, code_rows
from tests.reference.patterns import find_patterns
from tests.reference.values import Case, fits, value


def peel(
    cases: Sequence[Case], policy: Policy, *, without: Sequence[str] = ()
) -> tuple[list[tuple[int, list[Case]]], list[Case]]:
    """Peel cases of one floor by the rungs that show no column of `without`: groups with their rung number, what is left."""
    left: list[Case] = list(cases)
    groups: list[tuple[int, list[Case]]] = []
    told = dominated_classes(cases, policy)
    for number, levels in enumerate(policy.ladder, 1):
        if set(levels) & set(without):
            continue
        if levels.get("trace") == "pattern":
            find_patterns(left, levels, policy)
        alike: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
        for case in left:
            if fits(case, levels, policy) and not would_tell(case, levels, policy, told):
                alike[tuple(value(case, column, level, policy) for column, level in levels.items())].append(case)
        standing = [
            members
            for members in alike.values()
            if are_enough(members, policy.k) and not proves_a_finer_value(members, number - 1, policy)
        ]
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


def is_personal(case: Case, policy: Policy) -> bool:
    """Say whether the outcome of a case is about a person, not a fact about the body that the Act makes it report."""
    return case["kind"][1] not in policy.statutory.case_types


def known_classes(levels: Mapping[str, str], policy: Policy) -> list[dict[str, str]]:
    """List what outsiders know, at the levels of a rung that would tell the outcome of it."""
    if "outcome" not in levels and not set(levels) & set(policy.sensitive.implies):
        return []
    shown = [known for known in policy.sensitive.known_to_outsiders if set(known) <= set(levels)]
    return [{column: levels[column] for column in known} for known in shown]


def class_key(case: Case, known: Mapping[str, str], levels: Mapping[str, str], policy: Policy) -> tuple[Any, ...]:
    """Name the class of a case: what is known of it, and at which level the rung shows the outcome."""
    told = levels.get("outcome", "code")
    return (told, *((column, level, value(case, column, level, policy)) for column, level in known.items()))


def dominated_classes(cases: Sequence[Case], policy: Policy) -> set[tuple[Any, ...]]:
    """Find the classes of which one outcome, no ordinary one, has more than the largest share, as anybody inside sees them."""
    found, seen = set(), []
    for levels in policy.ladder:
        for known in known_classes(levels, policy):
            if (levels.get("outcome"), known) in seen:
                continue
            seen.append((levels.get("outcome"), known))
            classes: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
            for case in cases:
                if is_personal(case, policy):
                    classes[class_key(case, known, levels, policy)].append(case)
            for key, members in classes.items():
                several = [person for person, n in requesters(members).items() if n > 1]
                views = [[case for case in members if case["requester_key"] != person] for person in several]
                if any(is_dominated(view, key[0], policy) for view in (members, *views)):
                    found.add(key)
    return found


def is_dominated(cases: Sequence[Case], level: str, policy: Policy) -> bool:
    """Say whether more than the largest share ended alike, or in outcomes with the same coarser one."""
    told = [case for case in cases if value(case, "outcome", "code", policy) not in policy.sensitive.ordinary]
    ends = [Counter(value(case, "outcome", each, policy) for case in told) for each in (level, "parent")]
    return any(n > policy.sensitive.largest_share * len(cases) for counted in ends for n in counted.values())


def would_tell(case: Case, levels: Mapping[str, str], policy: Policy, told: set[tuple[Any, ...]]) -> bool:
    """Say whether a rung would show the outcome beside a class of which it is as good as known."""
    return is_personal(case, policy) and any(
        class_key(case, known, levels, policy) in told for known in known_classes(levels, policy)
    )


def proves_a_finer_value(members: Sequence[Case], place: int, policy: Policy) -> bool:
    """Say whether a row is so large that no value of a sensitive column can be missing on the finer rung it fell from."""
    if not is_personal(members[0], policy):
        return False
    levels = policy.ladder[place]
    for column in {*policy.sensitive.coarsen, *policy.sensitive.implies} - {"trace"}:
        for earlier in policy.ladder[:place]:
            is_finer = column in earlier and earlier[column] != levels.get(column)
            if not is_finer or {**levels, column: ""} != {**earlier, column: ""}:
                continue
            shown = value(members[0], column, levels[column], policy) if column in levels else None
            could_be = finer_values(column, earlier[column], levels.get(column), shown, policy)
            if could_be > 1 and len(members) > (could_be - 1) * (policy.k - 1):
                return True
    return False


def finer_values(column: str, fine: str, coarse: str | None, shown: Any, policy: Policy) -> int:
    """Count the values of a finer level that a shown value could be; the offices try outcome, channel and loop."""
    if column == "loop":
        return 2
    rows = [row for row in code_rows(policy) if row.list_code == column]
    parents = {row.parent_code for row in rows}
    assert fine == "code"
    if coarse is None:
        return sum(row.code not in parents for row in rows)
    return sum(row.parent_code == shown for row in rows)
