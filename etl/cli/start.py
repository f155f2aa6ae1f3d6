"""Starts the program: from here on Ctrl-C and SIGTERM end it in one line, while it is still being loaded too.

Loading takes most of a second, nothing is open meanwhile, and what is loaded may swallow an exception: so it is left at
once. Afterwards a signal is an exception, whichever it was: what is open is closed, and what was begun is taken back or
left for the next run to heal. A process that was told to ignore Ctrl-C (`nohup`) goes on ignoring it. What Python does
once all is done, it does without answering signals, for as long as a busy machine takes: the process is left before that.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType

_AS_A_SHELL_SAYS_IT = 128  # and the number of the signal: 130 for Ctrl-C, 143 for SIGTERM
_WORDS = "stopped; what was released is whole"
_came: list[int] = []  # signals
_done: list[int] = []  # the exit code, once all is done


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    if args is None:  # a process of its own: its signals are ours
        _answer_signals(_leave_at_once)
        atexit.register(_end)  # the first to be registered is the last to be called
    program = import_module("etl.cli.program")
    if args is None:
        _answer_signals(_stop)
    try:
        program.main(args)
    except KeyboardInterrupt:  # while it was leaving
        leave()
    except SystemExit as done:
        if isinstance(done.code, int):
            _done.append(done.code)
        raise
    finally:
        if args is None:  # nothing is open any more
            _answer_signals(_leave_at_once)


def is_stopped() -> bool:
    """Say whether a signal came that ends the program: an engine may answer it by an exception of its own."""
    return bool(_came)


def leave() -> None:
    """Leave with the exit code of the signal that came, in one line."""
    print(_WORDS, file=sys.stderr)
    sys.exit(_AS_A_SHELL_SAYS_IT + (_came[0] if _came else signal.SIGINT))


def _answer_signals(answer: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, answer)


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    os.write(2, f"{_WORDS}\n".encode())
    os._exit(_AS_A_SHELL_SAYS_IT + number)


def _end() -> None:
    """Leave with the code of the signal or of the program; after another exception Python itself ends.

    Python would say Ctrl-C, whichever it was, if the exception went through `exec`.
    """
    if _came or _done:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_AS_A_SHELL_SAYS_IT + _came[0] if _came else _done[0])


def _stop(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt
