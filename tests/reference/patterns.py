"""Which pattern each case shows, and where it stands in it, by plain search; only the choice of patterns is the product's own.

The choice is a heuristic: any patterns would do that the cases contain. That they do, and where, is found here again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from etl.anonymise.embedding import Pattern
from etl.anonymise.patterns import mine_patterns
from etl.metadata import Policy
from tests.reference.values import Case, fits, steps_of, value

GAP = ("gap", None, True)
Written = tuple[tuple[str, str | None, bool], ...]  # activity, unit, is a gap


def find_patterns(cases: Sequence[Any], levels: Mapping[str, str], policy: Policy) -> None:
    """Write into each case of one floor, at `pattern`, the pattern that a rung shows of it, or None."""
    classes: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    others = {column: level for column, level in levels.items() if column != "trace"}
    for case in cases:
        case["pattern"] = None
        if fits(case, {**others, "trace": "steps"}, policy):
            classes[tuple(value(case, column, level, policy) for column, level in others.items())].append(case)
    for own in classes.values():
        _find(own, policy.k)


def _find(cases: Sequence[Any], k: int) -> None:
    alike: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for case in cases:
        alike[activities(case)].append(case)
    asked = [len({case["requester_key"] or case["case_key"] for case in own}) for own in alike.values()]
    if sum(asked) < k:
        return
    names = sorted({activity for sequence in alike for activity in sequence})
    coded = [tuple(names.index(activity) + 2 for activity in sequence) for sequence in alike]
    mined = mine_patterns(coded, asked, k=k)
    for place, own in enumerate(alike.values()):
        for case in own:
            case["pattern"] = written(mined[place], names) if place in mined else None


def activities(case: Case) -> tuple[str, ...]:
    """List the activities of a case in order."""
    return tuple(step[0] for step, _ in steps_of(case, "steps"))


def written(pattern: Pattern, names: Sequence[str]) -> Written:
    """Write a pattern with its gaps."""
    rows: list[tuple[str, str | None, bool]] = []
    for symbol, is_next in list(zip(pattern.symbols, pattern.is_next, strict=True))[1:]:
        rows += [] if is_next else [GAP]
        rows += [(names[symbol - 2], None, False)] if symbol > 1 else []
    return tuple(rows)


def stand(pattern: Written, sequence: Sequence[str], at: int = 0) -> tuple[int | None, ...] | None:
    """Find the earliest places of a pattern's rows in a sequence from `at` on (a gap: None), trying every way; None: not there.

    >>> stand((GAP, ("b", None, False), ("a", None, False)), ("b", "c", "b", "a"))
    (None, 2, 3)
    """
    if not pattern:
        return () if at == len(sequence) else None
    (activity, _, is_gap), rest = pattern[0], pattern[1:]
    if is_gap:
        for start in range(at, len(sequence) + 1):
            found = stand(rest, sequence, start)
            if found is not None:
                return (None, *found)
        return None
    if at == len(sequence) or sequence[at] != activity:
        return None
    found = stand(rest, sequence, at + 1)
    return None if found is None else (at, *found)
