"""The process that reads one source for another process: `python -m etl.extract.reader FD`.

Where it stands: started by `etl.extract.reading`, which sends a task over the socket FD and gets steps, then the reading or
a PortalError. It lives no longer than its parent, whatever ends that one, and leaves Ctrl-C to it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread

from etl.errors import PortalError
from etl.extract.reading import Step, read_one
from etl.instance import explain_disk


@dataclass(frozen=True)
class _Teller:
    """Sends steps to the parent, as far as it listens; a Progress."""

    wire: Connection

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Send the step, unless the parent has many to read yet: reading does not wait for that."""
        if select.select([], [self.wire], [], 0)[1]:
            self.wire.send(Step(name, done))


def main(place: int) -> None:
    """Read the source of the task that comes over the socket at `place`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(place) as wire:
        task = wire.recv()
        Thread(target=_leave_with, args=(wire,), daemon=True).start()
        try:
            with explain_disk():
                wire.send(read_one(task, _Teller(wire)))
        except PortalError as error:
            wire.send(error)


def _leave_with(wire: Connection) -> None:
    """Leave at once when the parent is gone: nobody is left to send to, and nobody to clear up after this process."""
    wire.poll(None)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
