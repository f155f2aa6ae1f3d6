"""What a case shows of itself at a level of a ladder column, read off the case alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from etl.metadata import Policy, code_rows, duration_bands
from etl.metadata.levels import DEFAULT_LEVELS

Case = Mapping[str, Any]

NO = "not_recorded"
_PARENTS: dict[int, dict[str, str | None]] = {}


def fits(case: Case, levels: Mapping[str, str], policy: Policy) -> bool:
    """Say whether a rung may and can be shown for a case."""
    if is_sensitive(case, policy):
        for column in policy.sensitive.implies:
            finest = (policy.levels.get(column) or DEFAULT_LEVELS[column])[0]
            if column in levels and (column == "trace" or levels[column] == finest):
                return False
    return "trace" not in levels or bool(trace_of(case, levels["trace"]))


def value(case: Case, column: str, level: str, policy: Policy) -> Any:
    """Give the value of a ladder column at a level."""
    if column == "service":
        return up(case["service_id"] or NO, policy.services, depth(policy, column, level))
    if column == "unit":
        return up(case["unit_id"] or NO, policy.units, depth(policy, column, level))
    if column == "outcome":
        coarse = policy.sensitive.coarsen.get("outcome", {}) if is_sensitive(case, policy) else {}
        shown = coarse.get(case["outcome_code"] or NO, case["outcome_code"] or NO)
        return parent_outcome(shown, policy) if level == "parent" else shown
    if column == "lateness":
        return case[f"lateness_{policy.clocks.headline}_code"] or NO
    if column == "duration":
        return band(case["wait_days"], policy, level)
    if column == "loop":
        return case["is_loop"]
    if column == "channel":
        return case["channel_code"] or NO
    return trace_of(case, level)


def depth(policy: Policy, column: str, level: str) -> int | None:
    """Say how many nodes of the way from the root to a node a level shows; None: all of them."""
    levels = policy.levels.get(column) or DEFAULT_LEVELS[column]
    return None if level == "leaf" else list(reversed(levels)).index(level) + 1


def up(node: str, nodes: Sequence[Any], shown: int | None = 1) -> str:
    """Give the last node shown on the way from the root."""
    parents = {own.id: own.parent for own in nodes}
    way = [node]
    while parents.get(way[0]):
        way.insert(0, parents[way[0]])
    return way[:shown][-1]


def parent_outcome(code: str, policy: Policy) -> str:
    """Give the coarser code of an outcome, or itself."""
    if id(policy) not in _PARENTS:
        _PARENTS[id(policy)] = {row.code: row.parent_code for row in code_rows(policy) if row.list_code == "outcome"}
    return _PARENTS[id(policy)].get(code) or code


def is_sensitive(case: Case, policy: Policy) -> bool:
    """Say whether the service of a case, or one above it, is marked."""
    parents = {own.id: own.parent for own in policy.services}
    marked = set(policy.sensitive.services) | {own.id for own in policy.services if own.sensitive}
    node = case["service_id"]
    while node is not None and node not in marked:
        node = parents.get(node)
    return node is not None


def band(days: int | None, policy: Policy, level: str) -> str:
    """Name the duration band of a wait."""
    if days is None:
        return NO
    edges = policy.bands.duration_wide if level == "wide_band" else policy.bands.duration
    names = list(duration_bands(edges, finest=policy.bands.duration))
    for edge, name in zip(edges[1:], names, strict=False):
        if days <= edge:
            return name
    return names[-1]


def steps_of(case: Case, level: str) -> list[tuple[tuple[str, str | None], Any]]:
    """List the steps of a case at a level, each with its event."""
    events = sorted(case["events"], key=lambda event: event["seq"])
    if level != "milestones":
        by_unit = level == "steps_units"
        return [((e["activity_code"] or NO, (e["to_unit_id"] or NO) if by_unit else None), e) for e in events]
    steps: list[tuple[tuple[str, str | None], Any]] = []
    for event in events:
        if event["milestone_code"] and (not steps or steps[-1][0][0] != event["milestone_code"]):
            steps.append(((event["milestone_code"], None), event))
    return steps


def trace_of(case: Case, level: str) -> Any:
    """Give the trace of a case at a level; its pattern is what was last found for it."""
    return case.get("pattern") if level == "pattern" else tuple(step for step, _ in steps_of(case, level))
