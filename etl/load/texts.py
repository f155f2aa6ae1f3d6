"""Which texts may stand in a released cell: no formula, no invisible direction control, no planted identity.

The demo's office lists every identity it made up (`etl.model.canaries`); one of them in a released text means that the
anonymisation leaks, whatever the counts say. A real body has no such list; the other rules hold there too. Texts are
looked at once.
"""

from __future__ import annotations

import re

from etl.model.canaries import Canaries, make_canaries
from etl.model.text import fold, has_bidi_control

FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORD = re.compile(r"\S+")


class TextCheck:
    """A memory of texts that were found clean, so that a code is looked at once in a run."""

    def __init__(self, canaries: Canaries | None = None) -> None:
        """Prepare for canaries (default: none)."""
        self._canaries = canaries or make_canaries(())
        self._longest = max(self._canaries.lengths, default=0)
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
        if not self._longest:
            return False
        words = {
            (folded[word.start() : word.end() + self._longest - 1], word.end() - word.start())
            for word in _WORD.finditer(folded)
        } - self._clean_words
        parts = (
            text[start : start + length]
            for text, starts in words
            for start in range(starts)
            for length in self._canaries.lengths
            if start + length <= len(text)
        )
        if self._canaries.holds_any(parts):
            return True
        self._clean_words |= words
        return False
