"""Homogeneity: what somebody who stands outside can select, and whether it has one outcome only (l-diversity, 2007).

An outsider knows of a person body, case type and period, and the columns that the policy names under `known_to_outsiders`
(else nothing more, the service, or the service with unit or channel). For services whose outcome is a fact about the
person, the share of one outcome among all cases that can be meant, hidden ones in the denominator, may not exceed what
the policy promises; where it promises nothing, a selection of one outcome only is counted as a limit. Facts about the body
(refused, late) are never hidden: such selections are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from etl.audit.candidates import COLUMNS, Candidates
from etl.audit.evidence import Evidence, Release
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text

NAME = "homogeneity"
GROUPS = "case_group"
ALWAYS = ("body_id", "case_type_code", "period_code")
DEFAULT: tuple[tuple[str, ...], ...] = ((), ("service",), ("service", "unit"), ("service", "channel"))
Row = dict[str, Any]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look at every selection that an outsider can make; nothing is drawn."""
    tally = Tally(NAME)
    group = evidence.partition(GROUPS)
    for release in evidence.releases:
        candidates = Candidates(evidence, release.policy)
        rows = group.filter(pc.equal(group["release_id"], release.release_id)).to_pylist()
        for known in projections(release.policy):
            for key, members in _selections(rows, known, candidates).items():
                _judge(dict(zip((*ALWAYS, *known), key, strict=True)), members, release, candidates, tally)
    return tally.done()


def projections(policy: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the published columns that outsiders know, one tuple a projection."""
    named = policy.get("sensitive", {}).get("known_to_outsiders") or DEFAULT
    tuples = [(each,) if isinstance(each, str) else tuple(each) for each in named]
    return [tuple(COLUMNS[column][0] for column in columns if column in COLUMNS) for columns in tuples]


def _selections(
    rows: Sequence[Row], known: tuple[str, ...], candidates: Candidates
) -> dict[tuple[Any, ...], list[Row]]:
    """Give the rows that can hold somebody of whom `known` is known, for all that some row shows."""
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        places.setdefault(tuple(row[name] for name in ALWAYS), []).append(row)
    found: dict[tuple[Any, ...], list[Row]] = {}
    for place, inside in places.items():
        shown = {tuple(row[name] for name in known) for row in inside if all(row[name] is not None for name in known)}
        for values in shown:
            wanted = dict(zip(known, values, strict=True))
            found[(*place, *values)] = [row for row in inside if candidates.can_hold(row, wanted)]
    return found


def _judge(key: dict[str, Any], members: list[Row], release: Release, candidates: Candidates, tally: Tally) -> None:
    tally.tried()
    total = sum(row["case_count"] for row in members)
    counts: dict[str | None, int] = {}
    for row in members:
        counts[row["outcome_code"]] = counts.get(row["outcome_code"], 0) + row["case_count"]
    shown = {outcome: count for outcome, count in counts.items() if outcome is not None}
    if not shown:
        return
    share = max(shown.values()) / total
    promised = release.policy.get("sensitive", {}).get("max_share")
    is_sensitive = candidates.is_sensitive(key)
    if is_sensitive and promised is not None and share > promised:
        tally.hit("one_outcome", tables=(GROUPS,), where=key_text(key))
    elif share == 1:
        tally.limit("one_outcome_sensitive" if is_sensitive else "one_outcome")
