"""Minimality replayed: what the public ladder says about rows that fell through it (Wong et al., "Minimality attack", 2007).

Who knows the ladder knows that every cell of a finer rung held fewer than k of the cases that went on. So T cases over m
possible cells force each of the m cells to exist as soon as T > (m - 1)(k - 1). Where the finer cell is a fact about a
person (the outcome of a sensitive service), that is a hit; elsewhere only the existence of cells of unknown size is
learnt, and counted as a limit. A row that hides the outcome although its rung shows it was blanked for what it says, and
so says it. Rungs with a timeline are left out: its possible values cannot be listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from etl.audit.candidates import ENDLESS, Candidates, groups_by_release
from etl.audit.evidence import FLOOR_KEY, GROUPS, Evidence, Release
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text

NAME = "minimality"
Rung = Mapping[str, str]
Row = dict[str, Any]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Replay the ladder of each release on its rows; nothing is drawn."""
    tally = Tally(NAME)
    for release, candidates, rows in groups_by_release(evidence):
        ladder: Sequence[Rung] = release.policy.get("ladder") or ()
        for row in rows:
            _blanked(row, ladder, tally)
            _replay_row(row, ladder, release, candidates, tally)
        for leftover in _leftovers(rows, len(ladder)):
            _replay_row(leftover, ladder, release, candidates, tally)
    return tally.done()


def _blanked(row: Row, ladder: Sequence[Rung], tally: Tally) -> None:
    """Blanking that signals: a hidden outcome on a rung that shows outcomes."""
    if (
        row["rung_number"] <= len(ladder)
        and row["outcome_code"] is None
        and "outcome" in ladder[row["rung_number"] - 1]
    ):
        tally.hit("blanked", tables=(GROUPS,), where=_place(row))


def _replay_row(row: Row, ladder: Sequence[Rung], release: Release, candidates: Candidates, tally: Tally) -> None:
    implies = set(release.policy.get("sensitive", {}).get("implies") or ())
    for rung in ladder[: row["rung_number"] - 1]:
        if implies & set(rung) and (row.get("service_id") is None or candidates.is_sensitive(row)):
            continue  # cases of sensitive services never stood on this rung
        counts = {column: candidates.count(column, level, row) for column, level in rung.items()}
        cells = prod(counts.values())
        if cells <= 1 or cells >= ENDLESS:
            continue
        tally.tried()
        if row["case_count"] > (cells - 1) * (release.k - 1):
            if counts.get("outcome", 1) > 1 and candidates.is_sensitive(row):
                tally.hit("forced_cell", tables=(GROUPS,), where=_place(row))
            else:
                tally.limit("forced_cell")


def _leftovers(rows: Sequence[Row], rungs: int) -> list[Row]:
    """What went on after each rung, floor row by floor row: all rows below it together, as one row without detail."""
    sums: dict[tuple[tuple[Any, ...], int], int] = {}
    for row in rows:
        key = tuple(row[name] for name in FLOOR_KEY)
        for rung in range(2, min(row["rung_number"], rungs + 1) + 1):
            sums[key, rung] = sums.get((key, rung), 0) + row["case_count"]
    return [
        {**dict(zip(FLOOR_KEY, key, strict=True)), "rung_number": rung, "case_count": cases}
        for (key, rung), cases in sums.items()
    ]


def _place(row: Row) -> str:
    if "case_group_id" in row:
        return key_text({"case_group_id": row["case_group_id"]})
    return key_text({name: row[name] for name in FLOOR_KEY}) + f" and rung_number >= {row['rung_number']}"
