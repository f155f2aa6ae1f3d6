"""How long work says where it is, without knowing who listens (a terminal, a log, nobody)."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener for steps of long work."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Tell that `done` of `total` (None: unknown) units of the step `name` are finished."""


class Silent:
    """A listener that ignores everything."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Ignore the step."""


SILENT = Silent()
