"""What released policies promised: a policy may change with any release, the protection of waiting cases may not shrink.

A changed policy holds for everything that is peeled from now on, also for cases that were counted before and wait for
their group (of an open season or year, or late). They were counted under a k and under marks of sensitive services that
anybody could read; so while a case waits, k is not lowered, no mark is taken off, and nothing else that hides an outcome
goes: whoever waits was counted after the last release at which nobody did, so the policies since then bind. Which cadence
holds for a body is fixed for a calendar year, so the limits of cadences are those of the first release of the year
(CONTRACT "Periods"); and so are the case types that its statutory table counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from etl.errors import PrivacyError
from etl.metadata.settings import Cadence, Policy

Decisive = Mapping[str, Any]  # Policy.decisive, as released in policy.yml


@dataclass(frozen=True)
class Promises:
    """What binds the next release: the smallest k, the services that stay sensitive, the cadence limits by year code.

    hidden: what else hides an outcome and has to stay (`_hidden`). largest_share: the most that may be promised.
    ordinary: the outcomes that may be called so (None: any). statutory: the case types that may be counted exactly while
    cases wait (None: any), and statutory_in: those of a year, by its code.
    """

    k: int = 0
    sensitive: frozenset[str] = frozenset()
    cadence: Mapping[str, Cadence] = field(default_factory=dict)
    hidden: frozenset[tuple[str, ...]] = frozenset()
    largest_share: float = 1.0
    ordinary: frozenset[str] | None = None
    statutory: frozenset[str] | None = None
    statutory_in: Mapping[str, frozenset[str]] = field(default_factory=dict)


def promises_of(released: Sequence[tuple[str, Decisive, int]]) -> Promises:
    """Collect what releases promised: (release_id, policy, finished cases that wait after it) of each, oldest first.

    >>> strict, usual = Policy(k=12).decisive, Policy().decisive
    >>> promises_of([("1404-12", strict, 3), ("1405-01", usual, 3)]).k
    12
    >>> promises_of([("1404-12", strict, 0), ("1405-01", usual, 3)]).k
    10
    """
    made, cadence, statutory_in = Promises(), dict[str, Cadence](), dict[str, frozenset[str]]()
    for release_id, policy, waiting in released:
        cadence.setdefault(release_id[:4], Cadence(**policy["cadence"]))
        statutory_in.setdefault(release_id[:4], frozenset(policy["statutory"]["case_types"]))
        made = _and(made, policy) if waiting else Promises()
    return replace(made, cadence=cadence, statutory_in=statutory_in)


def _and(made: Promises, policy: Decisive) -> Promises:
    """Add what one more policy promised."""
    sensitive = policy["sensitive"]
    ordinary, statutory = frozenset(sensitive["ordinary"]), frozenset(policy["statutory"]["case_types"])
    return Promises(
        k=max(made.k, policy["k"]),
        sensitive=made.sensitive | _sensitive(policy),
        hidden=made.hidden | _hidden(policy),
        largest_share=min(made.largest_share, sensitive["largest_share"]),
        ordinary=ordinary if made.ordinary is None else made.ordinary & ordinary,
        statutory=statutory if made.statutory is None else made.statutory & statutory,
    )


def _sensitive(policy: Decisive) -> frozenset[str]:
    """Give the services whose outcome is a fact about a person: marked, or below a marked one."""
    parents, found = (
        policy.get("service_parents", {}),
        set(policy.get("sensitive_services", policy["sensitive"]["services"])),
    )
    for service in parents:
        above: str | None = service
        while above is not None and above not in found:
            above = parents.get(above)
        if above is not None:
            found.add(service)
    return frozenset(found)


def _hidden(policy: Decisive) -> frozenset[tuple[str, ...]]:
    """List what hides outcomes: codes with their coarser ones, columns that imply them, what outsiders know of a case."""
    sensitive = policy["sensitive"]
    coarse = {("coarsen", column, *pair) for column, codes in sensitive["coarsen"].items() for pair in codes.items()}
    implied = {("implies", column) for column in sensitive["implies"]}
    return frozenset(
        coarse | implied | {("known_to_outsiders", *sorted(known)) for known in sensitive["known_to_outsiders"]}
    )


def check_promises(policy: Policy, promises: Promises, *, year: str = "") -> None:
    """Refuse a policy that protects waiting cases less than those they were counted under; PrivacyError.

    year: the code of the year that is released now: which case types it counts exactly is fixed with its first release,
    since the table of a year would say exactly what the groups of its months had hidden.
    """
    if policy.k < promises.k:
        raise _lowered(f"k = {policy.k}, below the {promises.k} of an earlier release", f"k of at least {promises.k}")
    now = policy.decisive
    bare = (promises.sensitive & set(now["service_parents"])) - _sensitive(now)
    if bare:
        found = f"{len(bare)} services without the mark `sensitive` that an earlier release gave them"
        raise _lowered(found, "every mark that was once released")
    lost = sorted({name for name, *_ in promises.hidden - _hidden(now)})
    if policy.sensitive.largest_share > promises.largest_share:
        lost.append("largest_share")
    if promises.ordinary is not None and not set(policy.sensitive.ordinary) <= promises.ordinary:
        lost.append("ordinary")
    if lost:
        raise _lowered(
            f"sensitive.{', sensitive.'.join(lost)} hides less than an earlier release did", "what was hidden"
        )
    exact = frozenset(policy.statutory.case_types)
    for allowed in (promises.statutory, promises.statutory_in.get(year)):
        if allowed is not None and not exact <= allowed:
            names = ", ".join(sorted(exact - allowed))
            raise _lowered(f"statutory.case_types with {names}, whose outcomes were a person's", "only those of before")


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
