"""Reading released folders: `datasets/releases/<release_id>/` with its manifest (DESIGN §6).

A release is believed only after every file has the size and SHA-256 that its `manifest.json` names. Tables are read by
column name, so that releases of an older schema version stay readable: a column they lack is NULL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import ReleaseError, SettingsError
from etl.instance.durable import sha256_of
from etl.metadata import TableSpec, load_dictionary

MANIFEST = "manifest.json"
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)


@dataclass(frozen=True)
class ReleaseFile:
    """A released file: name, size in bytes, SHA-256 in hexadecimal, rows (None: no table)."""

    name: str
    byte_count: int
    sha256: str
    row_count: int | None


@dataclass(frozen=True)
class Release:
    """A released folder and what its manifest says."""

    folder: Path
    release_id: str
    release_number: int
    schema_version: int
    files: tuple[ReleaseFile, ...]


def list_releases(folder: Path) -> list[Release]:
    """Read the manifests of all released folders in `folder`, by release number.

    Errors: ReleaseError for a folder that is no release, a manifest that cannot be read, a gap in the numbers;
    SettingsError for a newer schema.
    """
    if not folder.is_dir():
        return []
    names = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    stray = next((path for path in names if not _MONTH.fullmatch(path.name)), None)
    if stray is not None:
        raise _stray(stray)
    releases = sorted((read_release(path) for path in names), key=lambda release: release.release_number)
    renamed = next((release.folder for release in releases if release.release_id != release.folder.name), None)
    if renamed is not None:
        raise _stray(renamed)
    numbers = [release.release_number for release in releases]
    if numbers != list(range(1, len(releases) + 1)):
        raise ReleaseError(
            "release-missing",
            found=f"{len(releases)} releases whose numbers have a gap",
            expected="numbers from 1 without a gap",
            todo="Restore datasets/releases from the backup; a released folder is never taken away.",
        )
    return releases


def read_release(folder: Path) -> Release:
    """Read the manifest of one released folder; ReleaseError where it is missing or malformed."""
    try:
        release = _parse_manifest(folder, (folder / MANIFEST).read_bytes())
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise ReleaseError(
            "manifest-unreadable",
            found=f"no readable manifest.json in the release {folder.name}",
            expected="the manifest that was released with it",
            todo="Restore the folder from the backup or from a reader's copy.",
        ) from None
    known = load_dictionary().schema_version
    if release.schema_version > known:
        raise SettingsError(
            "schema-newer",
            found=f"the release {folder.name} of schema version {release.schema_version}",
            expected=f"version {known} or older",
            todo="Use the program that made it, or a newer one.",
        )
    return release


@lru_cache(maxsize=4096)
def _parse_manifest(folder: Path, content: bytes) -> Release:
    """Parse a manifest: a run asks for all of them at several places."""
    raw = json.loads(content.decode("utf-8"))
    files = tuple(ReleaseFile(f["name"], f["bytes"], f["sha256"], f["rows"]) for f in raw["files"])
    return Release(folder, raw["release_id"], raw["release_number"], raw["schema_version"], files)


def verify_release(release: Release) -> None:
    """Compare every file of a release with its manifest; ReleaseError naming the first file that differs."""
    present = {path.name for path in release.folder.iterdir()}
    named = {file.name for file in release.files} | {MANIFEST}
    for name in sorted(present ^ named):
        raise _changed(release, name, "a file more or less than the manifest names")
    for file in release.files:
        path = release.folder / file.name
        if path.stat().st_size != file.byte_count or sha256_of(path) != file.sha256:
            raise _changed(release, file.name, "bytes that differ from the manifest")


def read_table(release: Release, spec: TableSpec, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table of a release (all columns of the dictionary, or some); a column that it lacks is NULL."""
    names = spec.names if columns is None else tuple(columns)
    schema = pa.schema([spec.arrow.field(name) for name in names])
    path = release.folder / f"{spec.name}.parquet"
    if not path.exists():
        return schema.empty_table()
    with pq.ParquetFile(path) as file:
        there = file.schema_arrow.names
        table = file.read(columns=[name for name in names if name in there], use_threads=False)
    if table.schema.equals(schema):
        return table
    missing = pa.nulls(table.num_rows)
    arrays = [(table[name] if name in there else missing).cast(schema.field(name).type) for name in names]
    return pa.table(arrays, schema=schema)


def read_tables(releases: Iterable[Release], spec: TableSpec, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table of several releases as one, in their order."""
    schema = pa.schema([spec.arrow.field(name) for name in (columns or spec.names)])
    parts = [read_table(release, spec, columns=columns) for release in releases]
    return pa.concat_tables([schema.empty_table(), *parts]).combine_chunks()


def _stray(folder: Path) -> ReleaseError:
    return ReleaseError(
        "release-stray",
        found=f"a folder {folder.name!r} in datasets/releases that is no release",
        expected="folders of released months only, each under its own name",
        todo="Move it away: readers may download whatever lies there.",
    )


def _changed(release: Release, name: str, found: str) -> ReleaseError:
    return ReleaseError(
        "release-changed",
        found=f"{found}: {name} of the release {release.release_id}",
        expected="exactly the released bytes",
        todo="Restore the folder from the backup; a release is never edited.",
    )
