"""The ladder of a policy as rungs to peel: which columns a rung compares, and which cases it does not fit.

A rung does not fit a case that must not show one of its columns (a sensitive service, and a column that implies the
outcome), or cannot (no trace at that level). What a case must not show is fixed by policy, for all periods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from etl.anonymise.columns import value_name
from etl.anonymise.peel import Rung
from etl.metadata import Policy
from etl.metadata.levels import levels_of

if TYPE_CHECKING:
    from ibis.expr.types import Table

IS_SENSITIVE = "is_sensitive"
Compute = Callable[["Table"], "Table"]


def ladder_rungs(policy: Policy, computed: Mapping[str, Compute]) -> tuple[Rung, ...]:
    """Make the rungs of a policy.

    computed: level of the trace -> what gives its values (case_number, trace_<level>) from the cases unplaced so far.
    """
    return tuple(_rung(levels, policy, computed) for levels in policy.ladder)


def _rung(levels: Mapping[str, str], policy: Policy, computed: Mapping[str, Compute]) -> Rung:
    values = tuple(value_name(column, level) for column, level in levels.items())
    is_kept_back = any(tells_of_a_person(column, level, policy) for column, level in levels.items())
    trace = levels.get("trace")
    name = value_name("trace", trace) if trace else None
    compute = computed.get(trace) if trace else None
    return Rung(
        values=values,
        needs=(name,) if name else (),
        barred_by=(IS_SENSITIVE,) if is_kept_back else (),
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
