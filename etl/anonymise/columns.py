"""The ladder's columns of a case at each of their levels, before any is dropped, and those its rung shows.

service and unit along their trees; outcome, one level coarser for services marked sensitive, whatever the data say
(DESIGN §4 "Persons behind the outcome"); lateness on the headline clock; the duration band of `wait_days`; is_loop;
channel. A value that the source lacks is `not_recorded`. Traces are added elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.held import hold_rows
from etl.metadata import Policy, code_rows, duration_bands
from etl.metadata.levels import ancestors, depth_of, levels_of, ways
from etl.metadata.settings import Node
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

PUBLISHED = {
    "service": "service_id",
    "unit": "unit_id",
    "outcome": "outcome_code",
    "lateness": "lateness_code",
    "duration": "duration_band_code",
    "loop": "is_loop",
    "channel": "channel_code",
    "trace": "trace_key",
}
WITH_LEVEL = ("service", "unit", "trace")
# what a placed case holds: a truth value, the number of a trace; the other columns a place in a list of values
CODED_AS = {"loop": "boolean", "trace": "int64"}
# what peeling needs of a case beside its values
KEPT = (
    *("case_number", "body_id", "case_type_code", "release_id", "period_code", "cadence_code", "finished_year_code"),
    *("is_late", "is_sensitive", "is_personal", "is_ordinary", "wait_days", "requester_key"),
)


def value_name(column: str, level: str) -> str:
    """Name the column of a case that holds a ladder column at a level.

    >>> value_name("unit", "leaf"), value_name("trace", "steps")
    ('unit_at_leaf', 'trace_steps')
    """
    return f"trace_{level}" if column == "trace" else f"{column}_at_{level}"


def used_levels(policy: Policy) -> dict[str, tuple[str, ...]]:
    """List the levels at which the ladder shows each column; of an outcome always both."""
    used: dict[str, dict[str, None]] = {"outcome": {"code": None, "parent": None}}
    for rung in policy.ladder:
        for column, level in rung.items():
            used.setdefault(column, {})[level] = None
    return {column: tuple(levels) for column, levels in used.items()}


def sensitive_services(policy: Policy) -> frozenset[str]:
    """List the services whose outcome is a fact about a person: marked, or below a marked one."""
    marked = policy.sensitive_roots
    return marked | {service for service, way in ways(policy.services).items() if marked & set(way)}


def with_values(case: Table, policy: Policy) -> Table:
    """Give each finished case the columns of KEPT and its values at the used levels, but the traces: one row per case."""
    used = used_levels(policy)
    case = case.mutate(
        service_at_leaf=ibis.coalesce(case.service_id, NOT_RECORDED),
        unit_at_leaf=ibis.coalesce(case.unit_id, NOT_RECORDED),
        outcome_fine=ibis.coalesce(case.outcome_code, NOT_RECORDED),
        lateness_at_code=case.lateness_code,
        loop_at_flag=case.is_loop,
        channel_at_code=ibis.coalesce(case.channel_code, NOT_RECORDED),
    )
    case = _with_tree(case, "service", policy, used.get("service", ()), marked=sensitive_services(policy))
    case = _with_tree(case, "unit", policy, used.get("unit", ()), marked=frozenset())
    case = case.rename(is_sensitive="service_is_marked")
    case = case.mutate(outcome_at_code=_coarsened(case, policy))
    case = case.mutate(
        is_personal=~case.case_type_code.isin(policy.statutory.case_types) if policy.statutory.case_types else True,
        is_ordinary=case.outcome_at_code.isin(policy.sensitive.ordinary) if policy.sensitive.ordinary else False,
        **{value_name("outcome", "parent"): _parent(case.outcome_at_code, policy)},
        **{
            value_name("duration", level): banded_days(
                case.wait_days, policy.bands.edges(level), finest=policy.bands.duration
            )
            for level in used.get("duration", ())
        },
    )
    names = [value_name(column, level) for column, levels in used.items() for level in levels if column != "trace"]
    return case.select(*KEPT, *names)


def with_published(case: Table, policy: Policy) -> Table:
    """Add the published columns of each case's rung, as codes (NULL: dropped there), and their levels."""
    shown: dict[str, Any] = {}
    for column, name in PUBLISHED.items():
        rungs: dict[str, list[int]] = {}
        for number, levels in enumerate(policy.ladder, 1):
            if column in levels:
                rungs.setdefault(levels[column], []).append(number)
        kind = CODED_AS.get(column, "int32" if rungs else "string")
        values = [(numbers, case[value_name(column, level)]) for level, numbers in rungs.items()]
        shown[name] = _by_rung(case, values, kind)
        if column in WITH_LEVEL:
            named = [(numbers, ibis.literal(level)) for level, numbers in rungs.items()]
            shown[f"{column}_level"] = _by_rung(case, named, "string")
    return case.mutate(**shown)


def _by_rung(case: Table, values: Iterable[tuple[Sequence[int], Any]], kind: str) -> Any:
    branches = [(case.rung_number.isin(numbers), value) for numbers, value in values]
    return ibis.cases(*branches, else_=ibis.null(kind)) if branches else ibis.null(kind)


def _coarsened(case: Table, policy: Policy) -> Any:
    coarse = policy.sensitive.coarsen.get("outcome", {})
    changed = [(case.is_sensitive & (case.outcome_fine == fine), parent) for fine, parent in sorted(coarse.items())]
    return ibis.cases(*changed, else_=case.outcome_fine) if changed else case.outcome_fine


def _parent(outcome: Any, policy: Policy) -> Any:
    parents = outcome_parents(policy)
    above = [(outcome == code, parent) for code, parent in sorted(parents.items())]
    return ibis.cases(*above, else_=outcome) if above else outcome


def outcome_parents(policy: Policy) -> Mapping[str, str]:
    """Give the coarser code of each outcome that has one."""
    rows = (row for row in code_rows(policy) if row.list_code == "outcome")
    return {row.code: row.parent_code for row in rows if row.parent_code is not None}


def banded_days(days: Any, edges: tuple[int, ...], *, finest: tuple[int, ...] = ()) -> Any:
    """Name the band in which some days lie, by its edges; not_recorded where they are NULL."""
    *closed, last = duration_bands(edges, finest=finest)
    bands = [(days <= edge, code) for edge, code in zip(edges[1:], closed, strict=True)]
    return ibis.cases((days.isnull(), NOT_RECORDED), *bands, else_=last)


def _with_tree(case: Table, column: str, policy: Policy, used: Sequence[str], *, marked: frozenset[str]) -> Table:
    """Join the values of a tree at its used levels, and whether the node is marked."""
    nodes: Sequence[Node] = getattr(policy, f"{column}s")
    levels = [level for level in used if level != "leaf"]
    above = {level: ancestors(nodes, depth_of(levels_of(policy, column), level)) for level in levels}
    known = sorted({node.id for node in nodes} | marked)
    rows = [
        {"node": node, "is_marked": node in marked} | {level: above[level].get(node, node) for level in levels}
        for node in known
    ]
    fields = [("node", pa.string()), ("is_marked", pa.bool_()), *((level, pa.string()) for level in levels)]
    tree = hold_rows(case.get_backend(), f"{column}_tree", rows, pa.schema(fields))
    tree = tree.rename({value_name(column, level): level for level in levels})
    leaf = value_name(column, "leaf")
    joined = case.join(tree, case[leaf] == tree.node, how="left")
    names = {
        value_name(column, level): ibis.coalesce(joined[value_name(column, level)], joined[leaf]) for level in levels
    }
    named = {f"{column}_is_marked": ibis.coalesce(joined.is_marked, False)}
    return joined.mutate(**names, **named).drop("node", "is_marked")
