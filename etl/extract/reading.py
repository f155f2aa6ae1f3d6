"""All sources into files of typed rows: one after the other, or large ones side by side, each by a process of its own.

Where it stands: called by the run, before the working tables. A process of its own (`etl.extract.reader`) has its own
connection and snapshot, writes the same files, and ends with whoever started it: it gets its task, the secret in it,
over a socket, and leaves when that closes. The largest source is read here meanwhile, and small ones, sooner than a
process starts.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path

from etl.errors import PortalError, SourceError
from etl.extract.changes import Gone, Window, find_gone, is_due, read_marks
from etl.extract.convert import Converter
from etl.extract.keys import Hasher
from etl.extract.mapping import SourceMap
from etl.extract.opening import open_source, size_of
from etl.extract.read import read_snapshot, read_source
from etl.extract.rows import Marks
from etl.extract.vocabulary import SlugBook, Vocabulary
from etl.metadata import Policy
from etl.model.progress import Progress

LARGE = 32 << 20  # bytes of a source that are worth a process


@dataclass(frozen=True)
class Task:
    """What reading one source takes; `folder` gets its files, `slugs` knows the names of earlier runs."""

    source: SourceMap
    root: Path
    folder: Path
    secret: bytes
    policy: Policy
    slugs: SlugBook
    window: Window | None = None  # None: read it whole


@dataclass(frozen=True)
class Step:
    """What a process that reads has to tell on its way: see `Progress`."""

    name: str
    done: int


@dataclass(frozen=True)
class Reading:
    """What is known of a source that was read: the instant (UTC) its rows stand for, and the names behind its slugs.

    gone: cases that a window found to be gone; None where the source was read whole, or `is_short`: it has to be.
    """

    snapshot_at: datetime
    slugs: SlugBook
    marks: Marks | None = None
    gone: Gone | None = None
    is_short: bool = False
    left_out: int = 0  # rows that are none by [leave_out]
    first_rows: Mapping[str, int] = field(default_factory=dict)  # of several files: name -> number of its first row


def read_sources(tasks: Sequence[Task], progress: Progress, *, large: int = LARGE) -> dict[str, Reading]:
    """Read every source into its folder; where several have `large` bytes or more, all but the largest in processes.

    Errors: SettingsError for a code nobody knows, else those of `read_source`; SourceError where a process was killed.
    """
    for task in tasks:
        Vocabulary(task.policy).check(task.source)
    whole = [task for task in tasks if task.window is None] if len(tasks) > 1 else []
    bytes_of = {task.source.name: size_of(task.source, task.root) for task in whole}
    apart = [task for task in whole if bytes_of[task.source.name] >= large]
    largest = max(apart, key=lambda task: bytes_of[task.source.name], default=None)
    readings = dict(_read_apart(apart, progress, here=largest)) if largest is not None and len(apart) > 1 else {}
    readings |= {task.source.name: read_one(task, progress) for task in tasks if task.source.name not in readings}
    return {task.source.name: readings[task.source.name] for task in tasks}


def read_one(task: Task, progress: Progress) -> Reading:
    """Read one source in this process."""
    source = task.source
    hasher = Hasher(task.secret, source.name)
    converter = Converter(source, Vocabulary(task.policy), hasher=hasher, slugs=task.slugs)
    with open_source(source, task.root) as rows:
        snapshot_at, window = read_snapshot(source, rows), task.window
        if window is not None and is_due(source, window, snapshot_at):
            return Reading(snapshot_at, task.slugs, is_short=True)
        system, since = task.policy.calendar.system, window.marks if window else None
        read_source(rows, converter, task.folder, system=system, progress=progress, since=since)
        gone = find_gone(rows, converter, task.folder, window.known) if window else None
        marks = read_marks(rows, source) if source.changes.column else None
    is_short = window is not None and gone is None
    return Reading(snapshot_at, task.slugs, marks, gone, is_short, rows.left_out, dict(rows.first_rows))


def _read_apart(tasks: Sequence[Task], progress: Progress, *, here: Task) -> Iterator[tuple[str, Reading]]:
    """Read sources in processes of their own, as many at a time as there are cores, and the one `here` meanwhile.

    None of the processes outlives this function.
    """
    waiting = [task for task in tasks if task is not here]
    running: dict[Connection, tuple[Task, subprocess.Popen[bytes]]] = {}
    cores = os.cpu_count() or 1
    with _ended(running):
        while waiting and len(running) < max(cores - 1, 1):
            running.update([_start(waiting.pop(0))])
        yield here.source.name, read_one(here, progress)
        while waiting or running:
            while waiting and len(running) < cores:
                running.update([_start(waiting.pop(0))])
            for wire in _ready(running):
                task, process = running[wire]
                told = _receive(wire, task)
                if isinstance(told, Step):
                    progress.step(told.name, told.done)
                    continue
                yield task.source.name, told
                process.wait()
                wire.close()
                del running[wire]


def _ready(wires: Iterable[Connection]) -> list[Connection]:
    return [wire for wire in wait(list(wires)) if isinstance(wire, Connection)]


def _start(task: Task) -> tuple[Connection, tuple[Task, subprocess.Popen[bytes]]]:
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "etl.extract.reader", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    wire = Connection(ours.detach())
    wire.send(task)
    return wire, (task, process)


def _receive(wire: Connection, task: Task) -> Step | Reading:
    try:
        told: Step | Reading | PortalError = wire.recv()
    except (EOFError, ConnectionError):
        raise SourceError(
            "source-reader-died",
            found=f"the process that read source {task.source.name!r} gone before its end",
            expected="a process that reads to the end; nothing was written",
            todo="Look whether the system killed it for want of memory, and run again.",
        ) from None
    if isinstance(told, PortalError):
        raise told
    return told


@contextmanager
def _ended(running: dict[Connection, tuple[Task, subprocess.Popen[bytes]]]) -> Iterator[None]:
    """End every process that still runs when the work inside ends, however it ends."""
    try:
        yield
    finally:
        for wire, (_, process) in running.items():
            process.kill()
            process.wait()
            wire.close()
