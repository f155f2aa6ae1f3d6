"""Run the program on a bent instance as a person does, and look for values where none may be."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.cli import main
from etl.cli.journal import close_journal
from tests.bad_input.bends import Bend, make_sound


@dataclass(frozen=True)
class Seen:
    """What a person and a machine see of one start of the program."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report on stdout."""
        report: dict[str, Any] = json.loads(self.out)
        return report


@pytest.fixture(autouse=True)
def _keep_hook() -> Iterator[None]:
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    close_journal()


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Callable[..., Seen]:
    """Give a starter of the program: its exit code and what it wrote."""

    def run(folder: Path, *arguments: str) -> Seen:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["--portal", str(folder), *arguments])
        written = capsys.readouterr()
        return Seen(int(left.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def bent(tmp_path: Path) -> Callable[..., Path]:
    """Give a maker of bent instances."""

    def make(flavour: str, *bends: Bend) -> Path:
        folder = make_sound(tmp_path / "instance", flavour)
        for bend in bends:
            bend(folder)
        return folder

    return make


def check_stop(seen: Seen, slug: str, code: int, *, words: tuple[str, ...] = ()) -> None:
    """Check an error's shape: exit code, three parts and a place to read more, no traceback, the words it must have."""
    lines = {line.split(":", 1)[0]: line.split(":", 1)[1].strip() for line in seen.err.splitlines() if ":" in line}
    assert lines.get("more") == f"docs/reference/errors.md#{slug} (exit {code})", seen.err
    assert seen.code == code
    assert all(lines.get(part) for part in ("found", "expected", "do")), seen.err
    assert "Traceback" not in seen.err
    assert seen.out == ""
    assert [word for word in words if word not in seen.err] == [], seen.err


def check_no_value(folder: Path, seen: Seen, *values: str) -> None:
    """Check that no identity, and none of these values, stands in what was written to the screen, the log, the quarantine."""
    texts = [seen.out, seen.err]
    texts += [path.read_text(encoding="utf-8") for path in (folder / "var").rglob("*.json*")]
    texts += [str(pq.read_table(path).to_pylist()) for path in (folder / "var").rglob("*.parquet")]
    for word in ("CANARY", *(value for value in values if len(value) >= 6)):
        assert not [text for text in texts if word in text], word


def check_nothing_lost(report: dict[str, Any]) -> None:
    """Check read = staged + unchanged + quarantined."""
    assert report["read"] == report["staged"] + report["unchanged"] + report["quarantined"], report
