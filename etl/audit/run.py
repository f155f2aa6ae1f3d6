"""All attackers one after the other, and their report (DESIGN §6 `audit.json`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from etl.audit import (
    differencing,
    flows,
    fuzzer,
    homogeneity,
    linkage,
    minimality,
    pages,
    programme,
    side_channels,
    sums,
    times,
)
from etl.audit.evidence import Evidence
from etl.audit.finding import Attack
from etl.metadata import load_dictionary
from etl.model.progress import SILENT, Progress

ATTEMPTS = 10_000
SEED = 1403


class Attacker(Protocol):
    """The one shape of all attackers."""

    def __call__(self, evidence: Evidence, *, seed: int, attempts: int) -> Attack:
        """Attack what is published; the same seed tries the same things."""


ATTACKERS: Mapping[str, Attacker] = {
    fuzzer.NAME: fuzzer.attack,
    sums.NAME: sums.attack,
    differencing.NAME: differencing.attack,
    flows.NAME: flows.attack,
    linkage.NAME: linkage.attack,
    minimality.NAME: minimality.attack,
    programme.NAME: programme.attack,
    homogeneity.NAME: homogeneity.attack,
    times.NAME: times.attack,
    side_channels.NAME: side_channels.attack,
    pages.NAME: pages.attack,
}


@dataclass(frozen=True)
class Audit:
    """What all attackers did with the releases up to `release_id`."""

    release_id: str
    release_count: int
    k: int
    policy_sha256: str
    seed: int
    attempts: int
    attacks: tuple[Attack, ...]

    @property
    def hit_count(self) -> int:
        """Hits of all attackers."""
        return sum(attack.hit_count for attack in self.attacks)

    @property
    def attempt_count(self) -> int:
        """Attempts of all attackers."""
        return sum(attack.attempts for attack in self.attacks)


def audit(
    evidence: Evidence,
    *,
    seed: int = SEED,
    attempts: int = ATTEMPTS,
    only: Sequence[str] = tuple(ATTACKERS),
    progress: Progress = SILENT,
) -> Audit:
    """Attack what is published with every attacker, or those named in `only`.

    seed, attempts: of the attackers that draw; the others try all there is. Equal evidence and seed give an equal report.
    """
    attacks = []
    for number, name in enumerate(only, 1):
        attacks.append(attack_with(name, evidence, seed=seed, attempts=attempts))
        progress.step("attack", number, len(only))
    newest = evidence.newest
    return Audit(
        newest.release_id, len(evidence.releases), evidence.k, newest.policy_sha256, seed, attempts, tuple(attacks)
    )


def attack_with(name: str, evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Attack what is published with one attacker."""
    return ATTACKERS[name](evidence, seed=seed, attempts=attempts)


def audit_document(report: Audit) -> dict[str, Any]:
    """Write a report as plain values: counts, and the hits with their place."""
    return {
        "schema_version": load_dictionary().schema_version,
        "release_id": report.release_id,
        "release_count": report.release_count,
        "k": report.k,
        "policy_sha256": report.policy_sha256,
        "seed": report.seed,
        "attempts_asked": report.attempts,
        "attempt_count": report.attempt_count,
        "hit_count": report.hit_count,
        "attackers": [
            {
                "attacker": attack.attacker,
                "attempt_count": attack.attempts,
                "hit_count": attack.hit_count,
                "hits": [
                    {"tables": list(hit.tables), "where": hit.where, "learnt": hit.learnt} for hit in attack.findings
                ],
                "limits": dict(attack.limits),
            }
            for attack in report.attacks
        ],
    }
