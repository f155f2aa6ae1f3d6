"""Placements: which case was counted and grouped in which release; private, and the reason why a case is placed once.

Only rows that are new in this run. A finished case that waits for its period, or as a late one, has a row without a
group; a second row follows when it is grouped. `body_id` and `case_type_code` are those it was first counted under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import Table

COLUMNS = ("population_code", "case_key", "group_key", "release_id", "period_code", "body_id", "case_type_code")


def placements(
    *, case: Table, finished: Table, placed: Table, reopened: Table, withdrawn: Table | None, months: Table
) -> Table:
    """Union the new rows of all populations; months: (month, release_id) of the due months."""
    parts = [
        _registered(case, months),
        _waiting(finished, placed, months),
        _grouped(placed),
        _counted(reopened, "reopened", months),
    ]
    if withdrawn is not None:
        parts.append(_counted(withdrawn, "withdrawn", months))
    return ibis.union(*parts)


def _registered(case: Table, months: Table) -> Table:
    new = case.filter(case.counted_registered.notnull())
    joined = new.join(months, new.counted_registered == months.month)
    return _row(joined.mutate(period_code=joined.registered_month_code), "registered", ibis.null("string"))


def _waiting(finished: Table, placed: Table, months: Table) -> Table:
    new = finished.filter(finished.counted_finished.notnull())
    joined = new.join(months, new.counted_finished == months.month)
    at_once = placed.filter(placed.group_key.notnull()).select(grouped_key="case_key", grouped_in="release_id")
    joined = joined.join(at_once, joined.case_key == at_once.grouped_key, how="left")
    waits = joined.grouped_in.isnull() | (joined.grouped_in != joined.release_id)
    return _row(joined.filter(waits), "finished", ibis.null("string"))


def _grouped(placed: Table) -> Table:
    grouped = placed.filter(placed.group_key.notnull())
    return _row(grouped, "finished", grouped.group_key)


def _counted(relation: Table, population: str, months: Table) -> Table:
    joined = relation.join(months, "month")
    return _row(joined.mutate(period_code=joined.release_id), population, ibis.null("string"))


def _row(relation: Table, population: str, group_key: object) -> Table:
    made = relation.mutate(population_code=ibis.literal(population), group_key=group_key)
    return made.select(*COLUMNS)
