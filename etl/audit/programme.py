"""Linear programming over all tables jointly: what must be true of cells that nobody shows (research §6.3).

The unknowns are the finest cells (row × outcome × lateness) of every row that hides one of the two; the constraints are
every published number that touches them: the size of each row, the ladder (fewer than k of any cell of a rung went past
it), and the statutory table. It is split into components that share no number: the rows of one body, case type and year,
or of one period where no statutory table ties the periods together. The stock-and-flow identities of `flows` are solved in
the same way, all families of a body at once. A cell of at least one and at most k - 1 cases is a hit where it is a fact
about a person or where no law makes it exact; else a counted limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl.audit.bounds import Bounds
from etl.audit.candidates import COLUMNS, Candidates, candidates_by_policy
from etl.audit.evidence import FLOOR_KEY, GROUPS, Evidence, Release
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text
from etl.audit.windows import COHORTS, KIND, STOCK, Windows, family_windows
from etl.model.codes import EARLIER

NAME = "programme"
SOLVED = ("outcome", "lateness")
Row = dict[str, Any]
Cell = tuple[int, str, str]  # row, outcome, lateness


@dataclass(frozen=True)
class Part:
    """One component: its rows, what decided them, and the exact totals of its outcomes (empty: no such table)."""

    rows: Sequence[Row]
    release: Release
    totals: Mapping[str, int]


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Bound every hidden cell that simple arithmetic does not already free; nothing is drawn."""
    tally = Tally(NAME)
    candidates = candidates_by_policy(evidence)
    for part in _parts(evidence):
        _solve(part, candidates[part.release.policy_sha256], evidence.k, tally)
    _solve_flows(evidence, tally)
    return tally.done()


def _parts(evidence: Evidence) -> list[Part]:
    """Give the rows that hide an outcome, period by period, and body-years whole where a statutory table ties them."""
    releases = {release.release_id: release for release in evidence.releases}
    hiding: dict[tuple[Any, ...], list[Row]] = {}
    for row in evidence.partition(GROUPS).to_pylist():
        if row["outcome_code"] is None and row["period_code"] != EARLIER:
            hiding.setdefault(tuple(row[name] for name in FLOOR_KEY), []).append(row)
    parts = [Part(rows, releases[key[-1]], {}) for key, rows in sorted(hiding.items(), key=repr)]
    for key, totals in _statutory(evidence).items():
        body, kind, year, release_id = key
        rows = [
            row
            for place, found in hiding.items()
            if place[:2] == (body, kind) and place[2][:4] == year and place[4] <= release_id
            for row in found
        ]
        if rows and sum(row["case_count"] for row in rows) == sum(totals.values()):
            parts.append(Part(rows, releases[release_id], totals))
    return parts


def _statutory(evidence: Evidence) -> dict[tuple[str, ...], dict[str, int]]:
    """Give what the statutory table says of outcomes that groups hide: exact cell less the groups that show it."""
    hidden: dict[tuple[str, ...], dict[str, int]] = {}
    for row in evidence.table("statutory").to_pylist():
        if row["dimension_code"] == "outcome":
            key = (row["body_id"], row["case_type_code"], row["year_code"], row["release_id"])
            hidden.setdefault(key, {})[row["value_code"]] = row["case_count"]
    years = {key[:3]: key for key in hidden}
    for row in evidence.partition(GROUPS).to_pylist() if years else []:
        found = years.get((row["body_id"], row["case_type_code"], row["period_code"][:4]))
        if found is not None and row["outcome_code"] is not None and row["release_id"] <= found[-1]:
            cell = hidden[found]
            cell[row["outcome_code"]] = cell.get(row["outcome_code"], 0) - row["case_count"]
    return {key: cells for key, cells in hidden.items() if min(cells.values()) >= 0}


def _solve(part: Part, candidates: Candidates, k: int, tally: Tally) -> None:
    cells = _cells(part, candidates)
    outcomes = sorted({outcome for _, outcome, _ in cells})
    wanted = [
        (place, o) for place in _places(part) for o in outcomes if _may_be_forced(part, place, o, len(outcomes), k)
    ]
    if not wanted:
        tally.tried(len(outcomes))
        return
    bounds = _program(part, cells, k)
    for place, outcome in wanted:
        chosen = [at for at, (row, o, _) in enumerate(cells) if o == outcome and _key(part.rows[row]) == place]
        answer = bounds.of(chosen) if chosen else None
        tally.tried()
        if answer is not None and 0 < answer[0] <= answer[1] < k:
            _judge(part, place, candidates, tally)


def _judge(part: Part, place: tuple[Any, ...], candidates: Candidates, tally: Tally) -> None:
    inside = [row for row in part.rows if _key(row) == place]
    if part.totals:
        tally.limit("statutory_narrow")
    elif all(candidates.is_sensitive(row) for row in inside):
        where = key_text(dict(zip(FLOOR_KEY, place, strict=True)))
        tally.hit("narrow_cell", tables=(GROUPS,), where=f"{where} and outcome_code is null")
    else:
        tally.limit("forced_cell")


def _cells(part: Part, candidates: Candidates) -> list[Cell]:
    found: list[Cell] = []
    for at, row in enumerate(part.rows):
        shown = row["lateness_code"]
        late = [shown] if shown is not None else sorted(candidates.codes("lateness")) or ["-"]
        outcomes = [o for o in sorted(candidates.outcomes(row)) if not part.totals or part.totals.get(o, 0) > 0]
        found += [(at, outcome, lateness) for outcome in outcomes for lateness in late]
    return found


def _program(part: Part, cells: Sequence[Cell], k: int) -> Bounds:
    bounds = Bounds(len(cells))
    for at, row in enumerate(part.rows):
        own = [place for place, cell in enumerate(cells) if cell[0] == at]
        bounds.add(own, least=row["case_count"], most=row["case_count"])
    for outcome, total in part.totals.items():
        own = [place for place, cell in enumerate(cells) if cell[1] == outcome]
        if own:
            bounds.add(own, least=total, most=total)
    for variables in _fallen(part, cells):
        bounds.add(variables, most=k - 1)
    return bounds


def _fallen(part: Part, cells: Sequence[Cell]) -> list[list[int]]:
    """Cells of a rung that fewer than k cases went past: rows further down, of one floor, alike in what the rung names."""
    ladder: Sequence[Mapping[str, str]] = part.release.policy.get("ladder") or ()
    sums: list[list[int]] = []
    for number, rung in enumerate(ladder, 1):
        shown = [name for name in rung if name not in SOLVED]
        if shown and not all(_shows(row, shown, rung) for row in part.rows if row["rung_number"] > number):
            continue  # some row below hides what the rung names: its cells cannot be listed here
        found: dict[tuple[Any, ...], list[int]] = {}
        for place, (at, outcome, lateness) in enumerate(cells):
            row = part.rows[at]
            if row["rung_number"] > number:
                solved = (outcome if "outcome" in rung else None, lateness if "lateness" in rung else None)
                values = tuple(row[COLUMNS[name][0]] for name in shown)
                found.setdefault((_key(row), values, solved), []).append(place)
        if "outcome" in rung or "lateness" in rung:
            sums += found.values()
    return sums


def _shows(row: Row, names: Sequence[str], rung: Mapping[str, str]) -> bool:
    levels = {name: row.get(f"{name}_level") for name in names}
    return all(row[COLUMNS[name][0]] is not None and levels[name] in (None, rung[name]) for name in names)


def _may_be_forced(part: Part, place: tuple[Any, ...], outcome: str, outcomes: int, k: int) -> bool:
    """Say whether a cell can have a least above 0: all others together, each below k or at its total, hold too little."""
    own = sum(row["case_count"] for row in part.rows if _key(row) == place)
    if not part.totals:
        return bool(own > (outcomes - 1) * (k - 1))
    rest = sum(total for other, total in part.totals.items() if other != outcome)
    elsewhere = sum(row["case_count"] for row in part.rows) - own
    return bool(own > rest or part.totals.get(outcome, 0) > elsewhere)


def _places(part: Part) -> list[tuple[Any, ...]]:
    return sorted({_key(row) for row in part.rows}, key=repr)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in FLOOR_KEY)


def _solve_flows(evidence: Evidence, tally: Tally) -> None:
    """All families of a body and year at once: what each number hides of each family, tied by the identity."""
    if not all(evidence.table(name).num_rows for name in (COHORTS, GROUPS, STOCK)):
        return
    for windows in family_windows(evidence):
        for window in windows.years():
            families = [f for f in windows.values if any(f in t.shown and t.shown[f][window] for t in windows.terms)]
            if len(families) > 1:  # one alone is what simple arithmetic sees
                _solve_year(windows, window, families, evidence.k, tally)


def _solve_year(windows: Windows, window: tuple[int, int], families: list[str], k: int, tally: Tally) -> None:
    terms = windows.terms
    places = [*families, None]  # the last stands for all that no table names
    at = {(t, f): t * len(places) + place for t in range(len(terms)) for place, f in enumerate(places)}
    bounds = Bounds(len(at))
    for t, term in enumerate(terms):
        hidden = int(term.hidden[window])
        bounds.add([at[t, f] for f in places], least=hidden, most=hidden)
    for family in families:
        shown = sum(term.sign * int(term.shown[family][window]) for term in terms if family in term.shown)
        signed = [(at[t, family], float(term.sign)) for t, term in enumerate(terms)]
        bounds.add_signed(signed, least=-shown, most=-shown)
    for family in families:
        for t in range(len(terms)):
            tally.tried()
            answer = bounds.of([at[t, family]])
            if answer is not None and 0 < answer[0] <= answer[1] < k:
                year = windows.months[window[1]][:4]
                where = dict(zip(KIND, windows.kind, strict=True)) | {"year_code": year, "service_id": family}
                tally.hit("hidden_value", tables=(COHORTS, GROUPS, STOCK), where=key_text(where))
