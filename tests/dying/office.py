"""The states that runs are killed in, the undisturbed twin of each, and what "equal" means: every byte that counts."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etl import pipeline
from etl.demo import advance_office, make_office
from etl.instance import Instance

CASES, MONTHS, LATER = 1200, 5, 2
STATE = ("datasets", "public", "var/placement", "var/staging", "var/quarantine", "office")
SETTINGS = ("metadata.yml", "services.csv", "units.csv")
SALTED = "datasets/attested/"  # a fresh salt at every run: there or not there is what can be compared
SECRET = "5" * 64  # the same in every twin, so that placements can be compared


@dataclass(frozen=True)
class Timing:
    """An undisturbed run: when each step began and when it ended, in seconds from the start of the process."""

    starts: tuple[tuple[str, float], ...]
    seconds: float


@dataclass(frozen=True)
class Scene:
    """A state to be killed in, the command, the same state after an undisturbed run, and how long that took."""

    name: str
    before: Path
    after: Path
    arguments: tuple[str, ...]
    timing: Timing

    def copy(self, folder: Path) -> Path:
        """Copy the state before the run into a new folder."""
        shutil.copytree(self.before, folder)
        return folder


def command(root: Path, *arguments: str) -> list[str]:
    """Give the command line of a verb on an instance."""
    return [sys.executable, "-u", "-m", "etl", "--portal", str(root), *arguments]


def make_scenes(project: Path, folder: Path) -> tuple[Scene, ...]:
    """Make the first run of an office, the run two months later, and the run that builds all again."""
    fresh = folder / "fresh"
    (fresh / "var").mkdir(parents=True, mode=0o700)
    for name in SETTINGS:
        shutil.copy(project / name, fresh)
    shutil.copytree(project / "sources", fresh / "sources")
    (fresh / "var" / "secret").write_text(SECRET)
    make_office(fresh / "office", months=MONTHS, cases=CASES)
    first = _scene(folder, "first", fresh, "run")
    older = folder / "older"
    shutil.copytree(first.after, older)
    advance_office(older / "office", months=LATER)
    return first, _scene(folder, "later", older, "run"), _scene(folder, "again", first.after, "run", "--period", "all")


def make_later_scene(project: Path, folder: Path) -> Scene:
    """Make only the run two months later, its first run in this process."""
    fresh = folder / "older"
    (fresh / "var").mkdir(parents=True, mode=0o700)
    for name in SETTINGS:
        shutil.copy(project / name, fresh)
    shutil.copytree(project / "sources", fresh / "sources")
    (fresh / "var" / "secret").write_text(SECRET)
    make_office(fresh / "office", months=MONTHS, cases=CASES)
    pipeline.run(Instance(fresh))
    advance_office(fresh / "office", months=LATER)
    return _scene(folder, "later", fresh, "run")


def fingerprints(root: Path, folders: tuple[str, ...] = STATE) -> dict[str, str]:
    """Give the SHA-256 of every file below some folders, by path."""
    files = [path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file()]
    names = {path.relative_to(root).as_posix(): path for path in files}
    return {name: _fingerprint(path, is_salted=name.startswith(SALTED)) for name, path in names.items()}


def _fingerprint(path: Path, *, is_salted: bool) -> str:
    return "salted" if is_salted else hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(root: Path) -> list[str]:
    """List what only a run that died leaves: hidden names, half files, and anything in var/tmp."""
    kept = {"datasets/.gitkeep"}
    found = [path for folder in (*STATE, "var") for path in (root / folder).rglob("*")]
    odd = {path for path in found if path.name.startswith(".") or path.suffix in (".tmp", ".part")}
    odd |= set((root / "var" / "tmp").glob("*"))
    return sorted({path.relative_to(root).as_posix() for path in odd} - kept)


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """List the paths that are in one only, or differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _scene(folder: Path, name: str, before: Path, *arguments: str) -> Scene:
    after = folder / f"{name}-after"
    shutil.copytree(before, after)
    return Scene(name, before, after, arguments, _time(after, arguments))


def _time(root: Path, arguments: tuple[str, ...]) -> Timing:
    started = time.perf_counter()
    starts = []
    with subprocess.Popen(command(root, *arguments), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "…" in line and "·" not in line:
                starts.append((line.rstrip(), time.perf_counter() - started))
    if process.returncode:
        raise RuntimeError(f"the undisturbed run failed: {''.join(lines)}")
    return Timing(tuple(starts), time.perf_counter() - started)
