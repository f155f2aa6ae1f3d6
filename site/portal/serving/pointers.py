"""What is current: `datasets/current.json` and `public/current.json`, read again when they change (CONTRACT "Instance").

A pointer is a small file put in place by a rename, after everything that it points to; there is no symlink. A pointer
that cannot be read leaves the last good one standing and is logged, so that a half-made release is never served.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RELEASE_ID: Final = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_LOG = logging.getLogger("shafaf.serve")
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Pointer:
    """A release that is in place: its id, the civil date of its data (ISO text), and the file or folder it names."""

    release_id: str
    as_of_on: str
    target: Path


def stamp(path: Path) -> Stamp | None:
    """Give what changes when a file is replaced (inode, time, size); None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_pointer(path: Path, *, is_site: bool) -> Pointer | None:
    """Read a pointer and check that what it names is there; None (and a line in the log) where it is not."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        release_id = str(found["release_id"])
        name = release_id if is_site else str(found["database"])
        as_of_on = str(found.get("as_of_on", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _LOG.warning("pointer %s unreadable: %s", path.parent.name, type(error).__name__)
        return None
    if not RELEASE_ID.match(release_id) or name not in (release_id, f"portal-{release_id}.db"):
        _LOG.warning("pointer %s names no release", path.parent.name)
        return None
    target = path.parent / name
    if not (target.is_dir() if is_site else target.is_file()):
        _LOG.warning("pointer %s names %s, which is not there", path.parent.name, release_id)
        return None
    return Pointer(release_id, as_of_on, target)


class Watched:
    """A pointer that is looked at before each use and read again only when its file was replaced."""

    def __init__(self, path: Path, *, is_site: bool) -> None:
        """Watch a `current.json`; nothing is read yet."""
        self._path = path
        self._is_site = is_site
        self._stamp: Stamp | None = None
        self._pointer: Pointer | None = None

    def look(self) -> Pointer | None:
        """Give the newest good pointer; None before the first release."""
        seen = stamp(self._path)
        if seen is not None and seen != self._stamp:
            self._stamp = seen
            self._pointer = read_pointer(self._path, is_site=self._is_site) or self._pointer
        return self._pointer
