"""Blocks of a page, and what comes of typing them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BOUND = 300  # seconds


def blocks(path: Path, kind: str) -> list[str]:
    """Give the blocks of a kind in order; one marked `skip` (a server, root) is not for a test."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [text for each, note, text in found if each == kind and "skip" not in note]


def type_in(folder: Path, script: str, *, own: bool = False, bound: int = BOUND) -> str:
    """Run what a reader types; give all that was said. The program is that of the tests, or with `own` the one they make."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = dict(os.environ) if own else {"PATH": path, "HOME": str(folder), "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=bound,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
