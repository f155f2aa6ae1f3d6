"""The main job as an operator lives with it: again, a month later, killed half-way; and no identity in any byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etl import pipeline
from etl.cli.summary import tell_extract
from etl.demo import advance_office
from etl.errors import LockedError, PrivacyError, UsageError
from etl.instance import Instance, current_release
from etl.model.report import DESK
from tests.integration.canaries import read_canaries, scan
from tests.integration.conftest import Built, newest_database
from tests.integration.recount import query

STATE = ("datasets", "public", "var/staging", "var/placement", "var/quarantine")


def fingerprints(root: Path, folders: tuple[str, ...] = STATE) -> dict[str, str]:
    """Give the hash of every file below some folders."""
    files = [path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_first_run_releases_every_closed_month(built: Built) -> None:
    """Eight months were made and have settled: eight releases, one database, one site."""
    report = built.report
    assert [each.release_id for each in report.releases] == [
        *("1404-11", "1404-12", "1405-01", "1405-02"),
        *("1405-03", "1405-04", "1405-05", "1405-06"),
    ]
    assert report.extracted is not None
    assert report.extracted.read == report.extracted.staged + report.extracted.unchanged + report.extracted.quarantined
    assert "only changes" not in tell_extract(report.extracted)
    assert current_release(built.instance.datasets) == current_release(built.instance.public) == "1405-06"
    assert report.site is not None
    assert (report.site / "fa" / "index.html").is_file()


def test_no_report_counts_fewer_than_k(built: Built) -> None:
    """Counts of every report are 0, at least k, or the words; a row of quality is never an exact small number."""
    seen = set()
    for folder in sorted(built.instance.releases.iterdir()):
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        for place in (report, *report["linkage"]):
            for name, value in place.items():
                if name == DESK:
                    assert value in (0, "< k", "10-99", "100-999")
                elif name.endswith("_count"):
                    assert value in (0, "< k") or value >= report["k"]
                    seen.add(value if isinstance(value, str) else bool(value))
        for row in pq.read_table(folder / "quality.parquet").to_pylist():
            low, high = row["at_least"], row["at_most"]
            is_share = row["unit_code"] == "percent"
            assert high - low >= 5 if is_share else (low, high) in ((0, 0), (1, report["k"] - 1)) or low >= report["k"]
    assert {"< k", True} <= seen


def test_a_second_run_writes_nothing(twin: Instance) -> None:
    """With nothing new no byte of the state changes."""
    before = fingerprints(twin.root)
    report = pipeline.run(twin)
    assert (report.releases, report.database, report.site) == ((), None, None)
    assert report.extracted is not None
    assert report.extracted.staged == 0
    assert fingerprints(twin.root) == before


def test_a_month_later_one_release_comes(twin: Instance) -> None:
    """After `demo advance` a run extracts what changed, releases that month only, and leaves the others as they were."""
    before = fingerprints(twin.root, ("datasets/releases",))
    advance_office(twin.office)
    report = pipeline.run(twin)
    assert [each.release_id for each in report.releases] == ["1405-07"]
    assert report.extracted is not None
    assert 0 < report.extracted.staged < report.extracted.read / 2
    assert tell_extract(report.extracted).endswith(", only changes were read")
    after = fingerprints(twin.root, ("datasets/releases",))
    assert {name: after[name] for name in before} == before
    assert query(newest_database(twin), "select count(*) as n from release")[0]["n"] == 9


def test_month_by_month_gives_the_bytes_of_a_backfill(built: Built, twin: Instance) -> None:
    """Releasing month by month, or some months at once, gives the same files as releasing all in one run."""
    for path in sorted(twin.placement.glob("*.parquet")):
        path.unlink()
    for folder in (twin.releases, twin.public):
        _remove(folder)
    for name in ("current.json", *(path.name for path in twin.datasets.glob("portal-*.db"))):
        (twin.datasets / name).unlink()
    assert len(pipeline.run_release(twin, period="1404-11")) == 1
    assert len(pipeline.run_release(twin, period="1404-12")) == 1
    assert len(pipeline.run_release(twin, period="1405-02")) == 2
    assert len(pipeline.run_release(twin)) == 4
    names = ("case_group.csv.gz", "margin.csv.gz", "statutory.csv.gz", "case_group_step.csv.gz")
    expected = {
        name: value
        for name, value in fingerprints(built.instance.root, ("datasets/releases",)).items()
        if name.endswith(names)
    }
    assert {n: v for n, v in fingerprints(twin.root, ("datasets/releases",)).items() if n.endswith(names)} == expected


@pytest.mark.parametrize("step", ["placements durable", "site"])  # `make kills` has them all
def test_a_killed_run_leaves_the_last_release_as_it_was(twin: Instance, step: str) -> None:
    """Killed when a step begins: what was in place is whole, and the next run does the rest."""
    before = fingerprints(twin.root, ("datasets/releases",))
    advance_office(twin.office)
    assert _kill_at(twin, step)
    after = fingerprints(twin.root, ("datasets/releases",))
    assert {name: after.get(name) for name in before} == before
    assert query(newest_database(twin), "select min(case_count) as n from case_group where not is_floor")[0]["n"] >= 10
    pipeline.run(twin)
    assert current_release(twin.datasets) == current_release(twin.public) == "1405-07"
    assert not [path for path in (*twin.datasets.iterdir(), *twin.public.iterdir()) if path.name.startswith(".")]


def test_no_identity_is_in_any_byte(built: Built) -> None:
    """Nothing of the office's people stands under datasets/, public/ or var/, in any form."""
    canaries = read_canaries(built.instance.office / "canaries.txt")
    assert len(canaries) > 1000
    assert scan([built.instance.datasets, built.instance.public, built.instance.var], canaries) == []


def test_the_scanner_would_see_the_office_itself(built: Built) -> None:
    """The same scan of the office's own databases finds its people: the test above can fail."""
    canaries = read_canaries(built.instance.office / "canaries.txt")[:500]
    assert len({finding.canary_number for finding in scan([built.instance.office], canaries)}) > 400


def test_lost_placements_stop_releases(twin: Instance) -> None:
    """Without the memory of who was released nothing more is released."""
    sorted(twin.placement.glob("*.parquet"))[0].unlink()
    advance_office(twin.office)
    with pytest.raises(PrivacyError):
        pipeline.run(twin)
    assert current_release(twin.datasets) == "1405-06"


def test_a_month_is_released_once(twin: Instance) -> None:
    """Asking for a month that is out, or one that has not closed, is refused."""
    with pytest.raises(UsageError, match="never changes"):
        pipeline.run_release(twin, period="1405-05")
    with pytest.raises(UsageError, match="not due"):
        pipeline.run_release(twin, period="1405-09")


def test_one_run_works_at_a_time(twin: Instance) -> None:
    """A second run does not wait and does not meddle."""
    with twin.lock(), pytest.raises(LockedError):
        pipeline.run(twin)


def test_private_folders_are_private(built: Built) -> None:
    """var/ is for its owner alone; so are placements and the secret."""
    assert built.instance.var.stat().st_mode & 0o077 == 0
    for path in (*built.instance.placement.glob("*"), built.instance.var / "secret"):
        assert path.stat().st_mode & 0o077 == 0


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _kill_at(instance: Instance, step: str) -> bool:
    """Start a run and kill it at the line in which a step begins; False where it ended first."""
    command = [sys.executable, "-m", "etl", "--portal", str(instance.root), "run"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(step):
                process.kill()
                return True
    return False


def test_the_reports_are_json(built: Built) -> None:
    """Every release has a report and a manifest that machines read."""
    for folder in built.instance.releases.iterdir():
        for name in ("report.json", "manifest.json"):
            assert json.loads((folder / name).read_text(encoding="utf-8"))
