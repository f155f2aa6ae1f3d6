"""A batch counts when its manifest is in place; running again with nothing new writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etl.engine import open_duckdb
from etl.errors import SettingsError, SourceError
from etl.extract import extract, newest_manifest, open_staging, read_manifests
from etl.instance import Instance

Make = Callable[..., Instance]
Read = Callable[[Instance], list[Any]]

HEADER = "id,class,org,channel,registered,closed,result,score,national_id\n"
ONE = "r-1,عادی,3002,وب,1404/05/01,1404/05/11,انجام شد,4,x"
TWO = "r-2,عادی,3002,وب,1404/05/02,,,,x"


def _listing(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_second_run_with_nothing_new_writes_nothing(make_instance: Make) -> None:
    """The folder var/ is the same before and after, to the byte."""
    instance = make_instance(ONE, TWO)
    first = extract(instance)
    before = _listing(instance.var)
    second = extract(instance)
    assert _listing(instance.var) == before
    assert (first.batch_id, second.batch_id) == (1, None)
    assert (second.read, second.staged, second.unchanged) == (2, 0, 2)


def test_a_newer_snapshot_without_news_is_a_batch_of_no_rows(make_instance: Make) -> None:
    """Time has passed and nothing happened: the manifest says so, so that periods can close."""
    instance = make_instance(ONE)
    extract(instance)
    extract(make_instance(ONE, edits=[("2026-03-20", "2026-03-25")]))
    newest = newest_manifest(instance.staging)
    assert newest is not None
    assert (newest.batch_id, newest.case_count, newest.files, newest.live_case_count) == (2, 0, (), 1)


def test_a_manifest_names_every_file_with_rows_size_and_hash(make_instance: Make) -> None:
    """What the manifest says is what lies there."""
    instance = make_instance(ONE, TWO)
    extract(instance)
    manifest = newest_manifest(instance.staging)
    assert manifest is not None
    assert {file.path for file in manifest.files} == {
        path.relative_to(instance.staging).as_posix() for path in instance.staging.rglob("*.parquet")
    }
    for file in manifest.files:
        content = (instance.staging / file.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert sum(file.rows for file in manifest.files if file.table == "event") == manifest.event_count == 3


def test_files_lie_by_month_of_finishing(make_instance: Make) -> None:
    """A release reads one month and the open cases."""
    instance = make_instance(ONE, TWO)
    extract(instance)
    manifest = newest_manifest(instance.staging)
    assert manifest is not None
    assert {file.partition for file in manifest.files if file.table == "case"} == {"1404-05", "open"}


def test_a_stray_parquet_does_not_exist(make_instance: Make, cases: Read) -> None:
    """A file that no manifest names is not read: manifests are the state."""
    instance = make_instance(ONE)
    extract(instance)
    real = next((instance.staging / "case").rglob("*.parquet"))
    (real.parent / "000009.parquet").write_bytes(real.read_bytes())
    assert len(cases(instance)) == 1


def test_what_a_dead_run_left_is_replaced(make_instance: Make, cases: Read) -> None:
    """Data files without their manifest do not disturb the run that comes after."""
    instance = make_instance(ONE, TWO)
    extract(instance)
    (instance.staging / "batches" / "000001.json").unlink()
    assert extract(instance).staged == 2
    assert len(cases(instance)) == 2


def test_before_the_first_batch_there_is_no_staging(make_instance: Make) -> None:
    """No manifest, no view."""
    instance = make_instance()
    assert open_staging(open_duckdb(instance.private_folder("tmp")), instance.staging) is None
    assert newest_manifest(instance.staging) is None


def test_only_what_changed_is_written_again(make_instance: Make, cases: Read, events: Read) -> None:
    """A case that closed gets a new version with its events; the other keeps its first; the view shows the newest."""
    extract(make_instance(ONE, TWO))
    instance = make_instance(ONE, "r-2,عادی,3002,وب,1404/05/02,1404/06/01,انجام شد,,x")
    report = extract(instance)
    assert (report.staged, report.unchanged, report.deleted) == (1, 1, 0)
    first, second = cases(instance)
    assert [first["batch_id"], second["batch_id"]] == [1, 2]
    assert [first["first_seen_batch"], second["first_seen_batch"]] == [1, 1]
    assert len(events(instance)) == 4


def test_a_case_gone_from_the_source_leaves_the_view(make_instance: Make, cases: Read) -> None:
    """Deletion is a row of its own; the case may come back later."""
    extract(make_instance(ONE, TWO))
    instance = make_instance(ONE)
    assert extract(instance).deleted == 1
    assert len(cases(instance)) == 1
    instance = make_instance(ONE, TWO)
    report = extract(instance)
    assert (report.staged, report.deleted) == (1, 0)
    assert [case["first_seen_batch"] for case in cases(instance)] == [1, 1]


def test_a_quarantined_case_keeps_its_last_good_version(make_instance: Make, cases: Read) -> None:
    """A row that breaks today does not delete what was staged yesterday."""
    extract(make_instance(ONE, TWO))
    instance = make_instance(ONE, TWO.replace("1404/05/02", "1404/07/31"))
    report = extract(instance)
    assert (report.quarantined, report.deleted) == (1, 0)
    assert len(cases(instance)) == 2


def test_a_case_that_became_classified_leaves_the_view(make_instance: Make, cases: Read) -> None:
    """Raising the class of a staged case removes it."""
    extract(make_instance(ONE, TWO))
    instance = make_instance(ONE, TWO.replace("عادی", "محرمانه"))
    assert extract(instance).deleted == 1
    assert len(cases(instance)) == 1


def test_a_partial_run_notices_no_deletion(make_instance: Make, cases: Read) -> None:
    """Absence can be told only from a run over all sources."""
    extract(make_instance(ONE, TWO))
    instance = make_instance(ONE)
    assert extract(instance, only=["desk"]).deleted == 0
    assert len(cases(instance)) == 2


def test_a_dry_run_counts_and_writes_nothing(make_instance: Make) -> None:
    """`--dry-run` gives the report of the run that would be."""
    instance = make_instance(ONE, TWO)
    report = extract(instance, dry_run=True)
    assert (report.read, report.staged, report.batch_id) == (2, 2, None)
    assert not [path for path in instance.var.rglob("*") if path.is_file() and path.name != "secret"]


def test_a_source_that_lost_half_of_its_cases_stops_the_run(make_instance: Make) -> None:
    """A sudden hole is a fault of the source before it is a mass deletion."""
    rows = [ONE.replace("r-1", f"r-{n}") for n in range(10)]
    extract(make_instance(*rows))
    with pytest.raises(SourceError) as caught:
        extract(make_instance(*rows[:4]))
    assert caught.value.slug == "source-shrank"


def test_a_source_may_lose_all_its_cases_where_the_operator_says_so(make_instance: Make, cases: Read) -> None:
    """Empty is a fault unless `shrink_share = 1` allows it, and never what a portal begins with; what is gone is deleted."""
    allowed = ("quarantine_share = 1.0", "quarantine_share = 1.0\nshrink_share = 1.0")
    instance = make_instance(edits=[allowed])
    rows = instance.root / "rows.csv"
    full = rows.read_text(encoding="utf-8")
    rows.write_text(HEADER, encoding="utf-8")
    with pytest.raises(SourceError, match="no case row"):
        extract(instance)
    rows.write_text(full, encoding="utf-8")
    extract(instance)
    make_instance()
    rows.write_text(HEADER, encoding="utf-8")
    with pytest.raises(SourceError, match="no case row"):
        extract(instance)
    make_instance(edits=[allowed])
    rows.write_text(HEADER, encoding="utf-8")
    assert (extract(instance).deleted, cases(instance)) == (1, [])


def test_a_damaged_staged_file_is_found(make_instance: Make) -> None:
    """A file of another size than its manifest says stops the reader."""
    instance = make_instance(ONE)
    extract(instance)
    next((instance.staging / "case").rglob("*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(SourceError) as caught:
        open_staging(open_duckdb(instance.private_folder("tmp")), instance.staging)
    assert caught.value.slug == "staging-damaged"


def test_staging_of_another_version_is_refused(make_instance: Make) -> None:
    """Exit 22 and what to do, never a guess at an old shape."""
    instance = make_instance(ONE)
    extract(instance)
    path = instance.staging / "batches" / "000001.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "staging_version": 99}))
    with pytest.raises(SettingsError) as caught:
        read_manifests(instance.staging)
    assert caught.value.slug == "staging-version"


def test_input_order_does_not_matter(make_instance: Make) -> None:
    """The same rows in another order are unchanged content."""
    extract(make_instance(ONE, TWO))
    assert extract(make_instance(TWO, ONE)).staged == 0


def test_scratch_files_are_gone_after_a_run(make_instance: Make) -> None:
    """var/tmp is empty when a run ends, and after one that failed."""
    instance = make_instance(ONE)
    extract(instance)
    with pytest.raises(SourceError):
        extract(make_instance("r-9", header="id"))
    assert not list((instance.var / "tmp").iterdir())
