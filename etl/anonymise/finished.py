"""Finished cases, peeled: those whose period closes now, and late ones among themselves (DESIGN §4 "Late cases").

Late cases are peeled for their period, the rest for its year, the rest for all earlier ones together. They have no
floor: what finds no group waits. They are peeled only when k people came since the last time (decision 25): margins count
those that come, and a group that came out with a single one would be known to hold it. Placements remember who was peeled
in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.held import fetch, hold
from etl.anonymise.margins import Kind
from etl.anonymise.peel import Rung, peel
from etl.anonymise.persons import with_dominated
from etl.anonymise.requesters import are_enough, count_requesters, with_requesters
from etl.metadata import Policy
from etl.model.codes import EARLIER

if TYPE_CHECKING:
    from ibis.expr.types import Table

_BODY = ("body_id", "case_type_code")


def peel_finished(case: Table, rungs: Sequence[Rung], policy: Policy) -> Table:
    """Peel the cases whose period closes now, all periods together, late ones apart.

    case: held, one row per case as `ladder_rungs` needs it. Adds rung_number (floor: last + 1), is_floor, late_for_code,
    is_placed (false: waits); period_code and cadence_code become those of the group.
    """
    peeled = _peel(case, rungs, policy, floor=(*_BODY, "period_code", "is_late"))
    if not fetch(case.agg(n=ibis.ifelse(case.is_late, 1, 0).sum()))[0]["n"]:
        return _regular(peeled, rungs)
    peeled = hold(peeled, "peeled")
    late = peeled.filter(peeled.is_late)
    return _regular(peeled.filter(~peeled.is_late), rungs).union(_late(late, rungs, policy))


def late_kinds(late: Table, *, k: int) -> set[Kind]:
    """Name the bodies and case types whose late cases are peeled: k people came with those never peeled before.

    late: the late cases that wait: body_id, case_type_code, case_number, requester_key, was_peeled (1: no group then).
    """
    new = late.filter(late.was_peeled == 0).select(*_BODY, "case_number", "requester_key")
    counted = count_requesters(with_requesters(new), _BODY)
    found = counted.filter(are_enough(counted, k)).select(*_BODY)
    return {(row["body_id"], row["case_type_code"]) for row in fetch(found)}


def _regular(peeled: Table, rungs: Sequence[Rung]) -> Table:
    """Dress the cases of a period that closes now: what no rung took is its floor."""
    return peeled.mutate(
        is_floor=peeled.rung_number.isnull(),
        rung_number=ibis.coalesce(peeled.rung_number.cast("int64"), len(rungs) + 1),
        late_for_code=ibis.null("string"),
        is_placed=ibis.literal(True),
    )


def _late(peeled: Table, rungs: Sequence[Rung], policy: Policy) -> Table:
    """Peel on, by year and by all earlier periods, the late cases that found no group of their period."""
    case = peeled.mutate(
        own_period_code=peeled.period_code, own_cadence_code=peeled.cadence_code, earlier_code=ibis.literal(EARLIER)
    )
    made = tuple(dict.fromkeys(name for rung in rungs if (name := rung.computed)))
    parts = [_found(case, "own_period_code")]
    rest = case.filter(case.rung_number.isnull())
    for stage in ("finished_year_code", "earlier_code"):
        waiting = hold(rest.drop("rung_number", *made), "waiting")
        again = hold(_peel(waiting, rungs, policy, floor=(*_BODY, stage)), "late")
        parts.append(_found(again, stage))
        rest = again.filter(again.rung_number.isnull())
    parts.append(rest.mutate(late_for_code=ibis.null("string")))
    parts = [part.mutate(rung_number=part.rung_number.cast("int64")) for part in parts]  # Spark widens some of them
    names = parts[0].columns
    return _dressed(ibis.union(*(part.select(*names) for part in parts))).select(*_regular(peeled, rungs).columns)


def _found(case: Table, stage: str) -> Table:
    found = case.filter(case.rung_number.notnull())
    return found.mutate(late_for_code=found[stage])


def _dressed(case: Table) -> Table:
    is_placed: Any = case.rung_number.notnull()
    is_own = case.late_for_code == case.own_period_code
    return case.mutate(
        is_floor=ibis.literal(False),
        is_placed=is_placed,
        period_code=ibis.ifelse(is_placed, case.late_for_code, case.own_period_code),
        cadence_code=ibis.cases(
            (~is_placed, case.own_cadence_code),
            (is_own, case.own_cadence_code),
            (case.late_for_code == EARLIER, ibis.null("string")),
            else_=ibis.literal("year"),
        ),
    )


def _peel(case: Table, rungs: Sequence[Rung], policy: Policy, *, floor: tuple[str, ...]) -> Table:
    """Peel the cases of a floor, after counting which classes of them one outcome dominates."""
    flagged = with_dominated(case, policy, floor=floor)
    flags = [name for name in flagged.columns if name not in case.columns]
    if not flags:
        return peel(case, rungs, floor=floor, k=policy.k)
    return peel(hold(flagged, "flagged"), rungs, floor=floor, k=policy.k).drop(*flags)
