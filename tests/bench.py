"""Seconds and memory of a first run, a run with nothing new, and a run one month later (`make bench`).

Each run is a process of its own, as an operator starts it; figures are for orientation, not promises.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CASES = 60_000


def shafaf(*arguments: str) -> str:
    """Run the program and give what it writes for machines."""
    command = [sys.executable, "-m", "etl", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def bench(folder: Path) -> None:
    """Make an office in `folder` and run it three times."""
    for name in ("metadata.yml", "services.csv", "units.csv"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "sources", folder / "sources")
    shafaf("demo", "office", str(folder / "office"), "--cases", str(CASES))
    for name in ("first run", "nothing new", "a month later"):
        if name == "a month later":
            shafaf("--portal", str(folder), "demo", "advance")
        done = json.loads(shafaf("--portal", str(folder), "run", "--json"))
        releases = len(done["report"]["releases"])
        print(
            f"{name:15} {done['seconds']:6.1f} s {done['peak_bytes'] / 1e9:5.2f} GB {releases:3} releases", flush=True
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        bench(Path(made))
