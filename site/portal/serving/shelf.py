"""The explorer of the current release, exchanged without a restart: open the new one, check it, switch, close the old.

A running Datasette keeps the file it was opened on, whatever happens to names, so each release gets an object of its own.
Requests under way keep theirs; it is closed when the last of them ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.serving.explorer import Explorer
from portal.serving.pointers import Pointer, Watched

_LOG = logging.getLogger("shafaf.serve")


@dataclass
class _Lent:
    """An explorer, how many requests use it, and whether a newer one took its place."""

    pointer: Pointer
    explorer: Explorer
    users: int = 0
    is_old: bool = False


class Shelf:
    """Lends the explorer of the newest release (`lend`); exchanges it when `datasets/current.json` was replaced."""

    def __init__(self, datasets: Path) -> None:
        """Watch a datasets folder; nothing is opened before the first request."""
        self._datasets = datasets
        self._watched = Watched(datasets / "current.json", is_site=False)
        self._lent: _Lent | None = None
        self._refused: Pointer | None = None
        self._exchange = asyncio.Lock()

    async def pointer(self) -> Pointer | None:
        """Give the release that is lent; None before the first one."""
        lent = await self._newest()
        return None if lent is None else lent.pointer

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Explorer | None]:
        """Lend the explorer for one request; None before the first release."""
        lent = await self._newest()
        if lent is None:
            yield None
            return
        lent.users += 1
        try:
            yield lent.explorer
        finally:
            lent.users -= 1
            await _close_unused(lent)

    async def close(self) -> None:
        """Close the explorer at the end of the server."""
        if self._lent is not None:
            self._lent.is_old = True
            await _close_unused(self._lent)
            self._lent = None

    async def _newest(self) -> _Lent | None:
        wanted = self._watched.look()
        if not self._is_due(wanted):
            return self._lent
        if self._lent is not None and self._exchange.locked():
            return self._lent  # another request is opening the new one; nobody waits for it
        async with self._exchange:
            if wanted is not None and self._is_due(wanted):
                await self._open(wanted)
        return self._lent

    def _is_due(self, wanted: Pointer | None) -> bool:
        return wanted is not None and wanted != self._refused and (self._lent is None or self._lent.pointer != wanted)

    async def _open(self, wanted: Pointer) -> None:
        try:
            explorer = Explorer(wanted.target, read_metadata(self._datasets / "datasette.json"))
            await explorer.start()
        except sqlite3.Error as error:
            _LOG.error("release %s cannot be opened (%s); the last one stays", wanted.release_id, type(error).__name__)
            self._refused = wanted
            return
        old, self._lent = self._lent, _Lent(wanted, explorer)
        _LOG.info("serving release %s", wanted.release_id)
        if old is not None:
            old.is_old = True
            await _close_unused(old)


async def _close_unused(lent: _Lent) -> None:
    if lent.is_old and lent.users == 0:
        lent.is_old = False  # closed once
        await lent.explorer.close()


def read_metadata(path: Path) -> Mapping[str, Any]:
    """Read what the release says about its tables for Datasette; nothing where there is no such file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
