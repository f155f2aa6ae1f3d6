"""The current view of staging: newest live version of every case and exactly its events (DESIGN §3).

Where it stands: between extraction and anonymisation. Files come from manifests only; a stray Parquet does not exist.
Relations are lazy; DuckDB reads what a stage asks for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etl.extract.manifest import live_files, newest_manifest, read_manifests
from etl.extract.vocabulary import Label
from etl.model.staging import CASE, CASE_EXEMPTION, EVENT, Staging

SHAPES = {"case": CASE, "event": EVENT, "case_exemption": CASE_EXEMPTION}

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table


def open_staging(
    backend: BaseBackend, folder: Path, *, seen_at: str = "", batches: int | None = None
) -> Staging | None:
    """Open var/staging as relations of the shapes CASE, EVENT and CASE_EXEMPTION; None before the first batch.

    batches: only the oldest so many, as staging was then.
    seen_at: where the engine sees `folder`, if not at its own path (a cluster: `hdfs://host/staging`).
    Errors: SourceError where a staged file is gone or damaged, SettingsError for another staging version.
    """
    manifests = read_manifests(folder)[:batches]
    if not manifests:
        return None

    def files_of(table: str) -> list[str]:
        found = live_files(manifests, folder, table)
        return [f"{seen_at.rstrip('/')}{name.removeprefix(str(folder))}" for name in found] if seen_at else found

    case, event, exemption = (_table(backend, files_of(name), name) for name in SHAPES)
    if sum(bool(manifest.case_count) for manifest in manifests) <= 1:
        return Staging(case, event, exemption)
    live = _live(case, first=manifests[0].batch_id)
    return Staging(live, _of(event, live), _of(exemption, live))


def leave_out(backend: BaseBackend, folder: Path, settled: Table, *, batches: int | None = None) -> Staging:
    """Open var/staging on DuckDB without some cases (case_key), and without reading the files that hold no other.

    It gives the rows of `open_staging` but theirs. Of all files of cases the keys are read, and nothing else.
    """
    manifests = read_manifests(folder)[:batches]
    files = live_files(manifests, folder, "case")
    named = backend.read_parquet(files, table_name="staging_key", filename=True)
    keys = named.select("case_key", "batch_id", "is_deleted", "filename").anti_join(settled, "case_key")
    others = backend.create_table("staging_other", keys, temp=True, overwrite=True)
    left = backend.create_table("staging_left", _live(others, first=manifests[0].batch_id), temp=True, overwrite=True)
    used = {Path(name).parts[-2:] for name in left.filename.as_table().distinct().to_pyarrow()["filename"].to_pylist()}

    def part(table: str) -> Table:
        found = [name for name in live_files(manifests, folder, table) if Path(name).parts[-2:] in used]
        return _of(_table(backend, found, table), left)

    return Staging(*(part(name) for name in SHAPES))


def read_labels(folder: Path) -> tuple[Label, ...]:
    """Read the public names behind slugs (list, code, title, language) that the newest manifest points to."""
    manifest = newest_manifest(folder)
    if manifest is None or manifest.labels is None:
        return ()
    rows = json.loads((folder / manifest.labels.path).read_text(encoding="utf-8"))
    return tuple(Label(**row) for row in rows)


def _live(case: Table, *, first: int) -> Table:
    """Keep the newest version of every case. Only what came after the batch `first` can stand for an earlier version."""
    later = case.filter(case.batch_id > first)
    newest = later.group_by(newest_key="case_key").agg(newest_batch=later.batch_id.max())
    joined = case.left_join(newest, case.case_key == newest.newest_key)
    is_newest = joined.newest_batch.isnull() | (joined.newest_batch == joined.batch_id)
    return joined.filter(is_newest & ~joined.is_deleted).select(*case.columns)


def _of(rows: Table, live: Table) -> Table:
    """Keep the rows of exactly the live versions; the selection makes a plain relation of the join."""
    return rows.semi_join(live, ["case_key", "batch_id"]).select(*rows.columns)


def _table(backend: BaseBackend, files: list[str], name: str) -> Table:
    if files:
        return backend.read_parquet(files, table_name=f"staging_{name}")
    return backend.create_table(f"staging_no_{name}", SHAPES[name].empty_table(), temp=True, overwrite=True)
