"""Large sources are read side by side, each by a process of its own, with the rows and the errors of one process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.errors import SettingsError, SourceError
from etl.extract import load_sources
from etl.extract.reading import Step, Task, read_sources
from etl.extract.vocabulary import SlugBook
from etl.instance import Instance
from etl.model.progress import SILENT

HERE, APART = sys.maxsize, 1


def _tasks(instance: Instance, folder: Path) -> list[Task]:
    folder.mkdir()
    policy = instance.settings.policy
    sources = load_sources(instance.sources, instance.settings)
    return [Task(s, instance.root, folder / s.name, b"s" * 32, policy, SlugBook(())) for s in sources]


@pytest.fixture
def instance(office: Any) -> Instance:
    """An office with a request, its letter, a letter of an unknown class and a broken date; units are named."""
    office.request("q1", tracking="T1", person="p", closed="1404/05/09")
    office.letter("l1", tracking="T1", unit="Archive – North")
    office.letter("l2", secrecy="?", registered="1404/13/01")
    office.steps.append(("q1", "received", "1404/05/01 09:00", None))
    office.referrals.append(("l1", "refer_on", "1404/05/02 10:00", None, "Legal"))
    made: Instance = office.write()
    path = made.sources / "automation" / "source.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"unit"', '{ column = "unit", code = "slug", lang = "en" }'), encoding="utf-8")
    return made


def test_processes_read_what_one_process_reads(instance: Instance, tmp_path: Path) -> None:
    """Files, instants and public names are equal; steps come across."""
    steps: list[tuple[str, int]] = []

    class Listener:
        def step(self, name: str, done: int, total: int | None = None) -> None:
            """Remember the step."""
            steps.append((name, done))

    here = read_sources(_tasks(instance, tmp_path / "here"), SILENT, large=HERE)
    apart = read_sources(_tasks(instance, tmp_path / "apart"), Listener(), large=APART)
    assert list(here) == list(apart) == ["automation", "desk"]
    for name, reading in here.items():
        assert apart[name].snapshot_at == reading.snapshot_at
        assert apart[name].slugs.labels() == reading.slugs.labels()
    files = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.parquet"))
    assert [str(path) for path in files] == [
        "automation/case_raw.parquet",
        "automation/event_raw.parquet",
        "automation/quarantine.parquet",
        "desk/case_raw.parquet",
        "desk/event_raw.parquet",
    ]
    for path in files:
        assert pq.read_table(tmp_path / "apart" / path).equals(pq.read_table(tmp_path / "here" / path))
    assert sorted(steps) == [("read automation", 1), ("read automation", 2), ("read desk", 1), ("read desk", 1)]


def test_an_error_of_a_process_comes_across_whole(instance: Instance, tmp_path: Path) -> None:
    """Its class and all of its parts are those of a source that is read here."""
    query = instance.sources / "desk" / "case.sql"
    query.write_text("select nothing from subject_row", encoding="utf-8")
    with pytest.raises(SourceError) as here:
        read_sources(_tasks(instance, tmp_path / "here"), SILENT, large=HERE)
    with pytest.raises(SourceError) as apart:
        read_sources(_tasks(instance, tmp_path / "apart"), SILENT, large=APART)
    assert vars(apart.value) == vars(here.value)
    assert apart.value.slug == "source-query-fails"


def test_a_code_that_nobody_knows_stops_before_any_source_is_read(instance: Instance, tmp_path: Path) -> None:
    """Every mapping is checked first."""
    path = instance.sources / "desk" / "source.toml"
    path.write_text(path.read_text().replace('constant = "permit"', 'constant = "permits"'))
    with pytest.raises(SettingsError, match="permits"):
        read_sources(_tasks(instance, tmp_path / "tasks"), SILENT, large=APART)
    assert list((tmp_path / "tasks").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc: the children of a process cannot be listed")
def test_a_process_that_is_killed_is_said(instance: Instance, tmp_path: Path) -> None:
    """Rows that a dead process did not give are not taken for none; the other process ends, too."""
    killed: list[int] = []

    class Killer:
        def step(self, name: str, done: int, total: int | None = None) -> None:
            """Kill whoever reads."""
            for pid in set(_children()) - set(before):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    _make_endless(instance, "")
    before = _children()
    with pytest.raises(SourceError) as caught:
        read_sources(_tasks(instance, tmp_path / "tasks"), Killer(), large=APART)
    assert caught.value.slug == "source-reader-died"
    assert killed
    assert _children() == before


def test_a_process_ends_with_whoever_started_it(instance: Instance, tmp_path: Path) -> None:
    """When the socket closes the reader leaves in the midst of an endless query."""
    _make_endless(instance, "where i < 0")  # its case rows are told, then nothing more
    task = _tasks(instance, tmp_path / "tasks")[1]
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "etl.extract.reader", str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        with Connection(ours.detach()) as wire:
            wire.send(task)
            assert wire.recv() == Step("read desk", 1)
        try:
            assert process.wait(timeout=20) == 1
        finally:
            process.kill()


def _make_endless(instance: Instance, condition: str) -> None:
    """Let the desk's events be a query without an end."""
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n)"
    event = "select 'q1' as ref, 'received' as action, '1404/05/01 09:00' as at, null as unit from n"
    (instance.sources / "desk" / "event.sql").write_text(f"{numbers} {event} {condition}", encoding="utf-8")


def _children() -> list[int]:
    """List the processes that this one started and that are there."""
    return [int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
