"""What released policies promised: a policy may change with any release, the protection of waiting cases may not shrink.

A changed policy holds for everything that is peeled from now on, also for cases that were counted before and wait for
their group (of an open season or year, or late). They were counted under a k and under marks of sensitive services that
anybody could read; so while a case waits, k is not lowered and no mark is taken off. Which cadence holds for a body is
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
    """The largest k of all earlier releases, every service they marked sensitive, and the cadence limits by year code."""

    k: int = 0
    sensitive: frozenset[str] = frozenset()
    cadence: Mapping[str, Cadence] = field(default_factory=dict)


def promises_of(released: Sequence[tuple[str, Decisive]]) -> Promises:
    """Collect what releases promised; released: (release_id, policy) of each, oldest first.

    >>> promises_of([("1404-12", Policy(k=12).decisive), ("1405-01", Policy().decisive)]).k
    12
    """
    cadence: dict[str, Cadence] = {}
    for release_id, policy in released:
        cadence.setdefault(release_id[:4], Cadence(**policy["cadence"]))
    marks = (policy.get("sensitive_services", policy["sensitive"]["services"]) for _, policy in released)
    return Promises(
        max((policy["k"] for _, policy in released), default=0),
        frozenset(service for services in marks for service in services),
        cadence,
    )


def check_promises(policy: Policy, promises: Promises, *, waiting: int) -> None:
    """Refuse a policy that protects waiting cases less than the one they were counted under; PrivacyError.

    waiting: finished cases without a group at the newest release, over all bodies. 0: there is nobody to keep it for.
    """
    if not waiting:
        return
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
