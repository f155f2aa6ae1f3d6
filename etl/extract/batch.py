"""One batch in var/staging: what changed since the last one, written by month of finishing, then its manifest.

Where it stands: last step of extraction. Unchanged content is not written again; a case gone from a source that was read
whole is written once more with `is_deleted`. Data files come first, each fsynced; the manifest makes them count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import SourceError
from etl.extract.manifest import DataFile, Manifest, clear_unnamed, describe_file, live_files
from etl.extract.screen import scalar
from etl.extract.vocabulary import Label
from etl.instance.durable import make_folder_durable, replace_durable, sync_file, sync_folder
from etl.model.progress import Progress
from etl.model.staging import CASE, CASE_EXEMPTION, EVENT

_KNOWN = """
create table known as
select case_key::uuid as case_key, arg_max(content_hash, batch_id) as content_hash, arg_max(is_deleted, batch_id) as is_deleted,
  min(first_seen_batch) as first_seen_batch, max(batch_id) as batch_id
from read_parquet(?) {part} group by case_key
"""
_AFFECTED = "where case_key in (select replace(case_key::varchar, '-', '') from affected)"
_NOTHING_KNOWN = """create table known
  (case_key uuid, content_hash varchar, is_deleted boolean, first_seen_batch integer, batch_id integer)"""
_CHANGED = """
create table changed as
select h.case_key, h.content_hash, coalesce(k.first_seen_batch, ?)::int as first_seen_batch
from case_hash h left join known k using (case_key)
where k.case_key is null or k.is_deleted or k.content_hash <> h.content_hash
"""
_ORDER = {"case": "month, case_key", "event": "place, seq", "case_exemption": "month, case_key, exemption_code"}
_GONE = """
create table gone as
select k.case_key, k.batch_id, k.first_seen_batch from known k
where not k.is_deleted and k.case_key not in (select case_key from case_hash)
  and k.case_key not in (select case_key from rejected_key)
"""


def compare(
    con: duckdb.DuckDBPyConnection,
    staging: Path,
    manifests: tuple[Manifest, ...],
    *,
    batch_id: int,
    is_window: bool,
) -> None:
    """Make `known`, `changed` and `gone` by comparing `case_hash` with the newest version of every staged case.

    is_window: of every `affected` one; the others are what they were.
    """
    files = live_files(manifests, staging, "case")
    con.execute(_KNOWN.format(part=_AFFECTED if is_window else ""), [files]) if files else con.execute(_NOTHING_KNOWN)
    con.execute(_CHANGED, [batch_id])
    con.execute(_GONE)


def write_data(
    con: duckdb.DuckDBPyConnection,
    staging: Path,
    *,
    batch_id: int,
    manifests: tuple[Manifest, ...],
    progress: Progress,
) -> tuple[DataFile, ...]:
    """Write changed and gone cases with their events and exemptions, one file a table and month; fsynced."""
    clear_unnamed(staging, manifests)
    _prepare(con, staging, batch_id=batch_id, manifests=manifests)
    files: list[DataFile] = []
    for table, schema in (("case", CASE), ("event", EVENT), ("case_exemption", CASE_EXEMPTION)):
        for month, rows in _by_month(con, table, schema):
            files.append(_write(staging, rows, table=table, month=month, batch_id=batch_id))
            progress.step(f"stage {table}s", len(files))
    return tuple(files)


def _by_month(con: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema) -> Iterator[tuple[str, pa.Table]]:
    """Stream the rows of a table sorted by partition, one Arrow table a month."""
    query = f"select month, {', '.join(schema.names)} from out_{table} order by {_ORDER[table]}"
    month = ""
    held: list[pa.RecordBatch] = []
    for batch in con.execute(query).to_arrow_reader(50_000):
        first = 0
        for run in batch.column(0).value_counts().to_pylist():  # in the order of rows, which are sorted by month
            if run["values"] != month and held:
                yield month, _shaped(held, schema)
                held = []
            month = run["values"]
            held.append(batch.slice(first, run["counts"]))
            first += run["counts"]
    if held:
        yield month, _shaped(held, schema)


def _shaped(held: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(held).drop_columns(["month"]).cast(schema)


def write_labels(staging: Path, labels: Iterable[Label], *, batch_id: int, before: DataFile | None) -> DataFile | None:
    """Write all public names so far as JSON, unless the earlier file says the same; None where there are none."""
    rows = [asdict(label) for label in labels]
    if not rows:
        return before
    content = json.dumps(rows, ensure_ascii=False, indent=0).encode()
    path = staging / "labels" / f"{batch_id:06}.json"
    if before is not None and (staging / before.path).read_bytes() == content:
        return before
    make_folder_durable(path.parent, mode=0o700)
    replace_durable(path, content, mode=0o600)
    return describe_file(staging, path, table="labels", partition="", rows=len(rows))


def write_quarantine(con: duckdb.DuckDBPyConnection, folder: Path, batch_id: int) -> None:
    """Write source, table, file (of several), row number, column and reason of every broken cell; never a value."""
    rows = con.execute(
        "select distinct source, table_name, file, row_in_file as row_number, column_name, reason from broken_place order by all"
    ).to_arrow_table()
    path = folder / f"{batch_id:06}.parquet"
    path.unlink(missing_ok=True)  # of a run that died
    if rows.num_rows:
        pq.write_table(rows, path, compression="zstd")
        sync_file(path)
        sync_folder(folder)


def check_conservation(
    con: duckdb.DuckDBPyConnection, *, read: int, staged: int, unchanged: int, quarantined: int
) -> None:
    """Check read = staged + unchanged + quarantined, in cases; SourceError where a case got lost or doubled."""
    if read != staged + unchanged + quarantined:
        raise SourceError(
            "conservation",
            found=f"{read:,} cases read, but {staged:,} staged + {unchanged:,} unchanged + {quarantined:,} quarantined",
            expected="equal sums; nothing was written",
            todo="This is a fault of the program: report it with these four numbers.",
        )
    doubled = scalar(con, "select count(*) - count(distinct case_key) from case_new")
    if doubled:
        raise SourceError(
            "conservation",
            found=f"{doubled:,} cases twice in one batch",
            expected="one row a case; nothing was written",
            todo="This is a fault of the program: report it with this number.",
        )


def _prepare(con: duckdb.DuckDBPyConnection, staging: Path, *, batch_id: int, manifests: tuple[Manifest, ...]) -> None:
    """Name the rows to write with their partition, keys as text: out_case, out_event, out_case_exemption.

    The text of a key, and the place of a case among all, are made once a case, not once an event.
    """
    key, parent = (f"replace({name}::varchar, '-', '')" for name in ("case_key", "parent_case_key"))
    changed = f"""select n.* replace ({key} as case_key, {parent} as parent_case_key), {batch_id}::int as batch_id,
        content_hash, false as is_deleted, first_seen_batch
      from changed join case_new n using (case_key)"""
    con.execute(f"create view out_case as {changed}")
    con.execute(
        f"""create view out_event as
            select c.month, c.place, c.key_text as case_key, {batch_id}::int as batch_id, e.* exclude (case_key)
            from event_seq e join (
              select case_key, month, {key} as key_text, row_number() over (order by month, case_key) as place
              from changed join case_new using (case_key)) c using (case_key)"""
    )
    con.execute(
        f"""create view out_case_exemption as select {key} as case_key, {batch_id}::int as batch_id, month,
              unnest(string_split(exemption_code, '|')) as exemption_code
            from changed join case_new using (case_key) where exemption_code is not null"""
    )
    if scalar(con, "select count(*) from gone"):
        con.execute(
            """create temp table gone_case as
               select p.* exclude (batch_id, is_deleted, first_seen_batch), ?::int as batch_id, true as is_deleted,
                 g.first_seen_batch, 'open' as month, null::varchar as exemption_code
               from read_parquet(?) p join gone g on g.case_key = p.case_key::uuid and g.batch_id = p.batch_id""",
            [batch_id, live_files(manifests, staging, "case")],
        )
        con.execute(f"create or replace view out_case as {changed} union all by name select * from gone_case")


def _write(staging: Path, rows: pa.Table, *, table: str, month: str, batch_id: int) -> DataFile:
    path = staging / table / month / f"{batch_id:06}.parquet"
    make_folder_durable(path.parent, mode=0o700)
    pq.write_table(rows, path, compression="zstd", coerce_timestamps="us", row_group_size=200_000)
    sync_folder(path.parent)
    return describe_file(staging, path, table=table, partition=month, rows=rows.num_rows)
