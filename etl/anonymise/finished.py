"""Finished cases, peeled: those whose period closes now, and late ones among themselves (DESIGN §4 "Late cases")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.held import hold
from etl.anonymise.peel import Rung, peel
from etl.anonymise.persons import with_dominated
from etl.metadata import Policy

if TYPE_CHECKING:
    from ibis.expr.types import Table

EARLIER = "earlier"
LATE_STAGES = ("own_period_code", "finished_year_code", "earlier_code")


def peel_periods(case: Table, rungs: Sequence[Rung], policy: Policy) -> Table:
    """Peel the cases whose period closes now, all periods together; what no rung takes is the floor of its period."""
    peeled = _peel(case, rungs, policy, floor=("body_id", "case_type_code", "period_code"))
    return peeled.mutate(
        is_floor=peeled.rung_number.isnull(),
        rung_number=ibis.coalesce(peeled.rung_number.cast("int64"), len(rungs) + 1),
        late_for_code=ibis.null("string"),
        is_placed=ibis.literal(True),
    )


def peel_late(case: Table, rungs: Sequence[Rung], policy: Policy) -> Table:
    """Peel late cases among themselves: for their period, the rest for its year, the rest for all earlier ones together.

    There is no floor: what finds no group waits (is_placed false, late_for_code NULL).
    """
    waiting = hold(
        case.mutate(
            own_period_code=case.period_code, own_cadence_code=case.cadence_code, earlier_code=ibis.literal(EARLIER)
        ),
        "waiting",
    )
    computed = tuple(dict.fromkeys(rung.computed for rung in rungs if rung.computed))
    parts: list[Table] = []
    for stage in LATE_STAGES:
        peeled = hold(_peel(waiting, rungs, policy, floor=("body_id", "case_type_code", stage)), "late")
        found = peeled.filter(peeled.rung_number.notnull())
        parts.append(found.mutate(late_for_code=found[stage]))
        rest = peeled.filter(peeled.rung_number.isnull())
        waiting = hold(rest.drop("rung_number", *computed), "waiting")
    parts.append(rest.mutate(late_for_code=ibis.null("string")))
    return _dressed(ibis.union(*parts))


def _peel(case: Table, rungs: Sequence[Rung], policy: Policy, *, floor: tuple[str, ...]) -> Table:
    """Peel the cases of a floor, after counting which classes of them one outcome dominates."""
    flagged = with_dominated(case, policy, floor=floor)
    flags = [name for name in flagged.columns if name not in case.columns]
    if not flags:
        return peel(case, rungs, floor=floor, k=policy.k)
    return peel(hold(flagged, "flagged"), rungs, floor=floor, k=policy.k).drop(*flags)


def _dressed(case: Table) -> Table:
    is_placed: Any = case.rung_number.notnull()
    is_own = case.late_for_code == case.own_period_code
    return case.mutate(
        rung_number=case.rung_number.cast("int64"),
        is_floor=ibis.literal(False),
        is_placed=is_placed,
        period_code=ibis.ifelse(is_placed, case.late_for_code, case.own_period_code),
        cadence_code=ibis.cases(
            (~is_placed, case.own_cadence_code),
            (is_own, case.own_cadence_code),
            (case.late_for_code == EARLIER, ibis.null("string")),
            else_=ibis.literal("year"),
        ),
    ).drop("own_period_code", "own_cadence_code", "earlier_code")
