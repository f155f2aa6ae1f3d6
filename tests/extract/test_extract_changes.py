"""Reading what changed gives what reading all gives (decision 0018): the law, and each thing it rests on."""

from __future__ import annotations

import hashlib
import os
import shutil
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from etl.demo import advance_office, make_office
from etl.errors import SettingsError, SourceError
from etl.extract import ExtractReport, extract
from etl.extract.manifest import read_manifests
from etl.instance import Instance
from tests.extract.changing import World, make_world

DATA = ("case", "event", "case_exemption", "labels")


def both(world: World, root: Path) -> tuple[ExtractReport, ExtractReport]:
    """Extract the same databases over changes in one instance and whole in its twin."""
    for name in ("changes", "whole"):
        world.write(root / name)
    return extract(Instance(root / "changes")), extract(Instance(root / "whole"), full=True)


def staged(root: Path) -> dict[str, str]:
    """Hash every data file of an instance's staging, by its place."""
    folder = root / "var" / "staging"
    paths = [path for name in DATA for path in sorted((folder / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def counted(root: Path) -> list[Any]:
    """Give what the manifests of an instance count; the last whole read is no count."""
    return [
        (each.case_count, each.event_count, each.live_case_count, each.counts, each.snapshot_at)
        for each in read_manifests(root / "var" / "staging")
    ]


def check_equal(world: World, root: Path) -> ExtractReport:
    """Check that both ways give one report, one staging, to the byte, and the same counts in every manifest."""
    one, other = both(world, root)
    assert replace(one, is_window=False) == other
    assert staged(root / "changes") == staged(root / "whole")
    assert counted(root / "changes") == counted(root / "whole")
    return one


def live(seed: int, steps: int, root: Path) -> int:
    """Let a world live for some steps, both ways equal after each; say how many were read over changes."""
    world = make_world(seed)
    check_equal(world, root)
    windows = 0
    for _ in range(steps):
        world.day += world.rnd.choice((0, 1, 1, 2))
        for _ in range(1 + world.rnd.randrange(3)):
            world.live()
        windows += check_equal(world, root).is_window
    return windows


@pytest.mark.parametrize("seed", range(3))
def test_reading_changes_equals_reading_all(tmp_path: Path, seed: int) -> None:
    """Edits, deletions, late letters, lost references, broken and classified rows: the staging is the same to the byte."""
    assert live(seed, 8, tmp_path) >= 5


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 100 + int(os.environ.get("HISTORIES", "1"))))
def test_reading_changes_equals_reading_all_for_long(tmp_path: Path, seed: int) -> None:
    """The same over many more steps, and with `make histories` in many more worlds."""
    assert live(seed, 40, tmp_path) >= 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A world with a few plain cases, extracted in both instances of a folder."""
    root = tmp_path_factory.mktemp("plain")
    world = World(Random(1))
    for number in range(5):
        world.add("desk", tracking=f"T{number}")
        world.add("automation", tracking=f"T{number}")
    world.day = 9
    check_equal(world, root)
    return world, root


@pytest.fixture
def world(plain: tuple[World, Path], tmp_path: Path) -> World:
    """The plain world and its two instances, for the test alone."""
    shutil.copytree(plain[1], tmp_path, dirs_exist_ok=True)
    return deepcopy(plain[0])


def test_the_demo_office_is_read_over_changes(project: Path, tmp_path: Path) -> None:
    """A month passes in the synthetic office: what its databases tell of it is all that happened."""
    for name in ("changes", "whole"):
        root = tmp_path / name
        (root / "var").mkdir(parents=True, mode=0o700)
        (root / "var" / "secret").write_text("7" * 64)
        for file in ("metadata.yml", "services.csv", "units.csv"):
            shutil.copy(project / file, root)
        shutil.copytree(project / "sources", root / "sources")
        make_office(root / "office", months=3, cases=600)
        extract(Instance(root))
        advance_office(root / "office")
    one, other = extract(Instance(tmp_path / "changes")), extract(Instance(tmp_path / "whole"), full=True)
    assert (one.is_window, other.is_window) == (True, False)
    assert replace(one, is_window=False) == other
    assert staged(tmp_path / "changes") == staged(tmp_path / "whole")


def test_a_row_committed_late_is_read(world: World, tmp_path: Path) -> None:
    """A change that says an earlier time than the newest one seen lies in the overlap."""
    for name in ("changes", "whole"):
        path = tmp_path / name / "sources" / "desk" / "source.toml"
        path.write_text(path.read_text().replace("overlap = 1", "overlap = 3"))
    world.day += 1
    assert not check_equal(world, tmp_path).is_window
    newest = sorted(row["changed"] for row in world.cases["desk"])[-2]
    world.cases["desk"][0].update(promised="2025-09-01", changed=newest)
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.staged) == (True, 1)


def test_a_row_that_waits_for_its_day_is_taken_up(world: World, tmp_path: Path) -> None:
    """A row dated after the snapshot is broken until that day has come; nothing changes in it then."""
    world.mark(
        world.cases["desk"][0], promised="2025-09-01", status="closed", closed=str(world.today + timedelta(days=3))
    )
    assert check_equal(world, tmp_path).quarantined == 1
    world.mark(world.cases["desk"][1], promised="2025-09-02")
    assert check_equal(world, tmp_path).quarantined == 1
    world.day += 5
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.quarantined) == (True, 0)


def test_a_deletion_is_found_by_its_absence(world: World, tmp_path: Path) -> None:
    """Nothing tells of a deleted case but the number of rows; the letter that was joined to it stands alone again."""
    world.drop("desk", world.cases["desk"][2])
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.deleted, report.staged) == (True, 1, 1)


def test_a_row_that_appears_without_a_word_makes_the_run_whole(world: World, tmp_path: Path) -> None:
    """More rows than known and read: changes were missed, and all is read."""
    world.add("desk", tracking="T9")["changed"] = "2025-000001"
    world.steps["desk"] = [step for step in world.steps["desk"] if step["ref"] != world.cases["desk"][-1]["ref"]]
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.staged) == (False, 1)


def test_an_event_that_vanishes_without_a_word_makes_the_run_whole(world: World, tmp_path: Path) -> None:
    """Event rows are counted like case rows."""
    world.steps["automation"].pop(0)
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.staged) == (False, 1)


def test_a_silent_edit_waits_for_the_whole_read(world: World, tmp_path: Path) -> None:
    """A change that nothing tells of is found after `full_days` of snapshots, or with `full`."""
    world.cases["desk"][0]["promised"] = "2025-09-01"
    world.write(tmp_path / "changes")
    instance = Instance(tmp_path / "changes")
    assert extract(instance).staged == 0
    assert extract(instance, full=True, dry_run=True).staged == 1
    world.day += 900
    report = check_equal(world, tmp_path)
    assert (report.is_window, report.staged) == (False, 1)


@pytest.mark.parametrize("name", ["source.toml", "event.sql"])
def test_another_mapping_makes_the_run_whole(world: World, tmp_path: Path, name: str) -> None:
    """What a row becomes is decided by more than the row."""
    with (tmp_path / "changes" / "sources" / "desk" / name).open("a") as file:
        file.write("\n")
    assert not check_equal(world, tmp_path).is_window


def test_a_run_over_some_sources_makes_the_next_one_whole(world: World, tmp_path: Path) -> None:
    """What is kept says what became of every case; after a run over some it would not."""
    world.day += 1
    world.write(tmp_path / "changes")
    extract(Instance(tmp_path / "changes"), only=["desk"])
    world.day += 1
    world.write(tmp_path / "changes")
    assert not extract(Instance(tmp_path / "changes")).is_window
    world.day += 1
    world.write(tmp_path / "changes")
    assert extract(Instance(tmp_path / "changes")).is_window


def test_rows_without_an_id_make_every_run_whole(world: World, tmp_path: Path) -> None:
    """They cannot be told apart, so they cannot be kept."""
    world.mark(world.cases["automation"][0], ref="")
    assert not check_equal(world, tmp_path).is_window
    assert not check_equal(world, tmp_path).is_window


def test_a_lost_kept_file_makes_the_run_whole(world: World, tmp_path: Path) -> None:
    """What is kept can always be read again."""
    next((tmp_path / "changes" / "var" / "staging" / "kept").rglob("desk.event_raw.parquet")).unlink()
    assert not check_equal(world, tmp_path).is_window


def test_rows_of_an_earlier_whole_read_are_not_kept(world: World, tmp_path: Path) -> None:
    """Only what the newest manifest names stays."""
    instance = Instance(tmp_path / "changes")
    for _ in range(2):
        world.day += 1
        world.write(instance.root)
        extract(instance, full=True)
    newest = read_manifests(instance.staging)[-1]
    assert {file.partition for file in newest.kept} == {"3"}
    assert {path.parent.name for path in (instance.staging / "kept").rglob("*.parquet")} == {"000002", "000003"}


def test_kept_rows_hold_no_identity(world: World, tmp_path: Path) -> None:
    """What is kept are hashes, codes and dates."""
    world.add("desk", ref="CANARY-REQUEST", person="CANARY-PERSON", tracking="CANARY-TRACKING")
    world.add_step("desk", world.cases["desk"][-1])
    assert check_equal(world, tmp_path).is_window
    contents = [path.read_bytes() for path in (tmp_path / "changes" / "var").rglob("*") if path.is_file()]
    assert [content for content in contents if b"CANARY" in content] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('order = "step_no"\n', ""),
        ('column = "changed"\nevent_column', "event_column"),
        ("overlap = 1", "overlap = 0"),
        ("full_days = 900", "full_days = 0"),
    ],
)
def test_a_mapping_of_changes_is_whole_or_not_there(world: World, tmp_path: Path, old: str, new: str) -> None:
    """Half of it could not be kept to."""
    path = tmp_path / "changes" / "sources" / "desk" / "source.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SettingsError) as caught:
        extract(Instance(tmp_path / "changes"))
    assert caught.value.slug == "source-changes"


def test_a_value_that_cannot_be_kept_is_named(world: World, tmp_path: Path) -> None:
    """A column of changes holds texts, whole numbers, instants or days."""
    for row in world.cases["desk"]:
        row["changed"] = b"\x01"
    world.day += 1
    world.write(tmp_path / "changes")
    with pytest.raises(SourceError) as caught:
        extract(Instance(tmp_path / "changes"), full=True)
    assert caught.value.slug == "source-changes-value"
