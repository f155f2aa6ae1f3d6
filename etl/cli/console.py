"""What people see on stderr: progress of long work, and errors in three parts.

On a terminal progress is drawn with rich; elsewhere each step is one line, so that logs of cron and systemd stay short.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from etl.errors import PortalError
from etl.model.progress import Progress


class LineProgress:
    """A listener that writes one line when a step begins."""

    def __init__(self) -> None:
        """Start with no step known."""
        self._known: set[str] = set()

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Write the name of a step the first time it is heard of."""
        if name not in self._known:
            self._known.add(name)
            tell(f"{name} …" if total is None else f"{name} ({total:,}) …")


class BarProgress:
    """A listener that draws one bar a step."""

    def __init__(self, bars: RichProgress) -> None:
        """Draw into `bars`."""
        self._bars = bars
        self._tasks: dict[str, object] = {}

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Move the bar of the step `name`."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)  # type: ignore[arg-type]


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Give a listener that draws bars on a terminal and writes lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield LineProgress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=console, transient=True) as bars:
        yield BarProgress(bars)


def tell_error(error: PortalError) -> None:
    """Write an error's three parts and where it is explained to stderr."""
    for name, text in (("found", error.found), ("expected", error.expected), ("do", error.todo)):
        tell(f"{name + ':':<10}{text}")
    tell(f"{'more:':<10}docs/reference/errors.md#{error.slug} (exit {error.exit_code})")


def show_log(name: str) -> None:
    """Show what the logger `name` says, from level info up, as plain lines on stderr."""
    logger = logging.getLogger(name)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def tell(text: str) -> None:
    """Write a line for people to stderr; a run does not end because nobody reads it any more."""
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)
