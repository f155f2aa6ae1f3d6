"""What a process of the program took, and an instance of the demo to run it on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ("metadata.yml", "services.csv", "units.csv")
PEER = Path(sys.prefix) / "peer"  # packages of requirements-peer.txt
KIB = 1024 if sys.platform == "linux" else 1


@dataclass(frozen=True)
class Spent:
    """What one process took: seconds by the clock and of processors, peak memory in bytes."""

    seconds: float
    processor_seconds: float
    peak_bytes: int

    def __add__(self, other: Spent) -> Spent:
        """Put one process after another: seconds add up, memory does not."""
        return Spent(
            self.seconds + other.seconds,
            self.processor_seconds + other.processor_seconds,
            max(self.peak_bytes, other.peak_bytes),
        )


def spend(name: str, *arguments: str, packages: Path | None = None) -> Spent:
    """Run a module of this Python as a process and print what it took; stops where it fails.

    packages: a folder of more packages that it finds.
    """
    before = os.times().elapsed
    command, more = [sys.executable, "-m", *arguments], {"PYTHONPATH": str(packages)} if packages else {}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | more, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name}: exit code {process.returncode}")
    spent = Spent(os.times().elapsed - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KIB)
    print(
        f"{name:16}{spent.seconds:8.1f} s{spent.processor_seconds:8.1f} s of processor{spent.peak_bytes / 1e9:6.2f} GB"
    )
    sys.stdout.flush()
    return spent


def make_portal(folder: Path, office: Path) -> None:
    """Make an instance of the demo that reads the databases of `office`."""
    folder.mkdir()
    for name in SETTINGS:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "sources", folder / "sources")
    (folder / "office").symlink_to(office)
