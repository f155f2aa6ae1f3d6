"""A disk that refuses: an error in three parts with exit 23, the last release as it was, and the next run whole."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etl.instance import Instance
from tests.dying.killing import LIMIT, look, recover
from tests.dying.office import Scene, command

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # whole runs, on machines that are busy too
SMALL_LIMITS = (600_000,)
LIMITS = (4_096, 30_000, 200_000, 400_000)


def run(root: Path, *arguments: str, prepare: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end; `prepare` is called in the child before it."""
    return subprocess.run(
        command(root, *arguments), capture_output=True, text=True, check=False, timeout=LIMIT, preexec_fn=prepare
    )


def check_told(result: subprocess.CompletedProcess[str], slug: str) -> None:
    """Check the exit code and the three parts of the message, without a path of the machine."""
    assert (result.returncode, slug in result.stderr) == (23, True), result.stderr
    told = result.stderr[result.stderr.index("found:") :]
    assert all(part in told for part in ("found:", "expected:", "do:", "more:"))
    assert tempfile.gettempdir() not in told


def check_no_file_grows(scene: Scene, root: Path, limit: int) -> None:
    """Run where no file may grow over a limit, look, and run again without it."""
    result = run(scene.copy(root), "run", prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check_told(result, "disk-full")
    assert look(scene, root) == []
    assert recover(scene, root) == []


@pytest.mark.parametrize("limit", SMALL_LIMITS)
def test_a_file_that_may_not_grow_harms_nothing(scene: Scene, tmp_path: Path, limit: int) -> None:
    """The published database does not fit: exit 23, and the run after it is whole."""
    check_no_file_grows(scene, tmp_path / "small", limit)


@pytest.mark.parametrize("limit", LIMITS)
def test_no_file_may_grow_anywhere(scene: Scene, tmp_path: Path, limit: int) -> None:
    """The same where staging, a page or a release does not fit."""
    check_no_file_grows(scene, tmp_path / "small", limit)


@pytest.mark.parametrize("room", [0, 200_000, 1_500_000, 4_000_000])
def test_a_full_disk_harms_nothing(scene: Scene, tmp_path: Path, room: int) -> None:
    """On a disk with little room left: exit 23, the last release as it was, and with more room all is whole."""
    used = sum(path.stat().st_size // 4096 * 4096 + 4096 for path in scene.before.rglob("*"))
    with small_disk(tmp_path / "disk", used + room) as disk:
        root = scene.copy(disk / "portal")
        check_told(run(root, "run"), "disk-full")
        assert look(scene, root) == []
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True, timeout=20)
        assert recover(scene, root) == []


@pytest.mark.parametrize("folder", ["datasets", "public"])
def test_a_folder_that_may_not_be_written_is_said(scene: Scene, tmp_path: Path, folder: str) -> None:
    """Exit 23 with what to do; once the folder may be written the next run is whole."""
    root = scene.copy(tmp_path / "shut")
    mode = (root / folder).stat().st_mode
    (root / folder).chmod(0o555)
    result = subprocess.run(
        [*as_a_user(), *command(root, "run")], capture_output=True, text=True, check=False, timeout=LIMIT
    )
    (root / folder).chmod(mode)
    check_told(result, "no-permission")
    assert look(scene, root) == []
    assert recover(scene, root) == []


def test_a_second_run_does_not_wait(scene: Scene, tmp_path: Path) -> None:
    """While another holds the lock a run leaves with 75 and touches nothing; a lock file left behind stops nobody."""
    root = scene.copy(tmp_path / "two")
    with (root / "var" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run(root, "run")
        assert (result.returncode, "locked" in result.stderr) == (75, True)
    assert look(scene, root) == []
    assert (root / "var" / "lock").exists()
    with Instance(root).lock():
        pass


def as_a_user() -> list[str]:
    """Give the command that lets permissions apply to what follows: root is stopped by none."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root is stopped by no permission, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """Mount a disk in memory of some bytes; the test is skipped where that is not allowed."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, timeout=20)
