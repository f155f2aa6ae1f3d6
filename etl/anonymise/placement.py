"""Placements: which case was counted and grouped in which release; private, and the reason why a case is placed once.

Only rows that are new in this run. A finished case that waits for its period, or as a late one, has a row without a
group; a second row follows when it is grouped. A late case that was peeled and found no group has a row of population
`peeled`: it is not one of those who come next (decision 25). A registered case has a second row, of population `cohort`,
when its cohort goes out. `body_id` and `case_type_code` are those it was first counted under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from etl.anonymise.groups import group_key
from etl.anonymise.held import hold

if TYPE_CHECKING:
    from ibis.expr.types import Table

COLUMNS = ("population_code", "case_key", "group_key", "release_id", "period_code", "body_id", "case_type_code")


def placements(
    *,
    case: Table,
    finished: Table,
    members: Table,
    cohort: Table,
    reopened: Table,
    withdrawn: Table | None,
    months: Table,
) -> Table:
    """Union the new rows of all populations; months: (month, release_id) of the due months.

    Rows of cases in staging are held by case_number, and get their long keys when a release asks for its rows.
    """
    rows = ibis.union(
        _registered(case, months),
        _waiting(finished, members, months),
        _grouped(members),
        _in_vain(members, case),
        _row(cohort, "cohort", _nothing()),
        _counted(reopened, "reopened", months),
    )
    held = hold(rows, "placement")
    named = held.join(case.select("case_number", "case_key", "body_id", "case_type_code"), "case_number")
    named = named.mutate(group_key=group_key(named)).select(*COLUMNS)
    if withdrawn is None:
        return named
    gone = withdrawn.join(months, "month")
    gone = gone.mutate(
        population_code=ibis.literal("withdrawn"), group_key=ibis.null("string"), period_code=gone.release_id
    )
    return named.union(gone.select(*COLUMNS))


def _registered(case: Table, months: Table) -> Table:
    new = case.filter(case.counted_registered.notnull())
    joined = new.join(months, new.counted_registered == months.month)
    return _row(joined.mutate(period_code=joined.registered_month_code), "registered", _nothing())


def _waiting(finished: Table, members: Table, months: Table) -> Table:
    new = finished.filter(finished.counted_finished.notnull())
    joined = new.join(months, new.counted_finished == months.month)
    grouped = members.filter(members.group_number.notnull())
    at_once = grouped.select(grouped_number="case_number", grouped_in="release_id")
    joined = joined.join(at_once, joined.case_number == at_once.grouped_number, how="left")
    waits = joined.grouped_in.isnull() | (joined.grouped_in != joined.release_id)
    return _row(joined.filter(waits), "finished", _nothing())


def _grouped(members: Table) -> Table:
    grouped = members.filter(members.group_number.notnull())
    return _row(grouped, "finished", grouped.group_number)


def _in_vain(members: Table, case: Table) -> Table:
    """Remember the late cases that found no group, the first time; all others that were peeled have one."""
    first = case.filter(case.was_peeled == 0).select("case_number")
    left = members.filter(members.group_number.isnull()).join(first, "case_number", how="semi")
    return _row(left, "peeled", _nothing())


def _counted(relation: Table, population: str, months: Table) -> Table:
    joined = relation.join(months, "month")
    return _row(joined.mutate(period_code=joined.release_id), population, _nothing())


def _row(relation: Table, population: str, group_number: object) -> Table:
    made = relation.mutate(population_code=ibis.literal(population), group_number=group_number)
    return made.select("population_code", "case_number", "group_number", "release_id", "period_code")


def _nothing() -> object:
    return ibis.null("int32")
