"""The open cases of a year's end, counted again from staging, and what the open groups of a database say of them.

Where a case stood on a day follows from its own rows: registered by then, not finished by then or reopened, its newest
milestone, its age in days of the headline clock's kind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import ibis

from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

VALUES = ("service_id", "stage_code", "age_band_code")
Key = tuple[str, ...]


def published_stock(published: sqlite3.Connection) -> Iterator[tuple[Key, int, int]]:
    """Give for each value that an open group shows, of each body, type and year's end: at least, at most so many cases."""
    for name in VALUES:
        rows = published.execute(
            f"""select g.release_id, g.body_id, g.case_type_code, v.value,
                       sum(case when g.{name} = v.value then g.case_count else 0 end),
                       sum(case when coalesce(g.{name}, v.value) = v.value then g.case_count else 0 end)
                from open_group g
                join (select distinct {name} as value from open_group where {name} is not null) v group by 1, 2, 3, 4"""
        )
        for release, body, case_type, value, low, high in rows:
            yield ("open", release, body, case_type, name, value), low, high


def true_stock(case: Table, event: Table, published: sqlite3.Connection, *, is_working: bool) -> Iterator[Key]:
    """Name each value of each case that was open at a year's end that the database speaks of.

    is_working: ages are in working days. From the database come only its trees, calendar and bands.
    """
    number = "working_day_number" if is_working else "row_number() over (order by day_on)"
    numbers = {date.fromisoformat(day): n for day, n in published.execute(f"select day_on, {number} from calendar_day")}
    parents = dict(published.execute("select service_id, parent_id from service"))
    bands = [code for (code,) in published.execute("select code from code where list_code = 'age_band'")]
    ends = published.execute(
        "select month_code, max(day_on) from calendar_day where month_code in (select release_id from open_group) group by 1"
    )
    for release, last_on in ends.fetchall():
        end = date.fromisoformat(last_on)
        for body, case_type, service, registered_on, stage, cases in _open_on(case, event, end):
            days = numbers[end] - numbers[registered_on] if registered_on in numbers else None
            for name, value in zip(VALUES, (_family(service, parents), stage, _band(days, bands)), strict=True):
                key = ("open", release, body, case_type, name, value or NOT_RECORDED)
                yield from (key for _ in range(cases))


def _open_on(case: Table, event: Table, end: date) -> list[tuple[str, str, str | None, date, str | None, int]]:
    """Count the cases that were open on a day, by body, type, service, day of registration and newest milestone."""
    is_over = (case.finished_on <= end) & (ibis.coalesce(case.status_code, "") != "reopened")
    there = case.filter((case.registered_on <= end) & ~ibis.coalesce(is_over, False))
    reached = event.filter(event.milestone_code.notnull() & (event.occurred_on <= end))
    newest = reached.group_by("case_key").agg(stage=reached.milestone_code.argmax(reached.seq))
    there = there.join(newest, "case_key", how="left")
    columns = ("body_id", "case_type_code", "service_id", "registered_on", "stage")
    counted = there.group_by(*columns).agg(cases=there.count()).to_pyarrow().to_pylist()
    return [tuple(row[name] for name in (*columns, "cases")) for row in counted]


def _family(service: str | None, parents: Mapping[str, str | None]) -> str | None:
    while service is not None and parents.get(service) is not None:
        service = parents[service]
    return service


def _band(days: int | None, bands: list[str]) -> str | None:
    for band in bands:
        low, _, high = band.partition("_")
        if days is not None and low.isdigit() and int(low) <= days and (high == "up" or days <= int(high)):
            return band
    return None
