"""What may not be staged: classified cases are dropped, broken rows are quarantined (docs/reference/source-toml.md).

Where it stands: after reading, on the working tables. Each statement below is one reason. Leaves in `case_raw` the rows
that may be staged, and makes `rejected_key`. A broken event
rejects its whole case: a timeline with a hole would be an invented one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

from etl.errors import SourceError
from etl.extract.file_bytes import empty
from etl.extract.mapping import SourceMap

_MISSING = """
insert into quarantine
select source, 'case', row_number, column_name, 'missing_value' from (
  select source, row_number, unnest(list_filter([
    case when case_key is null then 'case_ref' end,
    case when body_id is null then 'body_id' end,
    case when case_type_code is null then 'case_type_code' end,
    case when coalesce(registered_on, received_on) is null then 'registered_on' end], lambda x: x is not null)) as column_name
  from case_raw) as gap
where not exists (select 1 from quarantine q
  where q.source = gap.source and q.table_name = 'case' and q.row_number = gap.row_number)
"""
_DUPLICATE = """
insert into quarantine
select source, 'case', row_number, 'case_ref', 'duplicate_key' from case_raw
where case_key in (select case_key from case_raw where case_key is not null group by case_key having count(*) > 1)
"""
_ENDS_BEFORE_START = """
insert into quarantine
select source, 'case', row_number, case when decided_on < started_on then 'decided_on' else 'closed_on' end, 'ends_before_start'
from (select *, coalesce(registered_on, received_on) as started_on from {table}) as timed
where decided_on < started_on or closed_on < started_on
"""
_AFTER_SNAPSHOT = """
insert into quarantine
select source, 'case', row_number, null, 'after_snapshot' from case_raw join source_day using (source)
where greatest(received_on, registered_on, decided_on, closed_on) > snapshot_on
"""
_WITHOUT_DATE = """
insert into quarantine
select source, 'case', row_number, 'closed_on', 'finished_without_date' from case_raw c
where status_code in ('decided', 'closed') and decided_on is null and closed_on is null
  and not exists (select 1 from quarantine q
    where q.source = c.source and q.table_name = 'case' and q.row_number = c.row_number)
"""
_REJECT = """
create table rejected_key as select distinct case_key from case_raw where case_key is not null
and (source, row_number) in (select (source, row_number) from quarantine where table_name = 'case')
"""
_KEEP = """
delete from case_raw where (source, row_number) in (select (source, row_number) from quarantine where table_name = 'case')
"""
_EVENTS = (
    """insert into quarantine select source, 'event', position, 'case_ref', 'missing_value' from event_raw
       where case_key is null""",
    """insert into quarantine select source, 'event', position, 'activity_code', 'missing_value' from event_raw e
       where activity_code is null and not exists (select 1 from quarantine q
         where q.source = e.source and q.table_name = 'event' and q.row_number = e.position)""",
    """insert into quarantine select source, 'event', position, 'occurred_at', 'after_snapshot'
       from event_raw join source_day using (source) where occurred_on > snapshot_on""",
    """insert into quarantine select source, 'event', position, 'case_ref', 'event_without_case' from event_raw
       where case_key not in (select case_key from case_raw where case_key is not null)""",
    """insert into quarantine
       select distinct c.source, 'case', c.row_number, null, 'event_rejected'
       from quarantine q join event_raw e on e.source = q.source and e.position = q.row_number
       join case_raw c on c.case_key = e.case_key
       where q.table_name = 'event' and e.source in (select source from with_event_rows)
         and not exists (select 1 from quarantine x
           where x.source = c.source and x.table_name = 'case' and x.row_number = c.row_number)""",
)


_CELL_KEY = """
create table cell_key as
select distinct q.source, q.table_name, q.row_number, c.case_key
from quarantine q join case_raw c on c.source = q.source and c.row_number = q.row_number where q.table_name = 'case'
union all
select distinct q.source, q.table_name, q.row_number, e.case_key
from quarantine q join event_raw e on e.source = q.source and e.position = q.row_number where q.table_name = 'event'
"""

MANY = 100  # cases; so many without one normal case or event row are a fault of the mapping


@dataclass(frozen=True)
class SourceCount:
    """What became of the case rows of one source; `classified` cases are not among those read."""

    read: int
    quarantined: int
    classified: int


@dataclass(frozen=True)
class EventCount:
    """What became of the event rows of one source, classified cases left out."""

    read: int
    quarantined: int


def screen(
    con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap], *, snapshots: Mapping[str, datetime]
) -> tuple[dict[str, SourceCount], dict[str, EventCount]]:
    """Drop classified cases, move broken rows to quarantine; give what became of case rows and event rows.

    Makes `cell_key` (source, table_name, row_number, case_key): whose row a broken cell stands in.
    """
    days = [(source.name, snapshots[source.name].astimezone(ZoneInfo(source.zone)).date()) for source in sources]
    con.execute("create temp table source_day (source varchar, snapshot_on date)")
    con.executemany("insert into source_day values (?, ?)", days)
    con.execute("create temp table with_event_rows (source varchar)")
    con.executemany("insert into with_event_rows values (?)", [[s.name] for s in sources if s.event] or [[None]])
    classified = _drop_classified(con)
    for statement in (
        _MISSING,
        _DUPLICATE,
        _ENDS_BEFORE_START.format(table="case_raw"),
        _AFTER_SNAPSHOT,
        _WITHOUT_DATE,
    ):
        con.execute(statement)
    for statement in _EVENTS:
        con.execute(statement)
    counts, events = _count(con, classified, sources), _count_events(con, sources)
    con.execute(_CELL_KEY)
    con.execute(_REJECT)
    con.execute(_KEEP)
    return counts, events


def check_limits(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[SourceMap],
    counts: Mapping[str, SourceCount],
    *,
    events: Mapping[str, EventCount],
    may_be_empty: bool,
) -> None:
    """Stop where a source gives nothing that can be used, or breaks its mapping too often (exit 21).

    may_be_empty: the sources may have lost all that they gave before.
    """
    check_presence(counts, sources, events, may_be_empty=may_be_empty)
    for source in sources:
        check_share(con, counts[source.name], source)
        if source.event:
            check_events(con, events[source.name], source)


def reject_merged(con: duckdb.DuckDBPyConnection) -> int:
    """Quarantine joined cases whose dates do not fit together; says how many."""
    found = "is_linked and least(decided_on, closed_on) < coalesce(registered_on, received_on)"
    con.execute(f"create table misfit as select source, row_number, case_key from case_one where {found}")
    misfits = scalar(con, "select count(*) from misfit")
    if misfits:
        con.execute(_ENDS_BEFORE_START.format(table="case_one where is_linked"))
        con.execute("insert into rejected_key select case_key from misfit")
        con.execute(f"delete from case_one where {found}")
    return misfits


def check_presence(
    counts: Mapping[str, SourceCount],
    sources: Sequence[SourceMap],
    events: Mapping[str, EventCount],
    *,
    may_be_empty: bool,
) -> None:
    """Stop where a run gives no case at all, or a source of MANY cases none of the normal class or no event row."""
    nothing = not any(count.read for count in counts.values())
    for source in sources:
        count = counts[source.name]
        if not count.read and count.classified >= (1 if nothing else MANY):
            raise SourceError(
                "source-all-classified",
                found=f"cases in source {source.name!r}, but none of the normal class",
                expected="classes that [secrecy] maps to normal; what it does not map is secret",
                todo="Look at [secrecy]: its column, the spelling and the encoding of its values. Nothing was written.",
            )
        if source.event and count.read >= MANY and not events[source.name].read:
            raise empty(source, "event row")
    if nothing and not may_be_empty:
        raise empty(sources[0], "case row")


def check_share(con: duckdb.DuckDBPyConnection, count: SourceCount, source: SourceMap) -> None:
    """Stop where more than `limits.quarantine_share` of the cases of a source are quarantined (exit 21)."""
    if count.quarantined > count.read * source.limits.quarantine_share:
        raise _too_many(con, source, f"{count.quarantined:,} of {count.read:,} cases")


def check_events(con: duckdb.DuckDBPyConnection, count: EventCount, source: SourceMap) -> None:
    """Stop where more than `limits.quarantine_share` of MANY event rows are quarantined (exit 21)."""
    if count.read >= MANY and count.quarantined > count.read * source.limits.quarantine_share:
        raise _too_many(con, source, f"{count.quarantined:,} of {count.read:,} event rows")


def _too_many(con: duckdb.DuckDBPyConnection, source: SourceMap, share: str) -> SourceError:
    """Make the error that counts the reasons, the most frequent first: columns, reasons and first rows, never values."""
    reasons = con.execute(
        """select count(*), reason, column_name, min(row_number), arg_min(row_in_file, row_number), arg_min(file, row_number)
           from broken_place where source = ? and reason <> 'event_rejected' group by all order by all desc limit 6""",
        [source.name],
    ).fetchall()
    words = "; ".join(
        f"{count:,} {reason}{f' in {column}' if column else ''} (first in row {row:,}{f' of {file}' if file else ''})"
        for count, reason, column, _, row, file in reasons
    )
    todo = "Correct the mapping (a new code needs a place in its map) or the source, or raise limits.quarantine_share."
    if reasons and reasons[0][1] == "event_without_case":
        todo = "What case.sql leaves out (deleted cases), event.sql must leave out too: join it there to the same condition."
    return SourceError(
        "quarantine-share",
        found=f"{share} of source {source.name!r} that break its mapping: {words}",
        expected=f"at most {source.limits.quarantine_share:.1%}; nothing was written",
        todo=todo,
    )


def scalar(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> int:
    """Run a query that counts something."""
    row = con.execute(query, list(values)).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _drop_classified(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    con.execute("create temp table secret_row as select source, row_number, case_key from case_raw where is_secret")
    con.execute("create temp table secret_key as select distinct case_key from secret_row where case_key is not null")
    counted = con.execute(
        "select source, count(distinct coalesce(case_key::varchar, row_number::varchar)) from secret_row group by source"
    ).fetchall()
    con.execute(
        """delete from quarantine where table_name = 'case' and (source, row_number) in (select (c.source, c.row_number)
             from case_raw c where is_secret or case_key in (select case_key from secret_key))"""
    )
    con.execute(
        """delete from quarantine where table_name = 'event' and (source, row_number) in (select (e.source, e.position)
             from event_raw e where case_key in (select case_key from secret_key))"""
    )
    con.execute("delete from event_raw where is_secret or case_key in (select case_key from secret_key)")
    con.execute("delete from case_raw where is_secret or case_key in (select case_key from secret_key)")
    return dict(counted)


def _count(
    con: duckdb.DuckDBPyConnection, classified: Mapping[str, int], sources: Sequence[SourceMap]
) -> dict[str, SourceCount]:
    read = dict(con.execute("select source, count(*) from case_raw group by source").fetchall())
    bad = dict(
        con.execute(
            """select source, count(distinct row_number) from quarantine where table_name = 'case' group by source"""
        ).fetchall()
    )
    return {s.name: SourceCount(read.get(s.name, 0), bad.get(s.name, 0), classified.get(s.name, 0)) for s in sources}


def _count_events(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap]) -> dict[str, EventCount]:
    read = dict(con.execute("select source, count(*) from event_raw group by source").fetchall())
    bad = dict(
        con.execute(
            """select source, count(distinct row_number) from quarantine where table_name = 'event' group by source"""
        ).fetchall()
    )
    return {s.name: EventCount(read.get(s.name, 0), bad.get(s.name, 0)) for s in sources}
