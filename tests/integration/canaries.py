"""Look for identities in every byte of folders: as they are, inside gzip, Parquet and SQLite, in other encodings.

Forms looked for: UTF-8 and UTF-16 (both orders); digits in three scripts (ASCII, Persian, Arabic-Indic); base64 in its
three alignments. Texts are also looked for inside cells of Parquet (whose pages may be compressed) and inside gzip
members. SQLite files are read as raw bytes, so that deleted rows count too. The scanner knows nothing of our code.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ASCII_DIGITS, PERSIAN_DIGITS, ARABIC_DIGITS = "0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"
SHORTEST = 10  # characters; shorter ones would occur by chance
HEAD = 8  # bytes of a form that are looked up
TABLE_BITS = 24


@dataclass(frozen=True)
class Finding:
    """A canary seen: in which file, in which layer of it, and the number of the canary (never the canary itself)."""

    file: str
    layer: str
    canary_number: int


def read_canaries(path: Path) -> list[str]:
    """Read one identity a line."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def forms(canary: str) -> Iterator[bytes]:
    """Give every byte form in which a canary might stand in a file."""
    for text in {canary, *_other_digits(canary)}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield text.encode(encoding)
        plain = text.encode("utf-8")
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + plain).decode()
            start, end = (0, 2, 3)[shift], len(coded) - (4 if coded.endswith("=") else 0)
            if end - start >= SHORTEST:
                yield coded[start:end].encode()


class Scanner:
    """Finds canaries in bytes: the first eight bytes of every form are looked up at every position, then the rest."""

    def __init__(self, canaries: Iterable[str]) -> None:
        """Prepare all forms of all canaries."""
        self._by_head: dict[int, list[tuple[bytes, int]]] = {}
        for number, canary in enumerate(canaries):
            for form in forms(canary):
                self._by_head.setdefault(int.from_bytes(form[:HEAD], "little"), []).append((form, number))
        self._is_near = np.zeros(1 << TABLE_BITS, dtype=bool)
        self._is_near[_bucket(np.array(list(self._by_head), dtype=np.uint64))] = True

    def find(self, data: bytes) -> set[int]:
        """Give the numbers of the canaries that stand in `data`."""
        found: set[int] = set()
        for shift in range(min(HEAD, len(data))):
            words = np.frombuffer(data, dtype="<u8", offset=shift, count=(len(data) - shift) // HEAD)
            for index in np.nonzero(self._is_near[_bucket(words)])[0].tolist():
                candidates = self._by_head.get(int(words[index]), ())
                found.update(n for form, n in candidates if data.startswith(form, shift + index * HEAD))
        return found


def _bucket(words: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return (words * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - TABLE_BITS)


def layers(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give a file's raw bytes and what is packed inside: members of gzip, cells of Parquet."""
    raw = path.read_bytes()
    yield "raw", raw
    if raw[:2] == b"\x1f\x8b":
        yield "gzip", gzip.decompress(raw)
    if raw[:4] == b"PAR1":
        yield "parquet", _cells(path)


def scan(folders: Iterable[Path], canaries: list[str]) -> list[Finding]:
    """Look into every file below the folders, and into the names of files."""
    scanner = Scanner(canaries)
    findings = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = [("name", path.name.encode())]
            if path.is_file() and not path.is_symlink():
                parts += layers(path)
            findings += [Finding(path.name, layer, n) for layer, data in parts for n in scanner.find(data)]
    return findings


def _other_digits(canary: str) -> set[str]:
    plain = canary.translate(str.maketrans(PERSIAN_DIGITS + ARABIC_DIGITS, ASCII_DIGITS * 2))
    return {
        plain.translate(str.maketrans(ASCII_DIGITS, script)) for script in (ASCII_DIGITS, PERSIAN_DIGITS, ARABIC_DIGITS)
    }


def _cells(path: Path) -> bytes:
    parts = []
    for column in pq.read_table(path).columns:
        if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type) or pa.types.is_integer(column.type):
            parts += [str(value) for value in column.unique().to_pylist() if value is not None]
    return "\n".join(parts).encode("utf-8")
