"""Which texts may stand in a released cell: no formula, no invisible direction control, no planted identity.

The demo's office lists every identity it made up (`office/canaries.txt`); one of them in a released text means that
the anonymisation leaks, whatever the counts say. A real body has no such list; the other rules hold there too. A big
office has millions of canaries: they are kept as eight bytes each, Python's hash of the folded text, and texts are
looked at once. Two texts with one hash would refuse a release without a reason, never let one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import filterfalse, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etl.model.text import fold, has_bidi_control

FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BETWEEN = "\0"  # survives folding, and stands in no text
_WORD = re.compile(r"\S+")
_CHUNK = 100_000

Hashes = npt.NDArray[np.int64]


class TextCheck:
    """A memory of texts that were found clean, so that a code is looked at once in a run."""

    def __init__(self, canaries: Iterable[str] = ()) -> None:
        """Prepare for canaries in any spelling (digits of three scripts, Arabic letters, case)."""
        self._canaries, self._lengths = _remember(iter(canaries))
        self._longest = max(self._lengths, default=0)
        self._clean: set[str] = set()
        self._clean_words: set[tuple[str, int]] = set()  # a word with as much text after it as a canary has, its length

    def refuse_cell(self, text: str) -> str | None:
        """Name the rule that a cell breaks, or None; the text itself is never in the answer.

        >>> TextCheck().refuse_cell("=HYPERLINK(1)")
        'a formula'
        """
        if text in self._clean:
            return None
        rule = "a formula" if text.startswith(FORMULA) else self.refuse_text(text)
        if rule is None:
            self._clean.add(text)
        return rule

    def refuse_text(self, text: str) -> str | None:
        """Name the rule that any text breaks (a document may start with a dash), or None."""
        if has_bidi_control(text):
            return "an invisible direction control"
        return "a planted identity" if self._has_canary(fold(text)) else None

    def _has_canary(self, folded: str) -> bool:
        """Look for canaries word by word, since the documents of one policy are the same but for a few words."""
        if not self._lengths:
            return False
        words = {
            (folded[word.start() : word.end() + self._longest - 1], word.end() - word.start())
            for word in _WORD.finditer(folded)
        } - self._clean_words
        parts = [
            hash(text[start : start + length])
            for text, starts in words
            for start in range(starts)
            for length in self._lengths
            if start + length <= len(text)
        ]
        sought = np.array(parts, np.int64)
        place = np.minimum(np.searchsorted(self._canaries, sought), len(self._canaries) - 1)
        if (self._canaries[place] == sought).any():
            return True
        self._clean_words |= words
        return False


def read_canaries(office: Path) -> Iterator[str]:
    """Read the demo's planted identities, one a line; none where there is no demo office."""
    path = office / "canaries.txt"
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            yield from lines


def _remember(canaries: Iterator[str]) -> tuple[Hashes, list[int]]:
    """Give the sorted hashes of folded canaries and their lengths; many are folded at once, as one text.

    Numbers apart from names: a text of ASCII alone folds at once, and most canaries are numbers.
    """
    hashes, lengths = [np.empty(0, np.int64)], set[int]()
    while chunk := list(islice(canaries, _CHUNK)):
        for part in (filter(str.isascii, chunk), filterfalse(str.isascii, chunk)):
            text = fold(_BETWEEN.join(part)).replace(f" {_BETWEEN}", _BETWEEN).replace(f"{_BETWEEN} ", _BETWEEN)
            folded = text.split(_BETWEEN)
            hashes.append(np.fromiter(map(hash, folded), np.int64, len(folded)))
            lengths.update(map(len, folded))
    return np.sort(np.concatenate(hashes)), sorted(lengths - {0})
