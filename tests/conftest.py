"""What all tests share: where the project and the real input are, and a loud word about tests that were skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.engine import open_duckdb

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real input; the test is skipped, with the reason, where there is none."""
    folder = Path(os.environ.get("SHAFAF_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no real input: set SHAFAF_DATA, or put it at ../shared/data")
    return folder


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Any]:
    """A fresh in-memory engine."""
    backend = open_duckdb(tmp_path / "spill", threads=1)
    yield backend
    backend.disconnect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, at the end, which tests on real input did not run and why."""
    skipped = [report for report in terminalreporter.getreports("skipped") if "real" in report.keywords]
    if not skipped:
        return
    terminalreporter.section("REAL INPUT WAS NOT TESTED", sep="!", red=True, bold=True)
    for reason in sorted({_reason(report) for report in skipped}):
        terminalreporter.write_line(f"{len(skipped)} tests skipped: {reason}", red=True)
    terminalreporter.write_line("The figures of examples/br_lai and examples/wabo are unproved by this run.", red=True)


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2]).removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else "unknown"
