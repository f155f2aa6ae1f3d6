"""The pages of an SQLite file, read as bytes: what a deleted row leaves behind (SQLite file format, §1.3 to §1.6).

A database that was edited keeps old rows in free pages, in free blocks and in the unused middle of its pages. A file made by
`VACUUM INTO` has none: at most old places of cells and their row ids stand there, never text. Nothing is opened, since readers
may be using the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = 100
_TEXT = re.compile(
    rb"[A-Za-z0-9_ .-]{6}|(?:[\xd8-\xdb][\x80-\xbf]){3}"
)  # Latin or Persian; places of cells are neither
_TREE_HEADS = {2: 12, 5: 12, 10: 8, 13: 8}  # kind of b-tree page -> length of its header


@dataclass(frozen=True)
class Pages:
    """What a database file has beside its rows."""

    page_count: int
    free_count: int
    dirty: tuple[int, ...]  # pages whose unused parts hold text


def read_pages(path: Path) -> Pages:
    """Look at every page; cost: one pass over the file, in memory of a page."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = int.from_bytes(head[16:18], "big")
        size = 65536 if size == 1 else size
        free = int.from_bytes(head[36:40], "big")
        file.seek(0)
        number, dirty = 0, []
        while page := file.read(size):
            number += 1
            if _has_residue(page, start=HEAD if number == 1 else 0):
                dirty.append(number)
    return Pages(number, free, tuple(dirty))


def _has_residue(page: bytes, *, start: int) -> bool:
    """Say whether the unused middle or a free block of a b-tree page holds text."""
    kind = page[start]
    if kind not in _TREE_HEADS:
        return False  # an overflow page, or a page of the free list, which is counted
    cells, content = (_number(page, start + place) for place in (3, 5))
    first = start + _TREE_HEADS[kind] + 2 * cells
    unused = [page[first : content or len(page)]]
    block = _number(page, start + 1)
    while block and len(unused) < len(page):
        unused.append(page[block + 4 : block + _number(page, block + 2)])
        block = _number(page, block)
    return any(_TEXT.search(part) for part in unused)


def _number(page: bytes, place: int) -> int:
    return int.from_bytes(page[place : place + 2], "big")
