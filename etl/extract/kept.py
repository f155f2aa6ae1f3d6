"""Rows that earlier runs read, kept to complete a run that reads only what changed (decision 0018).

Where it stands: beside the working tables. Under `var/staging/kept/<batch>` lie the typed rows of a run as it read them
(`raw`), what became of every key (`state`, table `kept`: the newest version of each) and its broken cells (`broken`). They
hold what staging may hold and no more: keyed hashes, codes, dates. Only files that the newest manifest names exist.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa

from etl.extract.changes import Gone, Window, unpack_marks
from etl.extract.convert import KEY
from etl.extract.keys import Hasher
from etl.extract.manifest import Manifest
from etl.extract.mapping import SourceMap
from etl.instance import Instance
from etl.instance.durable import make_folder_durable, rename_durable

MOST_STEPS = 100  # runs after a whole one; then it is time for another, for the sake of the number of files
WHOLE_AT, NAMELESS = "whole_second", "nameless"  # of a source in the manifest
ROW_BITS = 36  # row numbers of kept rows stand above this bit with their batch, so that they are those of no other run
_FORM = 1  # of the files; another one makes the next run whole
# a view: the states of the whole run stay in their file, and each question reads the columns that it asks for
_NEWER = "create table newer as select * from read_parquet(?) {newest}"
_NEWEST = "qualify row_number() over (partition by case_key order by batch_id desc) = 1"
_KEPT = """
create view kept as
select * from newer where not is_gone
union all by name
select * from read_parquet('{first}') as old where case_key not in (select case_key from newer)
"""
_KNOWN = """
copy (select case_key, case_rows, event_rows from kept where source = ?) to '{path}' (format parquet, compression lz4)
"""
_LINK = "('0x' || substr({text}, 1, 16))::ubigint"  # enough of a reference to tell partners; a clash takes in one more
_PARENT = _LINK.format(text="replace({key}::varchar, '-', '')")
_EDGE = f"""
create table edge as
with parent as (
  select case_key, parent from kept where parent is not null
  union select case_key, parent_case_key from case_raw where role = 'automation' and parent_case_key is not null)
select case_key, unnest(links) as link from kept where links is not null
union all select case_key, {_LINK.format(text="link_key")} from (select case_key, unnest(link_keys) as link_key from case_raw)
union all select case_key, {_PARENT.format(key="parent")} from parent
union all select distinct parent, {_PARENT.format(key="parent")} from parent
"""
_SPREAD = """
insert into affected select distinct case_key from edge
where link in (select link from edge where case_key in (select case_key from affected))
  and case_key not in (select case_key from affected)
"""

# by their places in the file: it is read whole for its keys alone, and for the rest only where they stand
_WANTED = """
create or replace temp table wanted as select file_row_number as place from read_parquet(?, file_row_number = true)
where case_key in (select case_key from borrowed where read_batch = ?)
"""


def fingerprint(instance: Instance, sources: Sequence[SourceMap], secret: bytes) -> str:
    """Hash all that decides what a row becomes: mappings, queries, policy, program; another one makes a run whole."""
    parts = [str(_FORM), version("shafaf"), version("holidays"), repr(instance.settings.policy)]
    for source in sources:
        files = sorted(path for path in source.folder.iterdir() if path.suffix in (".toml", ".sql"))
        parts += [source.name, *(path.read_bytes().hex() for path in files)]
        parts += [os.environ.get(source.url.removeprefix("env:"), "") if source.url.startswith("env:") else ""]
    return Hasher(secret, "").case_key(sha256("\x1f".join(parts).encode()).hexdigest()).hex()


def open_kept(
    con: duckdb.DuckDBPyConnection,
    staging: Path,
    manifest: Manifest | None,
    *,
    sources: Sequence[SourceMap],
    reading: str,
) -> bool:
    """Make `kept`, the newest version of every key, if the newest run left all that a run over changes needs."""
    if manifest is None or manifest.reading != reading or not all(_is_ready(manifest, source) for source in sources):
        return False
    if not all((staging / f.path).is_file() and (staging / f.path).stat().st_size == f.bytes for f in manifest.kept):
        return False
    states = [str(staging / file.path) for file in manifest.kept if file.table == "state"]
    if not 1 <= len(states) <= MOST_STEPS:
        return False
    first, *newer = states
    con.execute(_NEWER.format(newest=_NEWEST if newer else "limit 0"), [newer or [first]])
    con.execute(_KEPT.format(first=first.replace("'", "''")))
    return True


def make_windows(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, sources: Iterable[SourceMap], *, folder: Path
) -> dict[str, Window]:
    """Give for each source from where on it is to be read, with its known rows as a file of `folder`."""
    windows = {}
    for source in sources:
        path = folder / f"{source.name}.known.parquet"
        con.execute(_KNOWN.format(path=str(path).replace("'", "''")), [source.name])
        whole_at = datetime.fromtimestamp(manifest.sources[source.name][WHOLE_AT], UTC)
        windows[source.name] = Window(unpack_marks(manifest.marks[source.name]), whole_at, path)
    return windows


def take_affected(con: duckdb.DuckDBPyConnection, staging: Path, manifest: Manifest, *, gone: Iterable[Gone]) -> None:
    """Make `affected`: every key whose case may have changed; complete the working tables with their kept rows.

    Affected are the keys just read, those gone, those that waited for a later day, and all that share a reference or a
    parent with one of them, over any number of steps: what is not affected gives the same case as before.
    """
    keys = [key for each in gone for key in each.keys]
    con.register(
        "gone_keys", pa.table({"case_key": pa.ExtensionArray.from_storage(KEY, pa.array(keys, KEY.storage_type))})
    )
    con.execute("create table gone_key as select * from gone_keys")
    con.unregister("gone_keys")
    con.execute("create table fresh as select case_key from case_raw union select case_key from event_raw")
    con.execute(
        """create table affected as select case_key from fresh union select case_key from gone_key
           union select case_key from kept where is_waiting"""
    )
    con.execute(_EDGE)
    while (con.execute(_SPREAD).fetchone() or (0,))[0]:
        pass
    con.execute("drop table edge")
    con.execute(
        """create table borrowed as select case_key, read_batch from kept
           where case_key in (select case_key from affected) and case_key not in (select case_key from fresh)
             and case_key not in (select case_key from gone_key)"""
    )
    for (batch,) in con.execute("select distinct read_batch from borrowed order by all").fetchall():
        _borrow(con, staging, manifest, batch=batch)


def keep_rows(staging: Path, folder: Path, sources: Iterable[SourceMap], *, batch_id: int) -> list[Path]:
    """Move the files of rows of a run to where they are kept; they are whole."""
    target = kept_folder(staging, batch_id)
    moved = []
    for source in sources:
        for path in sorted((folder / source.name).glob("*.parquet")):
            moved.append(target / f"{source.name}.{path.name}")
            rename_durable(path, moved[-1])
    return moved


def kept_folder(staging: Path, batch_id: int) -> Path:
    """Make and give the folder of what a batch keeps."""
    return make_folder_durable(staging / "kept" / f"{batch_id:06}", mode=0o700)


def _is_ready(manifest: Manifest, source: SourceMap) -> bool:
    known = manifest.sources.get(source.name, {})
    return source.name in manifest.marks and WHOLE_AT in known and not known.get(NAMELESS, 1)


def _borrow(con: duckdb.DuckDBPyConnection, staging: Path, manifest: Manifest, *, batch: int) -> None:
    """Load the rows of borrowed keys that a batch read, and the broken cells of these rows."""
    raw = [file for file in manifest.kept if file.table == "raw" and file.partition == str(batch)]
    offset = batch << ROW_BITS

    def files_of(table: str) -> list[str]:
        return [str(staging / file.path) for file in raw if file.path.endswith(f".{table}.parquet")]

    for table, number in (("case_raw", "row_number"), ("event_raw", "position")):
        for path in files_of(table):
            con.execute(_WANTED, [path, batch])
            con.execute(
                f"""insert into {table} by name
                    select * exclude (file_row_number) replace ({number} + {offset} as {number})
                    from read_parquet(?, file_row_number = true) where file_row_number in (select place from wanted)""",
                [path],
            )
    if files_of("quarantine"):
        con.execute(
            f"""insert into quarantine by name
                select * from (select * replace (row_number + {offset} as row_number) from read_parquet(?)) as cell
                where (table_name = 'case' and (source, row_number) in (select (source, row_number) from case_raw))
                  or (table_name = 'event' and (source, row_number) in (select (source, position) from event_raw))""",
            [files_of("quarantine")],
        )
