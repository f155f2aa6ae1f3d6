"""Planted identities: every name, number and address that the demo's office made up, which no released text may hold.

Where it stands: between the office that plants them (`etl.demo`) and the gate that looks for them (`etl.load`). A big office
has millions; each is kept as eight bytes, a hash of the folded text. The office keeps these hashes beside its list, so that
a release need not make them again; they count only for the very list they were made of. Two texts with one hash would
refuse a release without a reason, never let one pass.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from itertools import filterfalse, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etl.model.text import fold

NAME = "canaries.txt"
HASHES = "canaries.npz"
_BETWEEN = "\0"  # survives folding, and stands in no text
_CHUNK = 2_000

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Canaries:
    """Sorted hashes of folded canaries, and their lengths in characters, ascending."""

    hashes: Hashes
    lengths: tuple[int, ...]

    def holds_any(self, texts: Iterable[str]) -> bool:
        """Say whether one of some folded texts is a canary."""
        sought = _hashes_of(texts)
        place = np.minimum(np.searchsorted(self.hashes, sought), len(self.hashes) - 1)
        return bool(len(self.hashes) and (self.hashes[place] == sought).any())


def make_canaries(texts: Iterable[str]) -> Canaries:
    """Take in canaries of any spelling (digits of three scripts, Arabic letters, case).

    Numbers apart from names: a text of ASCII alone folds at once, and most canaries are numbers.
    """
    hashes, lengths = [np.empty(0, np.uint64)], set[int]()
    rest = iter(texts)
    while chunk := list(islice(rest, _CHUNK)):
        for part in (filter(str.isascii, chunk), filterfalse(str.isascii, chunk)):
            text = fold(_BETWEEN.join(part)).replace(f" {_BETWEEN}", _BETWEEN).replace(f"{_BETWEEN} ", _BETWEEN)
            folded = text.split(_BETWEEN)
            hashes.append(_hashes_of(folded))
            lengths.update(map(len, folded))
    whole = np.concatenate(hashes)
    whole.sort()
    return Canaries(whole, tuple(sorted(lengths - {0})))


def read_canaries(office: Path) -> Canaries:
    """Read the canaries of a demo office, by their hashes where these are of its list; none where there is no office."""
    path = office / NAME
    if not path.exists():
        return make_canaries(())
    try:
        with (office / HASHES).open("rb") as file, np.load(file) as kept:
            if bytes(kept["of"]) == _digest_of(path):
                return Canaries(kept["hashes"], tuple(kept["lengths"].tolist()))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # none, or half of one: the list itself is always there
    with path.open(encoding="utf-8") as lines:
        return make_canaries(lines)


def write_hashes(folder: Path) -> None:
    """Put the hashes of the list of canaries in a folder beside it."""
    with (folder / NAME).open(encoding="utf-8") as lines:
        canaries = make_canaries(lines)
    of = np.frombuffer(_digest_of(folder / NAME), np.uint8)
    np.savez(folder / HASHES, of=of, hashes=canaries.hashes, lengths=np.array(canaries.lengths))


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, "sha256").digest()


def _hashes_of(texts: Iterable[str]) -> Hashes:
    return np.frombuffer(b"".join(_hashed(texts)), np.uint64)


def _hashed(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        yield blake2b(text.encode(), digest_size=8).digest()
