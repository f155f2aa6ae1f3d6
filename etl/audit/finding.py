"""What an attacker brings home: hits, and limits that are declared and counted (DESIGN §4 "Laws").

A hit says that something can be learnt of fewer than k persons; it stops a release. A limit is what the law makes exact
or what k-anonymity never promised; it is counted, so that nobody has to take its size on trust. The words for both, in
Persian and English, stand in `words.yml`. A finding names published values only: everything here is made from what
everybody can download.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

HITS_KEPT = 20  # per attacker, with their place; the others are counted


@dataclass(frozen=True)
class Finding:
    """A hit: who found it, in which tables, where (a predicate on published values), and what could be learnt."""

    attacker: str
    tables: tuple[str, ...]
    where: str
    learnt: str


@dataclass(frozen=True)
class Attack:
    """What one attacker did: attempts, hits in all, the first of them, and counted limits."""

    attacker: str
    attempts: int
    hit_count: int
    findings: tuple[Finding, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


class Tally:
    """The running count of one attacker."""

    def __init__(self, attacker: str) -> None:
        """Begin with nothing tried."""
        self.attacker = attacker
        self._attempts = 0
        self._hits = 0
        self._findings: list[Finding] = []
        self._limits: Counter[str] = Counter()

    def tried(self, times: int = 1) -> None:
        """Count attempts."""
        self._attempts += times

    def hit(self, learnt: str, *, tables: tuple[str, ...], where: str) -> None:
        """Count a hit and keep the first ones."""
        self._hits += 1
        if len(self._findings) < HITS_KEPT:
            self._findings.append(Finding(self.attacker, tables, where, learnt))

    def limit(self, slug: str, times: int = 1) -> None:
        """Count a declared limit."""
        if times:
            self._limits[slug] += times

    def done(self) -> Attack:
        """Give the sum."""
        limits = dict(sorted(self._limits.items()))
        return Attack(self.attacker, self._attempts, self._hits, tuple(self._findings), limits)
