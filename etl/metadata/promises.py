"""What released policies promised: a policy may change with any release, the protection of waiting cases may not shrink.

A changed policy holds for everything that is peeled from now on, also for cases that were counted before and wait for
their group (of an open season or year, or late). They were counted under a k and under marks of sensitive services that
anybody could read; so while a case waits, k is not lowered and no mark is taken off: whoever waits was counted after the
last release at which nobody did, so the policies since then bind. Which cadence holds for a body is
fixed for a calendar year, so the limits of cadences are those of the first release of the year (CONTRACT "Periods").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etl.errors import PrivacyError
from etl.metadata.settings import Cadence, Policy

Decisive = Mapping[str, Any]  # Policy.decisive, as released in policy.yml


@dataclass(frozen=True)
class Promises:
    """What binds the next release: the smallest k, the services to be marked sensitive, the cadence limits by year code.

    newest_k, k_since: the k of the newest release, and the first of those before it that all had the same.
    """

    k: int = 0
    sensitive: frozenset[str] = frozenset()
    cadence: Mapping[str, Cadence] = field(default_factory=dict)
    newest_k: int = 0
    k_since: str = ""

    def same_k_since(self, month: str, k: int) -> str:
        """Give the first month since when every release up to that of a month, which has this k, had the same.

        >>> Promises(newest_k=10, k_since="1404-03").same_k_since("1404-06", 10), Promises().same_k_since("1404-06", 10)
        ('1404-03', '')
        >>> Promises(newest_k=10, k_since="1404-03").same_k_since("1404-06", 12)
        '1404-06'
        """
        return month if self.newest_k not in (0, k) else self.k_since


def promises_of(released: Sequence[tuple[str, Decisive, int]]) -> Promises:
    """Collect what releases promised: (release_id, policy, finished cases that wait after it) of each, oldest first.

    >>> strict, usual = Policy(k=12).decisive, Policy().decisive
    >>> promises_of([("1404-12", strict, 3), ("1405-01", usual, 3)]).k
    12
    >>> after = promises_of([("1404-12", strict, 0), ("1405-01", usual, 3)])
    >>> after.k, after.newest_k, after.k_since
    (10, 10, '1405-01')
    """
    cadence: dict[str, Cadence] = {}
    k, marks = 0, frozenset[str]()
    newest_k, k_since = 0, ""
    for release_id, policy, waiting in released:
        cadence.setdefault(release_id[:4], Cadence(**policy["cadence"]))
        k = max(k, policy["k"]) if waiting else 0
        if policy["k"] != newest_k:
            newest_k, k_since = policy["k"], release_id
        marks = (
            marks.union(policy.get("sensitive_services", policy["sensitive"]["services"])) if waiting else frozenset()
        )
    return Promises(k, marks, cadence, newest_k, k_since)


def check_promises(policy: Policy, promises: Promises) -> None:
    """Refuse a policy that protects waiting cases less than those they were counted under; PrivacyError."""
    if policy.k < promises.k:
        raise _lowered(f"k = {policy.k}, below the {promises.k} of an earlier release", f"k of at least {promises.k}")
    known = {node.id for node in policy.services}
    bare = (promises.sensitive & known) - policy.sensitive_roots
    if bare:
        found = f"{len(bare)} services without the mark `sensitive` that an earlier release gave them"
        raise _lowered(found, "every mark that was once released")


def policy_changes(old: Decisive, new: Decisive) -> tuple[str, ...]:
    """Name what differs between two policies: `k 10 → 12` where both are plain values, else the key alone.

    >>> policy_changes(Policy().decisive, Policy(k=12, patterns="mined").decisive)
    ('k 10 → 12', 'patterns public → mined')
    """
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return tuple(_change(name, old.get(name), new.get(name)) for name in names)


def _change(name: str, old: object, new: object) -> str:
    return f"{name} {old} → {new}" if isinstance(old, int | str) and isinstance(new, int | str) else name


def _lowered(found: str, expected: str) -> PrivacyError:
    return PrivacyError(
        "policy-lowered",
        found=f"{found}, while cases wait that were counted under it",
        expected=expected,
        todo="Put it back. Protection may grow with any release; it may shrink only when nobody waits (margin.awaiting_count).",
    )
