"""What is wrong between two runs: drift of a source, a state that was damaged, a release that was touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from etl import pipeline
from etl.errors import SourceError
from etl.extract.file_bytes import open_bytes
from etl.extract.mapping_file import load_sources
from etl.instance import Instance
from tests.bad_input.bends import Bend, both, cell, content, folder_for, make_sound, many, recode, remove, swap
from tests.bad_input.conftest import Seen, check_no_value, check_nothing_lost, check_stop

Make = Callable[..., Path]
Start = Callable[..., Seen]

SMALL = swap("quarantine_share = 1.0", "growth_from = 3")
MANIFEST = "var/staging/batches/000001.json"
NOBODY = 65_534
RELEASE = "datasets/releases/1404-05"

DRIFT: tuple[tuple[str, Bend, str, int, str], ...] = (
    (
        "a column vanished",
        recode(lambda data: data.replace(b"closed", b"ended", 1)),
        "source-column-gone",
        21,
        "closed",
    ),
    ("a new code", cell("channel", "CANARY-drone"), "quarantine-share", 21, "unknown_code in channel_code"),
    ("half of the cases are gone", many(1), "source-shrank", 21, "shrink_share"),
    ("twice as many cases", many(6), "source-grew", 21, "growth_share"),
    ("the file is gone", remove("rows.csv"), "source-absent", 21, "file"),
    ("the file is empty", many(0), "source-empty", 21, "nothing was written"),
    ("a snapshot that goes back", swap("2026-03-20", "2026-03-01"), "snapshot-backwards", 21, "2026-03-19 20:30"),
    (
        "a manifest of another version",
        swap('"staging_version": ', '"staging_version": 9', file=MANIFEST),
        "staging-version",
        22,
        "make clean",
    ),
    ("a manifest that is no JSON", content(b"{", file=MANIFEST), "staging-version", 22, "unreadable"),
    ("a secret that is gone", remove("var/secret"), "no-secret", 22, "backup"),
    ("a secret that is short", content(b"abc", file="var/secret"), "short-secret", 22, "32"),
)


@pytest.mark.parametrize(("name", "bend", "slug", "code", "word"), DRIFT, ids=[each[0] for each in DRIFT])
def test_drift_between_two_runs_stops_in_words(
    bent: Make, start: Start, name: str, bend: Bend, slug: str, code: int, word: str
) -> None:
    """The second run stops before it writes anything; the first batch stays the state."""
    folder = bent("table", SMALL)
    assert start(folder, "extract").code == 0
    before = {path: path.stat().st_mtime_ns for path in (folder / "var" / "staging").rglob("*.parquet")}
    bend(folder)
    seen = start(folder, "extract", "--json")
    check_stop(seen, slug, code, words=(word,))
    check_no_value(folder, seen) if name != "a manifest that is no JSON" else None
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "var" / "staging").rglob("*.parquet")}


def test_a_staged_file_that_lost_bytes_stops_the_run(bent: Make, start: Start) -> None:
    """A staged file of another size than its manifest says is damage, not data."""
    folder = bent("table")
    start(folder, "extract")
    next((folder / "var" / "staging" / "case").rglob("*.parquet")).write_bytes(b"PAR1")
    check_stop(start(folder, "extract", "--json"), "staging-damaged", 21, words=("backup",))


def test_a_limit_can_be_raised_for_what_is_meant(bent: Make, start: Start) -> None:
    """Growth that is meant passes after `growth_share` was raised."""
    folder = bent("table", SMALL)
    start(folder, "extract")
    both(many(6), swap("growth_from = 3", "growth_from = 3\ngrowth_share = 1.0"))(folder)
    seen = start(folder, "extract", "--json")
    check_nothing_lost(seen.report)
    assert (seen.report["read"], seen.report["staged"], seen.report["unchanged"]) == (6, 3, 3)


def test_memory_that_does_not_suffice_is_told(bent: Make, start: Start) -> None:
    """Exit 23 with the setting to raise; the same rows are read with more of it."""
    folder = bent("table", many(40), swap("k: 10", "k: 10\n  memory_limit: 1MB", file="metadata.yml"))
    check_stop(start(folder, "extract", "--json"), "memory-full", 23, words=("x-shafaf.memory_limit",))
    swap("memory_limit: 1MB", "memory_limit: 1200MB", file="metadata.yml")(folder)
    assert start(folder, "extract", "--json").report["staged"] == 40


def test_a_file_that_may_not_be_read_is_told(start: Start) -> None:
    """A file without the right to read it: exit 21 and three parts. Root, who may read all, becomes nobody for the moment."""
    with tempfile.TemporaryDirectory() as place:
        folder = make_sound(Path(place) / "instance", "table")
        assert start(folder, "extract").code == 0
        (folder / "rows.csv").chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            for path in (Path(place), folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            seen = start(folder, "extract", "--json")
        finally:
            if is_root:
                os.seteuid(0)
        check_stop(seen, "source-unreadable", 21, words=("mode",))


def test_an_error_in_a_shell_has_three_parts_and_no_traceback(bent: Make) -> None:
    """The program as it is started by cron: the same words, the same exit code."""
    folder = bent("table", remove("rows.csv"))
    done = subprocess.run(
        [sys.executable, "-m", "etl", "--portal", str(folder), "run"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check_stop(Seen(done.returncode, done.stdout, done.stderr), "source-absent", 21)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office of forty cases whose month was released, once for this module."""
    folder = make_sound(tmp_path_factory.mktemp("released") / "instance", "table")
    many(40)(folder)
    instance = Instance(folder)
    pipeline.run_extract(instance)
    pipeline.run_release(instance)
    assert (folder / RELEASE / "manifest.json").is_file()
    return folder


def _a_byte_more(folder: Path) -> None:
    path = next((folder / RELEASE).glob("*.parquet"), None) or next((folder / RELEASE).rglob("*.csv*"))
    path.write_bytes(path.read_bytes() + b"\n")


def _newer(folder: Path) -> None:
    path = folder / RELEASE / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["schema_version"] = 999
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _copy(folder: Path) -> None:
    shutil.copytree(folder / RELEASE, (folder / RELEASE).with_name("1390-01"))


TOUCHED: tuple[tuple[str, Bend, str, int], ...] = (
    ("a byte more", _a_byte_more, "release-changed", 23),
    ("a file more", content("x", file=f"{RELEASE}/more.csv"), "release-changed", 23),
    (
        "a stray folder among the releases",
        lambda folder: (folder / RELEASE).with_name("notes").mkdir(),
        "release-stray",
        23,
    ),
    ("a release once more under another name", _copy, "release-stray", 23),
    ("a manifest that is no JSON", content("{", file=f"{RELEASE}/manifest.json"), "manifest-unreadable", 23),
    ("a folder in the place of a manifest", folder_for(f"{RELEASE}/manifest.json"), "manifest-unreadable", 23),
    ("another schema", _newer, "schema-newer", 22),
    ("no released folders", lambda folder: shutil.rmtree(folder / "datasets" / "releases"), "releases-lost", 23),
)


@pytest.mark.parametrize(("name", "bend", "slug", "code"), TOUCHED, ids=[each[0] for each in TOUCHED])
def test_a_release_that_was_touched_is_seen(
    released: Path, tmp_path: Path, start: Start, name: str, bend: Bend, slug: str, code: int
) -> None:
    """Released files are compared with their manifest before anything is built on them."""
    folder = Path(shutil.copytree(released, tmp_path / "copy"))
    bend(folder)
    verb = {"releases-lost": "release", "release-stray": "status"}.get(slug, "build")
    seen = start(folder, verb, "--json")
    check_stop(seen, slug, code)
    check_no_value(folder, seen)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """Its rows may be half: exit 21, whatever was read of it."""
    instance = Instance(make_sound(tmp_path / "own", "table"))
    source = load_sources(instance.sources, instance.settings)[0]
    path = tmp_path / "own" / "rows.csv"

    def read(*, more: str) -> None:
        with open_bytes(path, source) as stream:
            stream.read(10)
            with path.open("a", encoding="utf-8") as export:
                export.write(more)

    read(more="")
    with pytest.raises(SourceError) as raised:
        read(more="\n")
    assert (raised.value.slug, raised.value.exit_code) == ("source-moving", 21)
