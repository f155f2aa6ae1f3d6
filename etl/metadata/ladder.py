"""The ladder of an instance: written by hand or made from weights, and checked rung by rung.

From weights (`ladder: {weights: {trace: 4, outcome: 9, …}, rungs: 12}`) a ladder follows by a fixed rule that looks at no
case (`expand_weights`); the result is what the policy holds, hashes and publishes, so that nothing is chosen by period.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from etl.errors import SettingsError, nearest
from etl.metadata.codes import code_rows
from etl.metadata.levels import COLUMNS, DEFAULT_LEVELS, LEAF, TREES, levels_of
from etl.metadata.settings import Policy

Rung = Mapping[str, str]
MAX_RUNGS = 24
PATTERN = "pattern"
LAST = ("outcome", "lateness")  # what is dropped last
_FIRST = (
    "trace",
    "loop",
    "channel",
    "duration",
    "unit",
    "service",
    "lateness",
    "outcome",
)  # of equal steps, this goes first


def expand_weights(
    weights: Mapping[str, float], rungs: int, levels: Mapping[str, Sequence[str]]
) -> list[dict[str, str]]:
    """Make a ladder from what each column is worth.

    A column at its finest level is worth its weight; each step to the next level, the last of which drops it, costs an
    equal part. The first rung shows every column at its finest; each further one takes the cheapest step of all columns
    but outcome and lateness, of equal ones in the order of the house (trace first), until only outcome and lateness are
    left. If rungs remain, each of those steps, the dearest first, gets a sibling right after it that takes the second
    cheapest step in its place: what the step gives up, the sibling keeps. Too many steps: the cheapest are taken together
    with the next. Then come the four last rungs: outcome and lateness, outcome, lateness, and the coarsest service.

    >>> levels = {"service": ("leaf", "family"), "outcome": ("code",), "lateness": ("code",)}
    >>> for rung in expand_weights({"service": 2, "outcome": 9, "lateness": 5}, 6, levels): print(rung)
    {'service': 'leaf', 'outcome': 'code', 'lateness': 'code'}
    {'service': 'family', 'outcome': 'code', 'lateness': 'code'}
    {'outcome': 'code', 'lateness': 'code'}
    {'outcome': 'code'}
    {'lateness': 'code'}
    {'service': 'family'}
    """
    columns = [column for column in COLUMNS if column in weights]
    used = {column: tuple(levels[column]) for column in columns}
    last = _last_rungs(used)
    path, costs = _path(weights, used)
    room = rungs - len(last)
    for place in sorted(range(1, len(path)), key=lambda at: (costs[at], at))[: max(len(path) - room, 0)]:
        path[place] = {}  # the step is taken, but not stood on
    made: list[dict[str, int]] = []
    siblings = _siblings(path, costs, weights, used, room - len([at for at in path if at]))
    for place, at in enumerate(path):
        made += [at] if at else []
        made += [siblings[place]] if place in siblings else []
    return [*(_named(at, used) for at in made), *last]


def _path(weights: Mapping[str, float], used: Mapping[str, Sequence[str]]) -> tuple[list[dict[str, int]], list[float]]:
    """Step down from the finest rung; a rung holds the place of each column's level. Give also what each step costs."""
    path = [dict.fromkeys(used, 0)]
    costs = [0.0]
    while steps := _steps(path[-1], weights, used):
        cost, _, column = steps[0]
        path.append(_coarser(path[-1], column))
        costs.append(cost)
    return path[:-1], costs[:-1]  # the last has nothing but outcome and lateness: it stands among the last rungs


def _steps(
    at: Mapping[str, int], weights: Mapping[str, float], used: Mapping[str, Sequence[str]]
) -> list[tuple[float, int, str]]:
    open_columns = [column for column in used if column not in LAST and at[column] < len(used[column])]
    return sorted((weights[column] / len(used[column]), _FIRST.index(column), column) for column in open_columns)


def _coarser(at: Mapping[str, int], column: str) -> dict[str, int]:
    return {**at, column: at[column] + 1}


def _siblings(
    path: Sequence[Mapping[str, int]],
    costs: Sequence[float],
    weights: Mapping[str, float],
    used: Mapping[str, Sequence[str]],
    room: int,
) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for place in sorted(range(1, len(path)), key=lambda at: (-costs[at], at)):
        steps = _steps(path[place - 1], weights, used) if path[place - 1] and path[place] else []
        if len(found) < room and len(steps) > 1:
            found[place] = _coarser(path[place - 1], steps[1][2])
    return found


def _named(at: Mapping[str, int], used: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {column: used[column][place] for column, place in at.items() if place < len(used[column])}


def _last_rungs(used: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    finest = {column: used[column][0] for column in LAST if column in used}
    rungs = [finest, *({column: level} for column, level in finest.items() if len(finest) > 1)]
    return rungs + ([{"service": used["service"][-1]}] if "service" in used else [])


def check_weights(raw: Mapping[str, Any], levels: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Check the two keys of a ladder of weights and expand it; SettingsError naming the key."""
    for key in raw:
        _check_member("unknown-key", key, ("weights", "rungs"), "a key of x-shafaf.ladder")
    weights, rungs = raw.get("weights"), raw.get("rungs", MAX_RUNGS)
    if not isinstance(weights, Mapping) or not isinstance(rungs, int):
        raise _wrong(
            "ladder-weights", "a ladder without weights", "{weights: {column: number}, rungs: N}", "Write both."
        )
    for column, weight in weights.items():
        _check_member("ladder-column", column, list(levels), "a column of x-shafaf.ladder.weights")
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 < weight < math.inf:
            raise _wrong(
                "ladder-weights", f"the weight of {column} that is no number above 0", "a number", "Correct it."
            )
    least = 6
    if "outcome" not in weights or not least <= rungs <= MAX_RUNGS:
        found = f"{rungs} rungs" if "outcome" in weights else "weights without outcome"
        expected = f"outcome among the weights and {least} to {MAX_RUNGS} rungs"
        raise _wrong("ladder-weights", found, expected, "Correct x-shafaf.ladder.")
    return expand_weights(weights, rungs, levels)


def check_levels(policy: Policy) -> None:
    """Check the names and the order of levels, and that bands nest; SettingsError naming the column."""
    known = [row.code for row in code_rows(policy) if row.list_code == "level"]
    for column, levels in policy.levels.items():
        _check_member("ladder-column", column, COLUMNS, "a column of x-shafaf.levels")
        order = known if column in TREES else DEFAULT_LEVELS[column]
        for level in levels:
            _check_member("ladder-level", level, order, f"a level of {column}")
        is_ordered = LEAF not in levels[1:] if column in TREES else list(levels) == [x for x in order if x in levels]
        if not levels or len(set(levels)) < len(levels) or not is_ordered:
            expected = (
                "leaf first, then towards the root" if column in TREES else f"some of {', '.join(order)}, in this order"
            )
            raise _wrong("levels-order", f"the levels {list(levels)} of {column}", expected, "Correct x-shafaf.levels.")


def check_ladder(policy: Policy) -> None:
    """Check the ladder of the finished cases; SettingsError."""
    check_rungs(policy.ladder, {column: levels_of(policy, column) for column in COLUMNS}, where="x-shafaf.ladder")


def check_rungs(ladder: Sequence[Rung], levels: Mapping[str, Sequence[str]], *, where: str) -> None:
    """Check the number of rungs, their columns and levels, and that each can still take cases; SettingsError.

    levels: column -> its levels, finest first; where outcome is one, outcome and lateness are dropped last. where: the key
    of the ladder in metadata.yml.
    """
    if not 1 <= len(ladder) <= MAX_RUNGS:
        raise _wrong("ladder-length", f"{len(ladder)} rungs of {where}", f"1 to {MAX_RUNGS}", f"Correct {where}.")
    last_two_stand = "outcome" not in levels
    for number, rung in enumerate(ladder, 1):
        for column, level in rung.items():
            _check_member("ladder-column", column, levels, f"a column of rung {number} of {where}")
            _check_member("ladder-level", level, levels[column], f"the level of {column} in rung {number} of {where}")
        last_two_stand |= "outcome" in rung and set(rung) <= set(LAST)
        if "outcome" not in rung and not last_two_stand:
            raise _wrong(
                "ladder-outcome-last",
                f"rung {number} without outcome before a rung of only outcome and lateness",
                "outcome and lateness to be dropped last",
                "Put a rung {outcome: code, lateness: code} before it.",
            )
        for earlier, other in enumerate(ladder[: number - 1], 1):
            if _is_as_fine(rung, other, levels):
                raise _wrong(
                    "ladder-rung-idle",
                    f"rung {number} of {where}, which shows all that rung {earlier} shows, as fine or finer",
                    "each rung coarser than the ones before it in some column",
                    f"Move rung {number} before rung {earlier}, or leave it out: it could take no case.",
                )


def _is_as_fine(rung: Rung, other: Rung, levels: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a rung shows every column of another at its level or a finer one."""
    return all(column in rung and _is_finer(rung[column], level, levels[column]) for column, level in other.items())


def _is_finer(level: str, other: str, levels: Sequence[str]) -> bool:
    """Say whether cases alike at a level are alike at another; those of a pattern need not share their milestones."""
    return level == other or (level != PATTERN and levels.index(level) < levels.index(other))


def _check_member(slug: str, value: str | None, known: Collection[str], what: str) -> None:
    if value not in known:
        expected = f"one of {', '.join(sorted(known)[:30])}"
        raise _wrong(slug, f"{value!r} as {what}", expected, f"Nearest: {nearest(str(value), known)}.")


def _wrong(slug: str, found: str, expected: str, todo: str) -> SettingsError:
    return SettingsError(slug, found=found, expected=expected, todo=todo)
