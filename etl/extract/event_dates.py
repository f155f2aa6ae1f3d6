"""Dates of a case that only its events tell: `registered_on = { event = "first", milestone = "registered" }`.

Where it stands: after reading, when activities have their codes, before anything is screened. First and last are in
time; events without a time give no date. A case without such an event has no date there.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from etl.extract.mapping import ColumnMap, SourceMap
from etl.extract.timeline import milestone_rule

_TAKEN = {"first": "min", "last": "max"}


def date_cases(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap]) -> None:
    """Fill the dates of `case_raw` that a mapping takes from events of the case."""
    for source in sources:
        wanted = {name: how for name, how in source.case.items() if how.event}
        if wanted:
            _name_milestones(con, source)
        for name, how in wanted.items():
            _date(con, source.name, name, how=how)


def _name_milestones(con: duckdb.DuckDBPyConnection, source: SourceMap) -> None:
    """Fill the milestone of every event of a source whose activity has one by rule."""
    rule = milestone_rule(source.milestone)
    seen = con.execute("select distinct activity_code from event_raw where source = ?", [source.name]).fetchall()
    named = [(activity, rule(activity)) for (activity,) in seen if activity and rule(activity)]
    con.execute("create or replace temp table dated_milestone (activity_code varchar, milestone_code varchar)")
    if named:
        con.executemany("insert into dated_milestone values (?, ?)", named)


def _date(con: duckdb.DuckDBPyConnection, source: str, column: str, *, how: ColumnMap) -> None:
    taken = _TAKEN[how.event]
    fits = "true" if not how.milestone else "coalesce(e.milestone_code, m.milestone_code) = $milestone"
    values = {"source": source} | ({"milestone": how.milestone} if how.milestone else {})
    columns = {"received_at": "received_at = found.at, received_on = found.day"}.get(column, f"{column} = found.day")
    con.execute(
        f"""update case_raw set {columns} from (
              select case_key, {taken}(occurred_at) as at, {taken}(occurred_on) as day
              from event_raw e left join dated_milestone m using (activity_code)
              where e.source = $source and {fits} group by case_key) as found
            where case_raw.source = $source and case_raw.case_key = found.case_key""",
        values,
    )
