"""Seconds and memory of the releases of fifty million events: staging is made beforehand, 24 rungs, step medians.

`python -m bench.fifty [--cases N] [--copies N] [--folder DIR]`. An office of ten million events is made and extracted;
its staging is copied five times under other keys of cases and requesters, so that each copy is a people of its own in the
same bodies. What is measured is `shafaf release` as a process of its own. A folder that is named is kept: staging in it
is used again, whatever number of cases it was made with. Figures hold for the machine and its load.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from bench.spent import ROOT, SETTINGS, make_portal, spend
from etl.extract.manifest import DataFile, describe_file, newest_manifest, write_manifest
from etl.model.staging import CASE, CASE_EXEMPTION, EVENT

CASES, COPIES = 1_230_000, 5
KEYS = ("case_key", "parent_case_key", "requester_key")
SHAPES = {"case": CASE, "event": EVENT, "case_exemption": CASE_EXEMPTION}
WEIGHTS = {"outcome": 9, "lateness": 8, "service": 6, "trace": 5, "unit": 4, "duration": 3, "channel": 2, "loop": 1}
LADDER = {"weights": WEIGHTS, "rungs": 24}
MEMORY_LIMIT = "2500MB"
EVENTS, BAR_SECONDS, BAR_BYTES = 50_000_000, 360, 4_000_000_000
MADE = ("datasets", "public", "var/placement", "var/audit", "var/attested")


def make_staging(folder: Path, cases: int, copies: int) -> None:
    """Make an instance in `folder` whose staging holds an office `copies` times; nothing is released yet."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made_in:
        work = Path(made_in)
        spend("office", "etl", "demo", "office", str(work / "office"), "--cases", str(cases))
        make_portal(work / "portal", work / "office")
        spend("extract", "etl", "--portal", str(work / "portal"), "extract")
        (folder / "var").mkdir(mode=0o700, parents=True)
        copy_staging(work / "portal" / "var" / "staging", folder / "var" / "staging.part", copies)
        (folder / "sources").mkdir()
    (folder / "var" / "staging.part").rename(folder / "var" / "staging")


def copy_staging(staging: Path, target: Path, copies: int) -> None:
    """Write every row of a staging of one batch `copies` times under other keys, with a manifest of its own."""
    manifest = newest_manifest(staging)
    if manifest is None:
        raise SystemExit(f"no staging in {staging}")
    con = duckdb.connect()
    con.execute("set memory_limit='2GB'; set threads=2; set TimeZone='UTC'")
    con.execute(f"set temp_directory='{target.parent / 'tmp'}'")
    files = tuple(_copied(con, staging, target, file, copies) for file in manifest.files)
    labels = None
    if manifest.labels is not None:
        (target / manifest.labels.path).parent.mkdir(parents=True)
        shutil.copy(staging / manifest.labels.path, target / manifest.labels.path)
        labels = manifest.labels
    write_manifest(
        target,
        replace(
            manifest,
            files=files,
            labels=labels,
            kept=(),
            case_count=manifest.case_count * copies,
            event_count=manifest.event_count * copies,
            live_case_count=manifest.live_case_count * copies,
        ),
    )


def _copied(con: duckdb.DuckDBPyConnection, staging: Path, target: Path, file: DataFile, copies: int) -> DataFile:
    schema = SHAPES[file.table]
    columns = ", ".join(f"md5({name} || copy) as {name}" if name in KEYS else name for name in schema.names)
    order = ", ".join(("case_key", *(name for name in ("seq", "exemption_code") if name in schema.names)))
    query = f"select {columns} from read_parquet(?), range(?) as made(copy) order by {order}"
    path = target / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", coerce_timestamps="us") as writer:
        for batch in _batches(con, query, [str(staging / file.path), copies], schema):
            rows += batch.num_rows
            writer.write_table(batch, row_group_size=batch.num_rows)
    return describe_file(target, path, table=file.table, partition=file.partition, rows=rows)


def _batches(con: duckdb.DuckDBPyConnection, query: str, values: list[object], schema: pa.Schema) -> Iterator[pa.Table]:
    for batch in con.execute(query, values).to_arrow_reader(200_000):
        yield pa.Table.from_batches([batch]).cast(schema)


def write_settings(folder: Path) -> None:
    """Write the demo's settings with a ladder of 24 rungs and the memory that a body of that size gives the engine."""
    for name in SETTINGS:
        shutil.copy(ROOT / name, folder)
    path = folder / "metadata.yml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["x-shafaf"] |= {"ladder": LADDER, "memory_limit": MEMORY_LIMIT}
    path.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")


def bench(folder: Path, cases: int, copies: int) -> None:
    """Make staging in `folder` where there is none, forget what was released from it, and release all months."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "var" / "staging").is_dir():
        if any(folder.iterdir()):
            raise SystemExit(f"{folder}: neither empty nor an instance with staging; name another folder, or remove it")
        make_staging(folder, cases, copies)
    write_settings(folder)
    for name in MADE:
        shutil.rmtree(folder / name, ignore_errors=True)
    manifest = newest_manifest(folder / "var" / "staging")
    events = manifest.event_count if manifest else 0
    print(f"staging         {manifest.case_count if manifest else 0:,} cases, {events:,} events")
    spent = spend("release", "etl", "--portal", str(folder), "release")
    if events >= EVENTS and (spent.seconds > BAR_SECONDS or spent.peak_bytes > BAR_BYTES):
        raise SystemExit(f"missed: the bar is {BAR_SECONDS} s and {BAR_BYTES / 1e9:g} GB on 2 cores")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help="of the office, about eight events each")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--folder", type=Path, help="keep staging here, or use what is there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_in:
        bench(chosen.folder or Path(made_in) / "portal", chosen.cases, chosen.copies)
