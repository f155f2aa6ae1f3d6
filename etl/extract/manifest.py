"""The manifest of a batch: what makes staged files count (DESIGN §3, "its manifest is the state").

`var/staging/batches/<batch_id>.json` is written last (temporary file, fsync, rename, fsync of the folder). Readers take
lists of files from manifests and never from a glob, so a file without a manifest does not exist.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

import cattrs

from etl.errors import SettingsError, SourceError, TamperedError, UncheckedError
from etl.instance.durable import make_folder_durable, replace_durable, sha256_of
from etl.model.staging import STAGING_VERSION

_FOLDER = "batches"


@dataclass(frozen=True)
class DataFile:
    """One file of a batch; `path` is relative to var/staging, `partition` is a month code or `open`."""

    path: str
    table: str  # case, event, case_exemption, labels
    partition: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """One batch: the instant its rows stand for (UTC), its files and its counts (cases, unless said otherwise)."""

    batch_id: int
    staging_version: int
    snapshot_at: datetime
    case_count: int  # rows of `case` in this batch, deleted ones included
    event_count: int
    live_case_count: int  # cases of the view after this batch
    files: tuple[DataFile, ...] = ()
    labels: DataFile | None = None  # all public names behind slugs so far: [{list_code, code, title, lang}]
    counts: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reading: str = ""  # what decided how rows were read (`etl.extract.kept`); empty: the next run reads all
    marks: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)  # by source and table: kind, value
    kept: tuple[DataFile, ...] = ()  # rows for runs over changes: table state, broken or raw; partition is their batch


def read_manifests(folder: Path) -> tuple[Manifest, ...]:
    """Read every manifest in var/staging, oldest first; SettingsError where another version made them."""
    return tuple(_read(path) for path in _paths(folder))


def newest_manifest(folder: Path, *, batches: int | None = None) -> Manifest | None:
    """Read the newest manifest in var/staging (of the oldest so many batches), or None before the first batch."""
    paths = _paths(folder)[:batches]
    return _read(paths[-1]) if paths else None


def batch_hashes(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name every batch in var/staging with the SHA-256 of its manifest, oldest first; manifests hash their files."""
    return tuple((path.name, sha256_of(path)) for path in _paths(folder))


def _paths(folder: Path) -> list[Path]:
    """List the manifests, oldest first; a folder that may not be read is no empty one, as it would be to a glob."""
    batches = folder / _FOLDER
    try:
        return sorted(path for path in batches.iterdir() if path.match("[0-9]*.json"))
    except FileNotFoundError:
        return []


def check_batches(folder: Path, named: Sequence[tuple[str, str]]) -> None:
    """Compare batches in var/staging with their hashes, file by file.

    Errors: UncheckedError where a manifest or a file is gone; TamperedError naming the first file
    that differs.
    """
    for name, sha256 in named:
        path = folder / _FOLDER / name
        if _differs(path, sha256, folder):
            raise _changed(path, folder)
        for file in _read(path).files:
            if _differs(folder / file.path, file.sha256, folder):
                raise _changed(folder / file.path, folder)


def _differs(path: Path, sha256: str, folder: Path) -> bool:
    if not path.is_file():
        raise UncheckedError(
            "attest-forgotten",
            found=f"no {path.relative_to(folder).as_posix()} in var/staging",
            expected="the staging that the release was made from",
            todo="Restore var/staging of that time from a backup into a copy of the instance, and attest there.",
        )
    return sha256_of(path) != sha256


def _changed(path: Path, folder: Path) -> TamperedError:
    return TamperedError(
        "attest-staging",
        found=f"{path.relative_to(folder).as_posix()} in var/staging, changed after it was written",
        expected="the bytes that the release was made from",
        todo="Restore it from a backup; a release cannot be attested from other data.",
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in place, durably: only now its batch counts."""
    batches = make_folder_durable(folder / _FOLDER, mode=0o700)
    text = json.dumps(_CONVERTER.unstructure(manifest), ensure_ascii=False, indent=1, sort_keys=True)
    replace_durable(batches / f"{manifest.batch_id:06}.json", text.encode(), mode=0o600)


def clear_unnamed(folder: Path, manifests: Sequence[Manifest]) -> None:
    """Remove the files in var/staging that no manifest names: a run that died left them, and nobody reads them.

    Kept rows are those of the newest manifest; what earlier ones kept besides is replaced.
    """
    named = {file.path for manifest in manifests[-1:] for file in manifest.kept}
    named |= {file.path for manifest in manifests for file in (*manifest.files, manifest.labels) if file}
    named |= {f"{_FOLDER}/{manifest.batch_id:06}.json" for manifest in manifests}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in named:
            path.unlink()


def describe_file(folder: Path, path: Path, *, table: str, partition: str, rows: int) -> DataFile:
    """Fsync a written file and describe it: size and SHA-256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = file_digest(file, "sha256").hexdigest()
    return DataFile(path.relative_to(folder).as_posix(), table, partition, rows, path.stat().st_size, digest)


def live_files(manifests: tuple[Manifest, ...], folder: Path, table: str) -> list[str]:
    """List the files of a table that manifests name; SourceError where one of them is gone or has another size."""
    paths: list[str] = []
    for manifest in manifests:
        for file in manifest.files:
            if file.table == table:
                path = folder / file.path
                if not path.is_file() or path.stat().st_size != file.bytes:
                    raise SourceError(
                        "staging-damaged",
                        found=f"the staged file {file.path} missing or of another size",
                        expected=f"{file.bytes:,} bytes, as the manifest of batch {manifest.batch_id} says",
                        todo="Restore var/staging from the backup, or remove var/staging and extract again.",
                    )
                paths.append(str(path))
    return paths


def _read(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        version = raw["staging_version"]
        if version == STAGING_VERSION:
            return _CONVERTER.structure(raw, Manifest)
    except (ValueError, KeyError, TypeError, RecursionError, IsADirectoryError, cattrs.BaseValidationError):
        version = "unreadable"
    raise SettingsError(
        "staging-version",
        found=f"a staging manifest {path.name} of version {version}",
        expected=f"version {STAGING_VERSION}",
        todo="Remove var/staging and extract again (`make clean` for the demo).",
    )


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
    return converter


_CONVERTER = _make_converter()
