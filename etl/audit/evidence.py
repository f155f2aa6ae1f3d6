"""Everything that is published, as an outsider finds it: released files, databases, built pages; nothing private.

The audit believes no stage of its own body: it reads the released Parquet files itself, and needs neither `metadata.yml`
nor `var/`, so that a downloaded copy of `datasets/` (and `public/`, where it is there) is enough. A column that an older
release lacks is NULL. What it does not do: compare files with their manifest or the ledger (`shafaf verify`).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from etl.errors import UncheckedError
from etl.metadata import TableSpec, load_dictionary
from etl.model.plain_yaml import parse_yaml
from etl.model.text import latin_digits

PUBLISHED = ("datasets", "public")
GROUPS = "case_group"
FLOOR_KEY = ("body_id", "case_type_code", "period_code", "late_for_code", "release_id")  # what a floor row is told by
ROWS_A_RELEASE = 10_000_000  # ids of a release begin at its number times so many
MANIFEST = "manifest.json"
POLICY = "policy.yml"
MONTH = re.compile(r"\d{4}-\d\d")  # the name of a release
_SHARED = "\npolicy_sha256:"  # from here on the policies of releases that one policy decided are the same text


@dataclass(frozen=True)
class Release:
    """One release as published: its number, its k, what decided its values, and its folder (None: not yet written)."""

    release_id: str
    number: int
    k: int
    policy_sha256: str
    policy: Mapping[str, Any]
    folder: Path | None = None


@dataclass(frozen=True)
class Evidence:
    """All releases together. tables: of scope `release` from every release, of scope `reference` from the newest.

    files: every file under `datasets/` and `public/`, hidden ones too, relative to `root`; none where nothing is on disk.
    """

    releases: tuple[Release, ...]
    tables: Mapping[str, pa.Table]
    databases: tuple[Path, ...] = ()  # oldest first
    root: Path = Path()
    files: tuple[str, ...] = ()

    @cached_property
    def k(self) -> int:
        """The smallest k that any release promises."""
        return min(release.k for release in self.releases)

    @property
    def newest(self) -> Release:
        """The newest release."""
        return self.releases[-1]

    @cached_property
    def policies(self) -> Mapping[str, Mapping[str, Any]]:
        """What decided the values of each release, by release_id."""
        return {release.release_id: release.policy for release in self.releases}

    @cached_property
    def populations(self) -> tuple[str, ...]:
        """The tables whose rows are groups of one partition: those with `case_count` and `is_floor`."""
        return tuple(name for name in self.tables if {"case_count", "is_floor"} <= set(self.tables[name].column_names))

    def table(self, name: str) -> pa.Table:
        """Give a table; an empty one without columns where nothing of that name is published."""
        return self.tables.get(name, pa.table({}))

    def partition(self, name: str) -> pa.Table:
        """Give a table of groups without the rows that correct an earlier one: each case once, as it was placed."""
        return own_rows(self.table(name))

    def until(self, release_id: str) -> Evidence:
        """Give what was published when `release_id` was the newest; UncheckedError where there is none of that name."""
        known = [release.release_id for release in self.releases]
        if release_id not in known:
            raise UncheckedError(
                "audit-release",
                found=f"no release {release_id} among {len(known)}",
                expected=f"one of {known[0]} … {known[-1]}",
                todo="Name a release that lies in datasets/releases.",
            )
        kept = pa.array(known[: known.index(release_id) + 1], pa.string())
        newer = set(known[len(kept) :])
        tables = {
            name: table.filter(pc.is_in(table["release_id"], kept)) if "release_id" in table.column_names else table
            for name, table in self.tables.items()
        }
        releases = self.releases[: len(kept)]
        databases = tuple(path for path in self.databases if path.stem.removeprefix("portal-") in kept.to_pylist())
        files = tuple(file for file in self.files if not newer & set(MONTH.findall(file)))
        return replace(self, releases=releases, tables=tables, databases=databases, files=files)


def read_evidence(root: Path) -> Evidence:
    """Read all that is published in the copy at `root`: `datasets/`, and `public/` where it is there.

    Errors: UncheckedError where there is no release, a gap, or a file that cannot be read. Memory: all groups.
    """
    releases = list_published(root / "datasets" / "releases")
    if not releases:
        raise UncheckedError(
            "audit-nothing",
            found="no release in datasets/releases",
            expected="at least one released folder",
            todo="Name the folder that holds datasets/ with --portal, or release something first.",
        )
    specs = {name: spec for name, spec in load_dictionary().tables.items() if spec.scope != "database"}
    tables = {
        name: pa.concat_tables(
            [read_table(release, spec) for release in (releases if spec.scope == "release" else releases[-1:])]
        ).combine_chunks()
        for name, spec in specs.items()
    }
    names = {release.release_id: release.number for release in releases}
    databases = [path for path in (root / "datasets").glob("portal-*.db") if path.stem.removeprefix("portal-") in names]
    databases.sort(key=lambda path: names[path.stem.removeprefix("portal-")])
    return Evidence(releases, tables, tuple(databases), root, tuple(_list_files(root)))


def _list_files(root: Path) -> list[str]:
    """List what lies in the public folders; a link is a file, since nobody looks where it leads."""
    paths = (path for name in PUBLISHED for path in (root / name).rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(root).as_posix() for path in paths)


def list_published(folder: Path) -> tuple[Release, ...]:
    """Describe the releases in a folder, oldest first; UncheckedError where one cannot be read or a number is missing."""
    found = [path for path in folder.glob("[!.]*") if path.is_dir()] if folder.is_dir() else []
    releases = sorted((_read_release(path) for path in found), key=lambda release: release.number)
    if [release.number for release in releases] != list(range(1, len(releases) + 1)):
        raise _unreadable(f"{len(releases)} releases whose numbers have a gap")
    return tuple(releases)


def release_of(tables: Mapping[str, pa.Table], policy: Mapping[str, Any], *, folder: Path | None = None) -> Release:
    """Describe one release by its own tables and the text of its policy.yml, already parsed."""
    rows = tables["release"].to_pylist()
    if len(rows) != 1:
        raise _unreadable(f"{len(rows)} rows in the table release of one release")
    row = rows[0]
    return Release(
        row["release_id"], row["release_number"], row["k"], row["policy_sha256"], policy.get("policy", {}), folder
    )


def read_table(release: Release, spec: TableSpec, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table of one release (all columns of the dictionary, or some); a column that it lacks is NULL."""
    schema = spec.arrow if columns is None else pa.schema([spec.arrow.field(name) for name in columns])
    if release.folder is None:
        return schema.empty_table()
    path = release.folder / f"{spec.name}.parquet"
    return _read_parquet(path, schema) if path.exists() else schema.empty_table()


def open_database(path: Path) -> closing[sqlite3.Connection]:
    """Open a published database, to read it only, as a context that closes it."""
    return closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def read_text(path: Path) -> str:
    """Read a published text, its digits as ASCII; UncheckedError where it is none."""
    try:
        return latin_digits(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise _unreadable(f"a text {path.name} in {path.parent.name}") from None


def read_json(path: Path) -> Any:
    """Read a published document, its digits as ASCII; UncheckedError where it is none."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError:
        raise _unreadable(f"a document {path.name} in {path.parent.name}") from None


def _read_release(folder: Path) -> Release:
    table = _read_parquet(folder / "release.parquet", load_dictionary().tables["release"].arrow)
    try:
        own, key, shared = (folder / POLICY).read_text(encoding="utf-8").partition(_SHARED)
        policy = parse_yaml(own) if not key else {**parse_yaml(own), **_parse_policy(key + shared)}
        json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, TypeError, ValueError):  # bytes that are no text or no JSON among the last
        raise _unreadable(f"a {POLICY} or {MANIFEST} of the release {folder.name}") from None
    if not isinstance(policy, dict):
        raise _unreadable(f"a {POLICY} without keys in the release {folder.name}")
    return release_of({"release": table}, policy, folder=folder)


@lru_cache(maxsize=8)
def _parse_policy(text: str) -> dict[str, Any]:
    """Parse what releases share of their policies: that takes longer than all else that is read here."""
    return dict(parse_yaml(text))


def _read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow.names
            table = file.read(columns=[name for name in schema.names if name in there], use_threads=False)
        if table.schema.equals(schema):
            return table
        arrays = [
            table[field.name].cast(field.type) if field.name in there else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
    except (OSError, pa.ArrowException):
        raise _unreadable(f"a table {path.name} of the release {path.parent.name}") from None
    return pa.table(arrays, schema=schema)


def _unreadable(found: str) -> UncheckedError:
    return UncheckedError(
        "audit-unreadable",
        found=f"{found} that cannot be read",
        expected="the releases as they were published",
        todo="Download or restore datasets/releases whole; `manifest.json` says which files belong to a release.",
    )


def own_rows(table: pa.Table) -> pa.Table:
    """Leave out the rows that correct an earlier group: their cases stand in it already."""
    return table.filter(pc.is_null(table["replaces_id"])) if "replaces_id" in table.column_names else table
