"""Is every published interval true? Values counted again from staging, beside what the database of an example says.

Staging is the source as it was read; nothing that the anonymiser made is looked at but the published rows. Truth is
counted by body, case type and period, for every value and every coarser one; cohorts by what had become of them on the
last day of the month that released them; open cases as they stood at the end of each year (`stock_truth`).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stock_truth import published_stock, true_stock
from etl.engine import open_duckdb
from etl.extract import open_staging
from etl.instance import Instance
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

TREES = {
    "outcome": "select code, parent_code from code where list_code = 'outcome'",
    "service": "select service_id, parent_id from service",
    "unit": "select unit_id, parent_id from unit",
}
Key = tuple[str, ...]
Interval = tuple[Key, int, int]  # of what, at least, at most


@dataclass(frozen=True)
class Honesty:
    """How many published intervals were looked at, how many do not hold the truth, and body-years that hide every outcome.

    silent: a year's cases of a body of which some have a recorded outcome, while neither groups nor `statutory` show one.
    """

    checked: int
    false: int
    silent: int


def check_honesty(instance: Instance, work: Path) -> Honesty:
    """Count the cases of an example again and look for the truth in each of its published intervals."""
    backend = open_duckdb(work, memory_limit="1500MB")
    staging = open_staging(backend, instance.staging)
    if staging is None:
        raise SystemExit(f"{instance.root}: nothing was staged")
    policy = instance.settings.policy
    case = staging.case.mutate(
        case_type_code=staging.case.case_type_code.substitute(dict(policy.margins.join_small))
        if policy.margins.join_small
        else staging.case.case_type_code,
        lateness_code=staging.case[f"lateness_{policy.clocks.headline}_code"],
        due_on=staging.case[f"due_{policy.clocks.headline}_on"],
    )
    with closing(sqlite3.connect(f"file:{max(instance.datasets.glob('portal-*.db'))}?mode=ro", uri=True)) as published:
        days = _days(published)
        true: Counter[Key] = Counter()
        for column in ("outcome", "lateness", "channel", "service", "unit"):
            true.update(_finished(case, column, days, _parents(published, column)))
        intervals = [*_totals(published)]
        states = [*_cohorts(published)]
        true.update(_states(case, days, {key[1:] for key, *_ in states}))
        is_working = policy.clocks.lead.kind == "working"
        true.update(true_stock(case, staging.event, published, is_working=is_working))
        told = [*intervals, *states, *published_stock(published)]
        false = sum(not low <= true[key] <= high for key, low, high in told)
        silent = _silent(published, true)
    backend.disconnect()
    return Honesty(len(told), false, silent)


def _days(published: sqlite3.Connection) -> Mapping[date, tuple[str, str, str]]:
    """Give month, season and year of the days that are released."""
    last = published.execute("select max(month_code) from release").fetchone()[0]
    rows = published.execute("select day_on, month_code, season_code, year_code from calendar_day")
    return {date.fromisoformat(day): (month, season, year) for day, month, season, year in rows if month <= last}


def _parents(published: sqlite3.Connection, column: str) -> Mapping[str, str | None]:
    return dict(published.execute(TREES[column]).fetchall()) if column in TREES else {}


def _finished(case: Table, column: str, days: Mapping[date, Key], parents: Mapping[str, str | None]) -> Iterator[Key]:
    """Name what each finished case counts in: each period that its day lies in, each value that it has."""
    name = f"{column}_id" if column in ("service", "unit") else f"{column}_code"
    grouped = case.filter(case.finished_on.notnull()).group_by("body_id", "case_type_code", "finished_on", name)
    for row in grouped.agg(cases=case.case_key.count()).to_pyarrow().to_pylist():
        for period in days.get(row["finished_on"], ()):
            value: str | None = row[name] or NOT_RECORDED
            while value is not None:
                key = (column, row["body_id"], row["case_type_code"], period, value)
                yield from (key for _ in range(row["cases"]))
                value = parents.get(value)


def _totals(published: sqlite3.Connection) -> Iterator[Interval]:
    rows = published.execute(
        "select column_code, body_id, case_type_code, coalesce(period_code, year_code), value_code, at_least, at_most"
        " from total"
    )
    for *key, low, high in rows:
        yield tuple(key), low, high


def _cohorts(published: sqlite3.Connection) -> Iterator[Interval]:
    rows = published.execute(
        """select g.release_id, g.body_id, g.case_type_code, g.period_code, c.code,
                  sum(case when g.cohort_state_code = c.code then g.case_count else 0 end),
                  sum(case when coalesce(g.cohort_state_code, c.code) = c.code then g.case_count else 0 end)
           from cohort_group g join code c on c.list_code = 'cohort_state' group by 1, 2, 3, 4, 5"""
    )
    for *key, low, high in rows:
        yield ("cohort", *key), low, high


def _states(case: Table, days: Mapping[date, Key], cohorts: set[Key]) -> Iterator[Key]:
    """Name the state of each registered case of each cohort, on the last day of the month that released it."""
    ends: dict[str, date] = {}
    for day, periods in days.items():
        ends[periods[0]] = max(day, ends.get(periods[0], day))
    releases: dict[Key, list[str]] = {}
    for release, *place in {key[:4] for key in cohorts}:
        releases.setdefault(tuple(place), []).append(release)
    columns = ("body_id", "case_type_code", "registered_on", "finished_on", "due_on", "lateness_code")
    grouped = case.filter(case.registered_on.notnull()).group_by(*columns).agg(cases=case.case_key.count())
    for row in grouped.to_pyarrow().to_pylist():
        for period in days.get(row["registered_on"], ()):
            of = (row["body_id"], row["case_type_code"], period)
            for release in releases.get(of, ()):
                key = ("cohort", release, *of, _state(row, ends[release]))
                yield from (key for _ in range(row["cases"]))


def _state(row: Mapping[str, Any], end: date) -> str:
    if row["finished_on"] is not None and row["finished_on"] <= end:
        return str(row["lateness_code"] or NOT_RECORDED)
    if row["due_on"] is None:
        return NOT_RECORDED
    return "open_late" if row["due_on"] < end else "open_in_time"


def _silent(published: sqlite3.Connection, true: Mapping[Key, int]) -> int:
    """Count body-years, over at the newest release, that have recorded outcomes and show none anywhere."""
    last = published.execute("select max(month_code) from release").fetchone()[0]
    shown = published.execute(
        """select body_id, year_code from total where column_code = 'outcome' and scope_code = 'year' and at_least > 0
           and value_code <> ? union
           select body_id, year_code from statutory where dimension_code = 'outcome' and case_count > 0 and value_code <> ?""",
        [NOT_RECORDED, NOT_RECORDED],
    )
    told = set(shown.fetchall())
    has = {
        (body, period)
        for (column, body, _, period, *value), cases in true.items()
        if column == "outcome" and cases and value != [NOT_RECORDED] and len(period) == 4 and f"{period}-12" <= last
    }
    return len(has - told)
