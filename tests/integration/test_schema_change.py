"""After a change of schema a run mends what can be made again, and says what to do about the rest."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from etl import pipeline
from etl.errors import SettingsError
from etl.instance import Instance
from tests.integration.conftest import newest_database


def test_a_database_of_another_schema_is_built_again(twin: Instance) -> None:
    """The releases stay, database and site are made anew; the run after it has nothing to do."""
    database = newest_database(twin)
    with closing(sqlite3.connect(database)) as old:
        old.execute("pragma user_version = 0")
        old.commit()
    mended = pipeline.run(twin)
    assert mended.releases == ()
    assert (mended.database, mended.site is not None) == (database, True)
    again = pipeline.run(twin)
    assert (again.database, again.site) == (None, None)


def test_staging_of_another_version_says_what_to_do(twin: Instance) -> None:
    """Exit code 22, and the demo's way out by name."""
    manifest = next((twin.staging / "batches").glob("*.json"))
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"staging_version": 1', '"staging_version": 0'), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        pipeline.run(twin)
    assert (caught.value.slug, caught.value.exit_code) == ("staging-version", 22)
    assert "make clean" in str(caught.value)
