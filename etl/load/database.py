"""`datasets/portal-<release_id>.db`: built fresh from the release files, then put in place by `current.json` (DESIGN §5).

The file is made in three steps: tables, rows and views in a temporary file; `VACUUM INTO`, which leaves no residue of
earlier states; fsync and rename. Only the two newest databases are kept. It reads `datasets/releases` and the settings,
nothing private. Cost: linear in the history of groups, not of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlite_utils import Database

from etl.errors import ReleaseError
from etl.instance import Instance
from etl.instance.durable import json_bytes, rename_durable, replace_durable, sync_file
from etl.load.about import fill_meta
from etl.load.archive import Release, list_releases, verify_release
from etl.load.describe import datasette_metadata
from etl.load.healing import drop_old
from etl.load.search import fill_search
from etl.load.tables import check_references, create_tables, load_files, load_releases
from etl.load.totals import create_views, fill_totals
from etl.metadata import load_dictionary
from etl.model.progress import SILENT, Progress

BUILDING = ".building.db"
VACUUMED = ".vacuumed.db"
_STEPS = 4


def build_database(instance: Instance, *, progress: Progress = SILENT) -> Path:
    """Build the newest database from all releases and make it current; give its path.

    Errors: ReleaseError where there is no release, one differs from its manifest, or an id has no row.
    """
    releases = list_releases(instance.releases)
    if not releases:
        raise ReleaseError(
            "no-release",
            found="no release in datasets/releases",
            expected="at least one",
            todo="Run `shafaf run` first.",
        )
    for release in releases:
        verify_release(release)
    progress.step("database", 1, _STEPS)
    building = instance.datasets / BUILDING
    vacuumed = instance.datasets / VACUUMED
    for leftover in (building, vacuumed):
        leftover.unlink(missing_ok=True)
    _fill(building, instance, releases, progress=progress)
    _vacuum(building, vacuumed)
    target = instance.datasets / f"portal-{releases[-1].release_id}.db"
    rename_durable(vacuumed, target)
    _make_current(instance, releases, target)
    released = [release.release_id for release in releases]
    drop_old(instance.datasets, released, current=released[-1])
    progress.step("database", _STEPS, _STEPS)
    return target


def _fill(path: Path, instance: Instance, releases: Sequence[Release], *, progress: Progress) -> None:
    database = Database(path)
    try:
        # a crash leaves nothing worth keeping: the file is temporary until the rename
        database.conn.executescript("pragma journal_mode = off; pragma synchronous = off; pragma temp_store = memory;")
        create_tables(database)
        load_releases(database, releases)
        load_files(database, releases)
        check_references(database)
        progress.step("database", 2, _STEPS)
        create_views(database)
        fill_totals(database)
        fill_search(database)
        fill_meta(database, instance, releases)
        database.conn.execute(f"pragma user_version = {load_dictionary().schema_version}")
        database.conn.commit()
        progress.step("database", 3, _STEPS)
    finally:
        database.conn.close()


def is_current_shape(path: Path) -> bool:
    """Say whether a database is there and has the shape of this program's dictionary (its `user_version`).

    Read from the header (SQLite file format, bytes 60 to 63), so that no query touches a file that readers have open.
    """
    try:
        with path.open("rb") as file:
            header = file.read(64)
    except FileNotFoundError:
        return False
    return int.from_bytes(header[60:64], "big") == load_dictionary().schema_version


def _vacuum(source: Path, target: Path) -> None:
    database = Database(source)
    try:
        database.conn.execute("vacuum into ?", [str(target)])
    finally:
        database.conn.close()
    source.unlink()
    sync_file(target)


def _make_current(instance: Instance, releases: Sequence[Release], target: Path) -> None:
    replace_durable(instance.datasets / "datasette.json", json_bytes(datasette_metadata(instance.settings)))
    database = Database(target)
    try:
        as_of_on = database.conn.execute("select value from meta where key = 'as_of_on'").fetchone()[0]
    finally:
        database.conn.close()
    current = {"release_id": releases[-1].release_id, "database": target.name, "as_of_on": as_of_on}
    replace_durable(instance.datasets / "current.json", json_bytes(current))
