"""Starts the program: from here on Ctrl-C and SIGTERM end it in one line, while it is still being loaded too.

Loading takes most of a second, nothing is open meanwhile, and what is loaded may swallow an exception: so it is left at
once. Afterwards a signal is an exception, whichever it was: what is open is closed, and what was begun is taken back or
left for the next run to heal. A process that was told to ignore Ctrl-C (`nohup`) goes on ignoring it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType

STOPPED, TERMINATED = 130, 143  # as a shell says it: 128 and the number of the signal
_WORDS = "stopped; what was released is whole"


class Terminated(KeyboardInterrupt):
    """SIGTERM came (systemd, a machine that goes down): like Ctrl-C, with an exit code of its own."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    if args is None:  # a process of its own: its signals are ours
        _answer_signals(_leave_at_once)
    program = import_module("etl.cli.program")
    if args is None:
        _answer_signals(_stop)
    program.main(args)


def leave(error: BaseException) -> None:
    """Leave with the exit code of the signal that came, in one line."""
    print(_WORDS, file=sys.stderr)
    sys.exit(TERMINATED if isinstance(error, Terminated) else STOPPED)


def _answer_signals(answer: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, answer)


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    os.write(2, f"{_WORDS}\n".encode())
    os._exit(128 + number)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt
