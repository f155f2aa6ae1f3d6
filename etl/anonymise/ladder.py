"""The ladder of a policy as rungs to peel: which columns a rung compares, and which cases it does not fit.

A rung does not fit a case that cannot show one of its columns (no trace at that level) or must not: a sensitive service,
and a column that implies the outcome, which is fixed by policy for all periods; or a class of cases of which one outcome
dominates (`etl.anonymise.persons`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from etl.anonymise.coding import Lists
from etl.anonymise.columns import PUBLISHED, value_name
from etl.anonymise.held import fetch
from etl.anonymise.peel import BARRED, Bound, Rung
from etl.anonymise.persons import IS_PERSONAL, Limit, classes_of, forced_limits
from etl.metadata import Policy
from etl.metadata.levels import levels_of

if TYPE_CHECKING:
    from ibis.expr.types import Table

IS_SENSITIVE = "is_sensitive"
Compute = Callable[["Table", Rung], "Table"]


def ladder_rungs(policy: Policy, computed: Mapping[str, Compute], *, lists: Lists) -> tuple[Rung, ...]:
    """Make the rungs of a policy for cases whose texts are codes of `lists`.

    computed: level of the trace -> what gives its values (case_number, trace_<level>) from the cases unplaced so far and
        the rung.
    """
    limits = [tuple(forced_limits(policy, place)) for place in range(len(policy.ladder))]
    named = {limit.column.split("_at_")[0] for found in limits for limit in found if limit.column}
    codes = {column: _codes(lists[PUBLISHED[column]]) for column in named}
    rungs = (_rung(levels, policy, computed) for levels in policy.ladder)
    return tuple(
        replace(rung, bounds=tuple(_bound(limit, codes) for limit in found)) if found else rung
        for rung, found in zip(rungs, limits, strict=True)
    )


def without_columns(rungs: Sequence[Rung], columns: Collection[str], policy: Policy) -> tuple[Rung, ...]:
    """Keep the cases of BARRED from the rungs of a policy that show one of the columns; rungs keep their numbers."""
    return tuple(
        replace(rung, barred_by=(*rung.barred_by, BARRED)) if set(columns) & set(levels) else rung
        for rung, levels in zip(rungs, policy.ladder, strict=True)
    )


def _codes(values: Table) -> dict[str, int]:
    return {row["value"]: row["code"] for row in fetch(values)}


def _bound(limit: Limit, codes: Mapping[str, Mapping[str, int]]) -> Bound:
    if limit.column is None:
        return Bound(IS_PERSONAL, None, {}, limit.any_value)
    known = codes[limit.column.split("_at_")[0]]
    return Bound(IS_PERSONAL, limit.column, {known[v]: most for v, most in limit.by_value.items() if v in known}, 0)


def _rung(levels: Mapping[str, str], policy: Policy, computed: Mapping[str, Compute]) -> Rung:
    values = tuple(value_name(column, level) for column, level in levels.items())
    is_kept_back = any(tells_of_a_person(column, level, policy) for column, level in levels.items())
    trace = levels.get("trace")
    name = value_name("trace", trace) if trace else None
    compute = computed.get(trace) if trace else None
    return Rung(
        values=values,
        needs=(name,) if name else (),
        barred_by=(*([IS_SENSITIVE] if is_kept_back else []), *(one.flag for one in classes_of(levels, policy))),
        computed=name if compute else None,
        compute=compute,
    )


def tells_of_a_person(column: str, level: str, policy: Policy) -> bool:
    """Say whether a column at a level would give away an outcome that is coarsened: a trace always does.

    Any other column of `implies` is shown one level coarser: not at the finest of its levels.
    """
    if column not in policy.sensitive.implies:
        return False
    return column == "trace" or level == levels_of(policy, column)[0]
