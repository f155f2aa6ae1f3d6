"""Bytes that survive a power cut: write, fsync, rename, fsync the folder (DESIGN §6 "Order").

Used by every stage that puts a file or folder in place. It knows no tables and no releases.
"""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_WAITING = 8  # files that wait for the disk together: it writes them in one go, not in a turn of its own each


def write_durable(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a new file and force it to disk; the name appears at once and need not be whole before (use in staging)."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durable(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put a file in place whole: a reader sees the old bytes or the new ones, never a half of them."""
    temp = path.with_name(f".{path.name}.tmp")
    temp.unlink(missing_ok=True)  # of a run that died, perhaps with another mode
    write_durable(temp, content, mode=mode)
    rename_durable(temp, path)


def rename_durable(source: Path, target: Path) -> None:
    """Put a file or folder (already on disk) in the place of `target` and force the new name to disk."""
    source.replace(target)
    for folder in {target.parent, source.parent}:
        sync_folder(folder)


def make_folder_durable(path: Path, *, mode: int = 0o777) -> Path:
    """Make a folder and those above it, where they are missing, force their names to disk, and give it."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
        sync_folder(folder.parent)
    return path


def sync_tree(path: Path) -> None:
    """Force everything below a folder to disk, and its own names: what a rename then shows is whole."""
    with ThreadPoolExecutor(_WAITING) as pool:
        list(pool.map(sync_file, (path, *path.rglob("*"))))  # asked for, so that what one of them meets is raised


def sync_file(path: Path) -> None:
    """Force a file that another program wrote to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to disk."""
    sync_file(path)


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_bytes(value: Any) -> bytes:
    """Write a value as JSON for people and machines: sorted keys, UTF-8, one trailing line feed; equal value, equal bytes."""
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
