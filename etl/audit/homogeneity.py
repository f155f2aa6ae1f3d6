"""Homogeneity: what somebody who stands outside can select, and whether it has one outcome only (l-diversity, 2007).

An outsider knows of a person body, case type and period, and the columns that the policy names under `known_to_outsiders`
(else nothing more, the service, or the service with unit or channel). The policy promises that where more than
`largest_share` of all who share these ended alike, or in outcomes with the same coarser one, no row shows the outcome
beside them; not for outcomes that it calls ordinary, nor for the case types of the statutory table. Who knows a family or a
department may mean any service or unit below it: rows that show one of these can hold the person, too. Rows that show both,
as a share of all cases that can be meant, hidden ones in the denominator, are the least that the share can be: above the
promise it is a hit. A selection of one outcome only that the promise does not cover is counted as a limit. Facts about the
body (refused, late) are never hidden: such selections are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from etl.audit.candidates import COLUMNS, Candidates, groups_by_release
from etl.audit.evidence import GROUPS, Evidence, Release
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text

NAME = "homogeneity"
ALWAYS = ("body_id", "case_type_code", "period_code")
LEAF = "leaf"
LEVELS = {"service_id": "service_level", "unit_id": "unit_level"}
DEFAULT: tuple[tuple[str, ...], ...] = ((), ("service",), ("service", "unit"), ("service", "channel"))
Row = dict[str, Any]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look at every selection that an outsider can make; nothing is drawn."""
    tally = Tally(NAME)
    for release, candidates, rows in groups_by_release(evidence):
        for known in projections(release.policy):
            names = (*ALWAYS, *known, *(LEVELS[name] for name in known if name in LEVELS))
            for key, members in _selections(rows, names, candidates).items():
                _judge(dict(zip(names, key, strict=True)), members, release, candidates, tally)
    return tally.done()


def projections(policy: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the published columns that outsiders know, one tuple a projection."""
    named = policy.get("sensitive", {}).get("known_to_outsiders") or DEFAULT
    tuples = [(each,) if isinstance(each, str) else tuple(each) for each in named]
    return [tuple(COLUMNS[column][0] for column in columns if column in COLUMNS) for columns in tuples]


def _selections(
    rows: Sequence[Row], names: tuple[str, ...], candidates: Candidates
) -> dict[tuple[Any, ...], list[Row]]:
    """Give the rows that can hold somebody of whom all columns of `names` are known, for all that some row shows."""
    places: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        places.setdefault(tuple(row[name] for name in ALWAYS), []).append(row)
    found: dict[tuple[Any, ...], list[Row]] = {}
    for inside in places.values():
        shown = {tuple(row[name] for name in names) for row in inside if all(row[name] is not None for name in names)}
        for key in shown:
            shown_of = _shown_of(dict(zip(names, key, strict=True)), candidates)
            found[key] = [row for row in inside if all(row[name] in values for name, values in shown_of.items())]
    return found


def _shown_of(wanted: Row, candidates: Candidates) -> dict[str, frozenset[Any]]:
    """Give what a row can show of somebody, by column: what is known coarsely can be any finer value below it."""
    names = [name for name in wanted if name not in (*ALWAYS, *LEVELS.values())]
    shown = {name: candidates.shown_of(name, wanted[name]) for name in names}
    for name, level in LEVELS.items():
        if name in shown and wanted[level] != LEAF:
            shown[name] |= candidates.below(name, wanted[name])
    return shown


def _judge(key: Row, members: list[Row], release: Release, candidates: Candidates, tally: Tally) -> None:
    tally.tried()
    total = sum(row["case_count"] for row in members)
    shown = _by_outcome(members)
    if not shown:
        return
    beside = _by_outcome([row for row in members if _is_beside(row, key) and _is_told(row, release, candidates)])
    promised = release.policy.get("sensitive", {}).get("largest_share")
    is_covered = key["case_type_code"] not in release.policy.get("statutory", {}).get("case_types", ())
    together: Counter[str] = Counter()
    for outcome, count in beside.items():
        together[candidates.coarser(outcome)] += count
    if promised is not None and is_covered and max(together.values(), default=0) > promised * total:
        tally.hit("one_outcome", tables=(GROUPS,), where=key_text(key))
    elif max(shown.values()) == total:
        tally.limit("one_outcome_sensitive" if candidates.is_sensitive(key) else "one_outcome")


def _by_outcome(rows: Sequence[Row]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        if row["outcome_code"] is not None:
            counts[row["outcome_code"]] += row["case_count"]
    return counts


def _is_beside(row: Row, key: Row) -> bool:
    """Say whether a row shows all that is known, and not something coarser."""
    return all(row[name] == value for name, value in key.items())


def _is_told(row: Row, release: Release, candidates: Candidates) -> bool:
    """Say whether the outcome of a row is one that the promise covers: not ordinary, nor a coarser name of an ordinary one."""
    ordinary = frozenset(release.policy.get("sensitive", {}).get("ordinary") or ())
    outcome = row["outcome_code"]
    return outcome not in ordinary and (candidates.is_sensitive(row) or not ordinary & candidates.finer(outcome))
