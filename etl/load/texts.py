"""Which texts may stand in a released cell: no formula, no invisible direction control, no planted identity.

The demo's office lists every identity it made up (`office/canaries.txt`); one of them in a released text means that
the anonymisation leaks, whatever the counts say. A real body has no such list; the other rules hold there too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from etl.model.text import fold, has_bidi_control

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TextCheck:
    """A memory of texts that were found clean, so that a code is looked at once in a run."""

    def __init__(self, canaries: Iterable[str] = ()) -> None:
        """Prepare for canaries in any spelling (digits of three scripts, Arabic letters, case)."""
        self._canaries = frozenset(filter(None, (fold(canary) for canary in canaries)))
        self._lengths = sorted({len(canary) for canary in self._canaries})
        self._clean: set[str] = set()

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
        return any(
            folded[start : start + length] in self._canaries
            for length in self._lengths
            for start in range(len(folded) - length + 1)
        )


def read_canaries(office: Path) -> list[str]:
    """Read the demo's planted identities, one a line; none where there is no demo office."""
    path = office / "canaries.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
