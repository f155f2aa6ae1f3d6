"""The yearly statutory table: exact counts of the body's acts under the Act, one dimension at a time.

Only for `statutory.case_types`; released with the year's last month and never again (DESIGN §4 table "other published
numbers"). Dimensions: outcome; lateness on each clock the instance has; exemption (citations: a case may cite several;
an exempt refusal that cites none counts as not_recorded); reason (refusals with and without a recorded reason).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.cases import closes_year, in_closing_year, is_finished
from etl.metadata import Policy, code_rows
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

BASIS = "attested"
CELL = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", "year_code", "body_id", "case_type_code")),
        *((name, pa.string()) for name in ("dimension_code", "value_code", "basis_code")),
        ("case_count", pa.int64()),
    ]
)
_PLACE = ("release_id", "year_code", "body_id", "case_type_code")


def refusals(policy: Policy) -> tuple[str, ...]:
    """List the outcomes that refuse: those whose coarser code is `negative`.

    >>> refusals(Policy())[:2]
    ('refused_exempt', 'rejected_unclear')
    """
    return tuple(row.code for row in code_rows(policy) if row.list_code == "outcome" and row.parent_code == "negative")


def statutory(case: Table, case_exemption: Table, *, policy: Policy, low: int, high: int) -> Table | None:
    """Count the finished cases of every year whose last month is due (indexes low to high): the table `statutory`.

    None where no year ends.
    """
    if not closes_year(low, high):
        return None
    scope = _scope(case, policy, low, high)
    parts = [_count(dimension, name) for name, dimension in _dimensions(scope, case_exemption, policy).items()]
    if not parts:  # an instance without a statutory duty: the table is there, and empty
        return _count(scope.mutate(value_code=scope.outcome), "outcome").filter(ibis.literal(value=False))
    return ibis.union(*parts)


def _scope(case: Table, policy: Policy, low: int, high: int) -> Table:
    in_year = is_finished(case) & in_closing_year(case.finished_index, low, high)
    chosen = case.filter(in_year & case.case_type_code.isin(policy.statutory.case_types))
    return chosen.mutate(
        release_id=chosen.finished_year_code + "-12",
        year_code=chosen.finished_year_code,
        outcome=ibis.coalesce(chosen.outcome_code, NOT_RECORDED),
    )


def _dimensions(scope: Table, case_exemption: Table, policy: Policy) -> dict[str, Table]:
    clocks = {"lateness_bylaw": policy.clocks.bylaw, "lateness_law": policy.clocks.law}
    made: dict[str, Table] = {}
    for name in policy.statutory.dimensions:
        if name == "outcome":
            made[name] = scope.mutate(value_code=scope.outcome)
        elif name in clocks and clocks[name] is not None:
            made[name] = scope.mutate(value_code=ibis.coalesce(scope[f"{name}_code"], NOT_RECORDED))
        elif name == "exemption":
            made[name] = _cited(scope, case_exemption)
        elif name == "reason":
            refused = scope.filter(scope.outcome.isin(refusals(policy)))
            is_given = ibis.coalesce(refused.reason_code, NOT_RECORDED) != NOT_RECORDED
            made[name] = refused.mutate(value_code=ibis.ifelse(is_given, "given", "not_given"))
    return made


def _cited(scope: Table, case_exemption: Table) -> Table:
    cited = case_exemption.select("case_key", "exemption_code").distinct()
    joined = scope.join(cited, "case_key", how="left")
    uncited: Any = ibis.ifelse(joined.outcome == "refused_exempt", NOT_RECORDED, ibis.null("string"))
    joined = joined.mutate(value_code=ibis.coalesce(joined.exemption_code, uncited))
    return joined.filter(joined.value_code.notnull())


def _count(relation: Table, name: str) -> Table:
    counted = relation.group_by(*_PLACE, "value_code").agg(case_count=relation.case_key.count())
    return counted.select(
        *_PLACE,
        "value_code",
        "case_count",
        dimension_code=ibis.literal(name),
        basis_code=ibis.literal(BASIS),
    ).select(*_PLACE, "dimension_code", "value_code", "case_count", "basis_code")
