"""The open cases at the end of a year by service family, stage and age: peeled, once a year (DESIGN §4, table).

Monthly stocks by attribute would give single cases away by subtraction (FINDINGS: 245 of 460 pairs of months), so the
month's margin says how many are open and overdue, and only the year's end says which. A case is open as the margin
counts it: registered by then, without a first decision or reopened. Its stage is the newest dated milestone up to that
day; its age runs from registration in days of the headline clock's kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.cases import month_index
from etl.anonymise.columns import banded_days
from etl.anonymise.held import fetch, hold, hold_rows
from etl.anonymise.population import FLOOR_KEYS, Peeled, Population, peel_population, with_services
from etl.anonymise.traces import numbered_days
from etl.calendars import Period, period_of
from etl.metadata import Policy
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

NAME = "open_group"
COLUMNS = {"service": "service_id", "stage": "stage_code", "age": "age_band_code"}
GROUP = pa.schema(
    [
        *((name, pa.string()) for name in FLOOR_KEYS),
        *(("rung_number", pa.int64()), ("is_floor", pa.bool_())),
        *((name, pa.string()) for name in COLUMNS.values()),
        ("case_count", pa.int64()),
    ]
)


def open_groups(
    case: Table,
    event: Table,
    calendar: Table,
    *,
    policy: Policy,
    due: Sequence[Period],
    margins: Sequence[Mapping[str, Any]],
    reopened: Table,
    withdrawn: Table | None,
) -> list[Peeled]:
    """Peel the open cases at the end of every year that ends with a due month, year by year.

    case: staged cases; reopened, withdrawn: those that count as such in this run; margins: rows of the due months.
    """
    system = policy.calendar.system
    ends = [month for month in due if month.last_on == period_of(system, "year", month.last_on).last_on]
    population = Population(NAME, COLUMNS, policy.stock.ladder)
    made: list[Peeled] = []
    stock = _with_flags(case, reopened, withdrawn) if ends else case
    for month in ends:
        year = period_of(system, "year", month.last_on).code
        there = stock.filter(_is_open(stock, month_index(system, month)))
        there = hold(there.mutate(release_id=ibis.literal(month.code), period_code=ibis.literal(year)), "open")
        valued = hold(_values(there, event, calendar, policy=policy, month=month), "open")
        totals: dict[tuple[str, ...], int] = {
            (month.code, row["body_id"], row["case_type_code"], year): row["open_count"]
            for row in margins
            if row["month_code"] == month.code
        }
        made.append(Peeled(population, valued, peel_population(valued, population, k=policy.k), totals))
    return made


def open_table(engine: Any, peeled: Sequence[Peeled]) -> Table:
    """Write open groups out: the columns of `open_group`."""
    rows = [{name: row[name] for name in GROUP.names} for year in peeled for row in year.rows()]
    return hold_rows(engine, NAME, rows, GROUP)


def _with_flags(case: Table, reopened: Table, withdrawn: Table | None) -> Table:
    """Add reopened_in (month, NULL: not in this run) and is_gone."""
    again = reopened.select(again_number="case_number", reopened_in="month")
    case = case.join(again, case.case_number == again.again_number, how="left").drop("again_number")
    if withdrawn is None:
        return case.mutate(is_gone=case.was_withdrawn == 1)
    gone = withdrawn.select(gone_key="case_key").distinct()
    joined = case.join(gone, case.case_key == gone.gone_key, how="left")
    return joined.mutate(is_gone=(joined.was_withdrawn == 1) | joined.gone_key.notnull()).drop("gone_key")


def _is_open(case: Table, month: int) -> Any:
    """Say whether a case is open at the end of a month, as its margin counts it."""
    later = month + 1
    is_registered = (case.was_registered == 1) | (ibis.coalesce(case.counted_registered, later) <= month)
    is_finished = (case.was_finished == 1) | (ibis.coalesce(case.counted_finished, later) <= month)
    is_reopened = (case.was_reopened == 1) | (ibis.coalesce(case.reopened_in, later) <= month)
    return is_registered & ~case.is_gone & (~is_finished | is_reopened)


def _values(case: Table, event: Table, calendar: Table, *, policy: Policy, month: Period) -> Table:
    made = case.join(_stages(case, event, month), "case_number", how="left", rname="stage_{name}")
    days = numbered_days(calendar, policy)
    [last] = fetch(days.filter(days.day_on == ibis.literal(month.last_on)))
    made = made.join(days, made.registered_on == days.day_on, how="left").drop("day_on")
    made = made.mutate(
        stage_at_code=ibis.coalesce(made.milestone_code, NOT_RECORDED),
        age_at_band=banded_days(last["day_number"] - made.day_number, (0, *policy.bands.age)),
    )
    made = with_services(made, policy)
    values = [name for names in Population(NAME, COLUMNS, policy.stock.ladder).values().values() for name in names]
    return made.select("case_number", "requester_key", *FLOOR_KEYS, *values)


def _stages(case: Table, event: Table, month: Period) -> Table:
    """Give the newest milestone of each case up to the end of the month: case_number, milestone_code."""
    keys = case.select("case_key", "case_number")
    dated = event.filter(event.milestone_code.notnull() & (event.occurred_on <= ibis.literal(month.last_on)))
    dated = dated.select("case_key", "seq", "milestone_code").join(keys, "case_key")
    dated = hold(dated, "open_milestone")
    newest = dated.group_by("case_number").agg(seq=dated.seq.max())
    return dated.join(newest, ["case_number", "seq"]).select("case_number", "milestone_code")
