"""Reading what changed gives what reading all gives (decision 0018): the law, and each thing it rests on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

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
@pytest.mark.parametrize("seed", range(100, 112))
def test_reading_changes_equals_reading_all_for_long(tmp_path: Path, seed: int) -> None:
    """The same over many more steps and worlds."""
    assert live(seed, 40, tmp_path) >= 20
