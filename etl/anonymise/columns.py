"""The ladder's columns of a case at each of their levels, before any is dropped.

service: leaf and the root of its tree (family); unit: leaf and the root of its tree (department); outcome, one level
coarser for services marked sensitive, whatever the data say (DESIGN §4 "Persons behind the outcome"); lateness on the
headline clock; the duration band of `wait_days`; is_loop; channel. A value that the source lacks is `not_recorded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from etl.anonymise.held import hold_rows
from etl.metadata import Policy, duration_bands
from etl.metadata.settings import Node
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

# ladder column, level -> column of a case
VALUES = {
    ("service", "leaf"): "service_leaf",
    ("service", "family"): "service_family",
    ("unit", "leaf"): "unit_leaf",
    ("unit", "department"): "unit_department",
    ("outcome", "code"): "outcome_value",
    ("lateness", "code"): "lateness_value",
    ("duration", "band"): "duration_value",
    ("loop", "flag"): "loop_value",
    ("channel", "code"): "channel_value",
    ("trace", "steps_units"): "trace_steps_units",
    ("trace", "steps"): "trace_steps",
    ("trace", "milestones"): "trace_milestones",
}
# what peeling needs of a case beside its values
KEPT = (
    *("case_number", "body_id", "case_type_code", "release_id", "period_code", "cadence_code", "finished_year_code"),
    *("is_late", "is_sensitive", "wait_days"),
)
_ROOT = pa.schema([("node", pa.string()), ("root", pa.string()), ("is_marked", pa.bool_())])


def roots(nodes: Sequence[Node]) -> dict[str, str]:
    """Give the root of each node's tree; a root is its own.

    >>> roots([Node("a", None, {}), Node("b", "a", {}), Node("c", "b", {})])
    {'a': 'a', 'b': 'a', 'c': 'a'}
    """
    parents = {node.id: node.parent for node in nodes}

    def climb(node: str) -> str:
        parent = parents.get(node)
        return node if parent is None else climb(parent)

    return {node: climb(node) for node in parents}


def sensitive_services(policy: Policy) -> frozenset[str]:
    """List the services whose outcome is a fact about a person: marked, or below a marked one."""
    marked = set(policy.sensitive.services) | {node.id for node in policy.services if node.sensitive}
    parents = {node.id: node.parent for node in policy.services}
    found = set(marked)
    for service in parents:
        above: str | None = service
        while above is not None and above not in marked:
            above = parents.get(above)
        if above is not None:
            found.add(service)
    return frozenset(found)


def with_values(case: Table, policy: Policy) -> Table:
    """Give each finished case the columns of KEPT and of VALUES but the traces: one row per case."""
    marked = sensitive_services(policy)
    case = case.mutate(
        service_leaf=ibis.coalesce(case.service_id, NOT_RECORDED),
        unit_leaf=ibis.coalesce(case.unit_id, NOT_RECORDED),
        outcome_leaf=ibis.coalesce(case.outcome_code, NOT_RECORDED),
        lateness_value=case.lateness_code,
        loop_value=case.is_loop,
        channel_value=ibis.coalesce(case.channel_code, NOT_RECORDED),
        duration_value=_band(case, policy),
    )
    case = _with_root(case, "service", policy.services, marked)
    case = _with_root(case, "unit", policy.units, frozenset())
    case = case.rename(service_family="service_root", unit_department="unit_root", is_sensitive="service_is_marked")
    coarse = policy.sensitive.coarsen.get("outcome", {})
    changed = [(case.is_sensitive & (case.outcome_leaf == fine), parent) for fine, parent in sorted(coarse.items())]
    value = ibis.cases(*changed, else_=case.outcome_leaf) if changed else case.outcome_leaf
    made = case.mutate(outcome_value=value)
    return made.select(*KEPT, *(name for name in dict.fromkeys(VALUES.values()) if name in made.columns))


def _band(case: Table, policy: Policy) -> object:
    *closed, last = duration_bands(policy.bands.duration)
    bands = [(case.wait_days <= edge, code) for edge, code in zip(policy.bands.duration[1:], closed, strict=True)]
    return ibis.cases((case.wait_days.isnull(), NOT_RECORDED), *bands, else_=last)


def _with_root(case: Table, column: str, nodes: Sequence[Node], marked: frozenset[str]) -> Table:
    root = roots(nodes)
    known = sorted(set(root) | marked)
    rows = [{"node": node, "root": root.get(node, node), "is_marked": node in marked} for node in known]
    tree = hold_rows(case.get_backend(), f"{column}_tree", rows, _ROOT)
    joined = case.join(tree, case[f"{column}_leaf"] == tree.node, how="left")
    names = {
        f"{column}_root": ibis.coalesce(joined.root, joined[f"{column}_leaf"]),
        f"{column}_is_marked": ibis.coalesce(joined.is_marked, False),
    }
    return joined.mutate(**names).drop("node", "root", "is_marked")
