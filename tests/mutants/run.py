"""Break each law in a copy of the code and see its test fail (`make mutants`).

Each mutant of mutants.yml is one textual change. The named test must pass on the code as it is and fail on the changed
copy, by a failed test (exit code 1 of pytest), not because pytest could not run it. Exit code 1 where a mutant lives.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import yaml

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("etl", "site", "tests", "pyproject.toml", "metadata.yml", "services.csv", "units.csv", "sources")
TESTS_FAILED = 1
OUT_OF_TIME = 124  # as timeout(1) says it
SECONDS = 900
UNTIMED = ("--timeout=0",)  # a test that was only slow would pass for one that failed; SECONDS ends it
AT_ONCE = 2  # copies of the code, each with a test running


@dataclass(frozen=True)
class Mutant:
    """One change of one file, and the test that must fail for it."""

    law: str
    file: str
    old: str
    new: str
    test: str


def load_mutants() -> list[Mutant]:
    """Read mutants.yml."""
    text = Path(__file__).with_name("mutants.yml").read_text(encoding="utf-8")
    return [Mutant(**entry) for entry in yaml.safe_load(text)]


def copy_code(folder: Path) -> None:
    """Copy what the tests need; the repository itself is never changed."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)


def run_test(folder: Path, tests: list[str]) -> int:
    """Run tests on a copy of the code; exit code of pytest, or OUT_OF_TIME."""
    paths = os.pathsep.join((str(folder), str(folder / "site")))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "-p", "no:cacheprovider", *UNTIMED, *tests]
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return OUT_OF_TIME
    return done.returncode


def is_killed(mutant: Mutant, folder: Path) -> bool:
    """Apply a mutant, run its test, take the change back."""
    path = folder / mutant.file
    original = path.read_text(encoding="utf-8")
    if original.count(mutant.old) != 1:
        raise SystemExit(f"mutant {mutant.law!r}: its text stands {original.count(mutant.old)} times in {mutant.file}")
    path.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return run_test(folder, [mutant.test]) == TESTS_FAILED
    finally:
        path.write_text(original, encoding="utf-8")


def in_free(folders: Queue[Path], work: Callable[[Path], bool]) -> bool:
    """Do something in a copy that is free."""
    folder = folders.get()
    try:
        return work(folder)
    finally:
        folders.put(folder)


def tests_by_file(chosen: list[Mutant]) -> list[list[str]]:
    """Give the tests that mutants name, once each, file by file: a file has the time of one test run."""
    files: dict[str, set[str]] = {}
    for mutant in chosen:
        files.setdefault(mutant.test.partition("::")[0], set()).add(mutant.test)
    return [sorted(tests) for tests in files.values()]


def main() -> int:
    """Run all mutants, or those whose law contains one of the words; print one line each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("words", nargs="*", default=[""])
    words = parser.parse_args().words or [""]
    chosen = [mutant for mutant in load_mutants() if any(word in mutant.law for word in words)]
    if not chosen:
        print(f"no law names {' or '.join(words)}; the laws stand in mutants.yml")
        return 1
    with tempfile.TemporaryDirectory(prefix="shafaf-mutants-") as name, ThreadPoolExecutor(AT_ONCE) as pool:
        folders: Queue[Path] = Queue()
        for number in range(AT_ONCE):
            copy_code(Path(name) / str(number))
            folders.put(Path(name) / str(number))

        def pass_as_it_is(tests: list[str]) -> bool:
            return in_free(folders, lambda copy: run_test(copy, tests) == 0)

        def dies(mutant: Mutant) -> bool:
            return in_free(folders, lambda copy: is_killed(mutant, copy))

        named = tests_by_file(chosen)
        failing = [
            test
            for tests, passed in zip(named, pool.map(pass_as_it_is, named), strict=True)
            if not passed
            for test in tests
        ]
        if failing:
            print(f"the tests fail on the code as it is, mend that first: {' '.join(failing)}")
            return 1
        alive = 0
        for mutant, killed in zip(chosen, pool.map(dies, chosen), strict=True):
            alive += not killed
            print(f"{'killed' if killed else 'ALIVE '}  {mutant.law}", flush=True)
    print(f"{len(chosen) - alive} of {len(chosen)} mutants killed")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
