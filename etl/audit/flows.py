"""Stock and flow: open before + registered - finished = open after, solved for what one of the four tables hides.

Four partitions of the same people stand side by side: cohorts, finished groups, and the open stock of two year ends. For
each body, case type and service family the identity bounds what each of them hides there; a bound within 1 … k - 1 is a
hit (review: 136 of 236 cells when nothing guarded them). Margins alone must close to the case. Of two exact tables over
the same cases Fréchet's bound (a cell is at least the sum of its margins less the total) is counted as a limit of the law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from etl.audit.candidates import tree_roots
from etl.audit.evidence import Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.selections import key_text

NAME = "flows"
KIND = ("body_id", "case_type_code")
CAME = ("registered_count", "late_registered_count", "reopened_count")
WENT = ("finished_count", "late_finished_count", "withdrawn_count")
COHORTS, GROUPS, STOCK = "cohort_group", "case_group", "open_group"
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Term:
    """One term of the identity for a body, type and year: cases shown by family, and how many show none."""

    shown: Mapping[str, int]
    hidden: int

    @property
    def is_there(self) -> bool:
        """Say whether the table has anything to say."""
        return bool(self.shown) or self.hidden > 0


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Solve every identity there is; nothing is drawn."""
    tally = Tally(NAME)
    _margins_close(evidence, tally)
    if all(evidence.table(name).num_rows for name in (COHORTS, GROUPS, STOCK)):
        for kind, year, terms, slack in yearly_terms(evidence):
            _solve(kind, year, terms, slack, evidence, tally)
    _stocks_apart(evidence, tally)
    _frechet(evidence, tally)
    return tally.done()


def yearly_terms(evidence: Evidence) -> list[tuple[Key, str, tuple[Term, Term, Term, Term], int]]:
    """Give (body and type), year, the terms open before, registered, finished, open after, and the slack of other flows."""
    volumes = _volumes(evidence)
    stock = _by_family(evidence, STOCK)
    cohort, finished = _by_family(evidence, COHORTS), _by_family(evidence, GROUPS)
    found = []
    for (kind, year), volume in sorted(volumes.items()):
        before = (kind, str(int(year) - 1))
        if (kind, year) not in stock or before not in stock or before not in volumes:
            continue
        terms = (
            _term(stock[before], volumes[before]["open"]),
            _term(cohort.get((kind, year), {}), volume["registered"]),
            _term(finished.get((kind, year), {}), volume["finished"]),
            _term(stock[kind, year], volume["open"]),
        )
        found.append((kind, year, terms, volume["other"]))
    return found


def _solve(kind: Key, year: str, terms: tuple[Term, ...], slack: int, evidence: Evidence, tally: Tally) -> None:
    signs = (1, 1, -1, -1)
    families = sorted({family for term in terms for family in term.shown})
    for family in families:
        shown = sum(sign * term.shown.get(family, 0) for sign, term in zip(signs, terms, strict=True))
        for place, (sign, term) in enumerate(zip(signs, terms, strict=True)):
            tally.tried()
            others = [(s, t.hidden) for at, (s, t) in enumerate(zip(signs, terms, strict=True)) if at != place]
            # sign * hidden = -(shown + what the others hide) up to the slack
            least = -shown - sum(hidden for s, hidden in others if s > 0) - slack
            most = -shown + sum(hidden for s, hidden in others if s < 0) + slack
            low, high = (least, most) if sign > 0 else (-most, -least)
            low, high = max(low, 0), min(high, term.hidden)
            if 0 < low <= high < evidence.k:
                where = key_text(dict(zip(KIND, kind, strict=True)) | {"year_code": year, "service_id": family})
                tally.hit("hidden_value", tables=(COHORTS, GROUPS, STOCK), where=where)


def _margins_close(evidence: Evidence, tally: Tally) -> None:
    before: dict[Key, dict[str, Any]] = {}
    margin = evidence.table("margin")
    for row in margin.sort_by("month_code").to_pylist() if margin.num_rows else []:
        kind = tuple(row[name] for name in KIND)
        if kind in before:
            tally.tried()
            left = (
                before[kind]["open_count"] + sum(row[n] for n in CAME) - sum(row[n] for n in WENT) - row["open_count"]
            )
            if left:
                where = key_text({name: row[name] for name in (*KIND, "month_code")})
                tally.hit("flow_gap", tables=("margin",), where=where)
        before[kind] = row


def _stocks_apart(evidence: Evidence, tally: Tally) -> None:
    """The open stock by attribute is shown at year ends only; two closer ones differ by who came and went."""
    stock = evidence.table(STOCK)
    if not stock.num_rows or "period_code" not in stock.column_names:
        return
    years: dict[tuple[str, str], set[str]] = {}
    for row in stock.group_by(["body_id", "period_code"]).aggregate([]).to_pylist():
        years.setdefault((row["body_id"], row["period_code"][:4]), set()).add(row["period_code"])
    for (body, year), periods in sorted(years.items()):
        tally.tried()
        if len(periods) > 1:
            where = key_text({"body_id": body, "year_code": year})
            tally.hit("stock_too_often", tables=(STOCK,), where=where)


def _frechet(evidence: Evidence, tally: Tally) -> None:
    """Statutory outcome x statutory lateness: cells that must exist and stay below k, by the two exact tables."""
    table = evidence.table("statutory")
    cells: dict[Key, dict[str, dict[str, int]]] = {}
    for row in table.to_pylist():
        key = (*(row[name] for name in KIND), row["year_code"])
        cells.setdefault(key, {}).setdefault(row["dimension_code"], {})[row["value_code"]] = row["case_count"]
    for dimensions in cells.values():
        outcomes = dimensions.get("outcome", {})
        total = sum(outcomes.values())
        for name in (name for name in dimensions if name.startswith("lateness")):
            for one in outcomes.values():
                for other in dimensions[name].values():
                    tally.tried()
                    if one + other - total > 0 and min(one, other) < evidence.k:
                        tally.limit("statutory_frechet")


def _volumes(evidence: Evidence) -> dict[tuple[Key, str], dict[str, int]]:
    sums: dict[tuple[Key, str], dict[str, int]] = {}
    months: dict[tuple[Key, str], int] = {}
    for row in evidence.table("margin").sort_by("month_code").to_pylist():
        key = (tuple(row[name] for name in KIND), row["month_code"][:4])
        year = sums.setdefault(key, {"registered": 0, "finished": 0, "open": 0, "other": 0})
        months[key] = months.get(key, 0) + 1
        year["registered"] += row["registered_count"] + row["late_registered_count"]
        year["finished"] += row["finished_count"] + row["late_finished_count"]
        year["other"] += row["reopened_count"] + row["withdrawn_count"]
        year["open"] = row["open_count"]
    return {key: year for key, year in sums.items() if months[key] == 12}


def _by_family(evidence: Evidence, name: str) -> dict[tuple[Key, str], dict[str, int]]:
    table = evidence.partition(name)
    roots = tree_roots(evidence, "service")
    columns = [*KIND, "period_code", "service_id"]
    dated = table.filter(pc.not_equal(table["period_code"], "earlier"))
    sums: dict[tuple[Key, str], dict[str, int]] = {}
    for row in dated.group_by(columns).aggregate([("case_count", "sum")]).to_pylist():
        year = sums.setdefault((tuple(row[n] for n in KIND), row["period_code"][:4]), {})
        if row["service_id"] is not None:
            family = roots.get(row["service_id"], row["service_id"])
            year[family] = year.get(family, 0) + row["case_count_sum"]
    return sums


def _term(shown: Mapping[str, int], volume: int) -> Term:
    return Term(shown, max(0, volume - sum(shown.values())))
