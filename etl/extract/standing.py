"""What became of every key of every source, so that the totals of a run over changes are those of a whole one.

Where it stands: around the pipeline of a run that keeps its rows. `note_nodes` before anything is dropped, `make_state` after
the hash of content; `use_standing` joins what was not affected, and the counts below are sums over all keys. Each count
has a twin that a whole run takes from its working tables; a test holds that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from etl.extract.kept import ROW_BITS, kept_folder
from etl.extract.link import Joined, count_letters
from etl.extract.manifest import DataFile, Manifest, describe_file
from etl.extract.report import Indicator, Linkage
from etl.extract.screen import EventCount, SourceCount, scalar
from etl.extract.timeline import by_parts, key_ranges

_NODE = """
{make} node {as}
with case_node as (
  select source, case_key, max(role) as role, count(*) as case_rows,
    list_distinct(flatten(list(link_keys))) as link_keys, min(parent_case_key) filter (role = 'automation') as parent
  from case_raw where case_key is not null and {part} group by source, case_key),
event_node as (
  select source, case_key, count(*) as event_rows from event_raw
  where case_key is not null and {part} group by source, case_key)
select source, case_key, role, coalesce(case_rows, 0)::int as case_rows, coalesce(event_rows, 0)::int as event_rows,
  list_transform(link_keys, lambda text: ('0x' || substr(text, 1, 16))::ubigint) as links, parent
from case_node full join event_node using (source, case_key)
"""
_STATE = """
create table state_new as
with bad as (
  select case_key, count(*) filter (table_name = 'case') as cases, count(*) filter (table_name = 'event') as events
  from cell_key group by case_key),
waiting as (
  select distinct case_key from quarantine join cell_key using (source, table_name, row_number) where reason = 'after_snapshot'),
derived as (select case_key, count(*) as events from event_seq where is_derived group by case_key)
select n.source, n.case_key, {batch}::int as batch_id, coalesce({read_batch}, {batch})::int as read_batch, false as is_gone,
  n.case_rows, n.event_rows, case when s.case_key is null then n.links end as links, n.parent,
  s.case_key is not null and n.case_rows > 0 as is_secret, s.case_key is null as is_open,
  coalesce(b.cases, 0)::int as bad_cases, coalesce(b.events, 0)::int as bad_events, w.case_key is not null as is_waiting,
  r.role is not distinct from 'desk' as is_request, l.case_key is not null as is_letter, p.case_key is not null as is_matched,
  k.case_key as joined_to, m.case_key is not null as is_misfit, c.case_key is not null as is_case,
  c.is_desk, c.is_linked, c.registration_days, c.promised_on is not null as has_promise, c.is_notified_each,
  coalesce(d.events, 0)::int as derived_events
from node n
left join secret_key s on s.case_key = n.case_key
left join bad b on b.case_key = n.case_key
left join waiting w on w.case_key = n.case_key
left join (select case_key, any_value(role) as role from case_raw group by case_key) r on r.case_key = n.case_key
left join (select distinct case_key from reference where role = 'automation') l on l.case_key = n.case_key
left join (select distinct letter_key as case_key from pair) p on p.case_key = n.case_key
left join key_of k on k.row_key = n.case_key
left join misfit m on m.case_key = n.case_key
left join case_new c on c.case_key = n.case_key
left join derived d on d.case_key = n.case_key
{borrowed}
"""
_BROKEN = f"""
create table broken_new as
select q.source, k.case_key, {{batch}}::int as batch_id, q.table_name, q.row_number & {(1 << ROW_BITS) - 1} as row_number,
  q.column_name, q.reason
from quarantine q left join cell_key k using (source, table_name, row_number)
"""
_TOTALS = """
select source, coalesce(sum(case_rows) filter (is_open), 0), sum(bad_cases), count(*) filter (is_secret),
  coalesce(sum(event_rows) filter (is_open), 0), sum(bad_events), count(joined_to), count(*) filter (is_matched),
  count(*) filter (is_request), count(*) filter (is_letter), count(*) filter (is_misfit), sum(derived_events)
from standing group by source
"""


@dataclass(frozen=True)
class Totals:
    """What a run counts over all sources, before it is compared with what is staged."""

    counts: Mapping[str, SourceCount]
    joined: Joined
    misfits: int
    derived: int
    linkage: Linkage


def linkage_of(con: duckdb.DuckDBPyConnection, joined: Joined, *, rows: str, promised: str) -> Linkage:
    """Count the indicators of the join over the desk's cases of some rows."""
    row = con.execute(
        f"""select count(*), count(*) filter (is_linked), count(registration_days),
             quantile_disc(registration_days, 0.5), count(*) filter ({promised}), count(*) filter (is_notified_each)
           from {rows} is_desk"""
    ).fetchone() or (0, 0, 0, None, 0, 0)
    desk, linked, registered, days, promises, notified = row
    return Linkage(
        joined,
        i1=Indicator(linked, desk),
        i2=Indicator(registered, linked, days),
        i3=Indicator(promises, desk),
        i4=Indicator(notified, desk),
    )


def note_nodes(con: duckdb.DuckDBPyConnection) -> None:
    """Make `node`: every key of the rows just loaded, with its rows and references, before anything is dropped."""
    rows = scalar(con, "select (select count(*) from case_raw) + (select count(*) from event_raw)")
    by_parts(con, _NODE, key_ranges(rows))  # lists cannot spill


def make_state(con: duckdb.DuckDBPyConnection, *, batch_id: int, is_window: bool) -> None:
    """Make `state_new` and `broken_new`: what became of every key of this run, and its broken cells."""
    borrowed = "left join borrowed x on x.case_key = n.case_key" if is_window else ""
    con.execute(_STATE.format(batch=batch_id, borrowed=borrowed, read_batch="x.read_batch" if is_window else "null"))
    con.execute("insert into cell_key select source, 'case', row_number, case_key from misfit")
    con.execute(_BROKEN.format(batch=batch_id))
    if is_window:
        con.execute(
            """insert into state_new by name
               select k.* replace (?::int as batch_id, true as is_gone, 0 as case_rows, 0 as event_rows, null as links,
                 null as parent, false as is_secret, false as is_open, 0 as bad_cases, 0 as bad_events, false as is_waiting,
                 false as is_request, false as is_letter, false as is_matched, null as joined_to, false as is_misfit,
                 false as is_case, 0 as derived_events)
               from kept k join gone_key using (case_key)""",
            [batch_id],
        )


def use_standing(con: duckdb.DuckDBPyConnection, staging: Path, manifest: Manifest) -> None:
    """Make `standing`: the state of every key after this run; complete `quarantine` with cells of keys not affected."""
    con.execute(
        """create view standing as select * from state_new
           union all by name select * from kept where case_key not in (select case_key from affected)"""
    )
    con.execute("delete from quarantine")
    con.execute(
        "insert into quarantine by name select source, table_name, row_number, column_name, reason from broken_new"
    )
    files = [str(staging / file.path) for file in manifest.kept if file.table == "broken" and file.rows]
    if files:
        con.execute(
            """insert into quarantine by name select b.source, table_name, row_number, column_name, reason
               from read_parquet(?) b join kept k on k.case_key = b.case_key and k.batch_id = b.batch_id
               where b.case_key not in (select case_key from affected)""",
            [files],
        )


def count_standing(con: duckdb.DuckDBPyConnection, sources: Sequence[str]) -> tuple[Totals, dict[str, EventCount]]:
    """Count over all keys what a whole run counts in its working tables, and the event rows of each source."""
    rows = con.execute(_TOTALS).fetchall()
    joined, matched, desk, letters, misfits, derived = (int(sum(row[place] for row in rows)) for place in range(6, 12))
    followed = scalar(con, "select count(distinct joined_to) from standing")
    met = count_letters(desk=desk, followed=followed, joined=joined, matched=matched, letters=letters)
    counts = {source: SourceCount(read, bad, classified) for source, read, bad, classified, *_ in rows}
    return Totals(
        counts={source: counts[source] for source in sources},
        joined=met,
        misfits=misfits,
        derived=derived,
        linkage=linkage_of(con, met, rows="standing where is_case and", promised="has_promise"),
    ), {source: EventCount(events, bad) for source, _, _, _, events, bad, *_ in rows}


def write_state(con: duckdb.DuckDBPyConnection, staging: Path, *, batch_id: int) -> list[Path]:
    """Write the state of the keys of this run and their broken cells; equal rows give equal bytes."""
    folder = kept_folder(staging, batch_id)
    paths = []
    con.execute("set preserve_insertion_order = true")
    for name, order in (("state", "source, case_key"), ("broken", "all")):
        paths.append(folder / f"{name}.parquet")
        place = str(paths[-1]).replace("'", "''")
        paths[-1].unlink(missing_ok=True)
        con.execute(f"copy (select * from {name}_new order by {order}) to '{place}' (format parquet, compression lz4)")
    con.execute("set preserve_insertion_order = false")
    return paths


def describe_kept(
    con: duckdb.DuckDBPyConnection, staging: Path, paths: list[Path], *, batch_id: int
) -> tuple[DataFile, ...]:
    """Describe the kept files of a batch for its manifest."""
    files = []
    for path in paths:
        table = path.stem if path.stem in ("state", "broken") else "raw"
        rows = scalar(con, "select coalesce(sum(num_rows), 0) from parquet_file_metadata(?)", [str(path)])
        files.append(describe_file(staging, path, table=table, partition=str(batch_id), rows=rows))
    return tuple(files)
