"""Populations beside the finished cases: peeled by a short ladder of their own into groups with a size and no time.

The registered cases of a month (`etl.anonymise.cohort`) and the open cases at the end of a year
(`etl.anonymise.stock`) go through the same peeling as finished ones, with rungs of their own. What no rung takes stands
in the floor of its body, type and period: the margin less the groups, so that groups and floor always close to the
margin, whatever was withdrawn at the source in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.coding import decode, encode
from etl.anonymise.columns import value_name
from etl.anonymise.held import fetch, hold, hold_rows, let_go
from etl.anonymise.peel import BARRED, Rung, peel
from etl.anonymise.requesters import with_requesters
from etl.errors import PrivacyError
from etl.metadata import Policy
from etl.metadata.levels import ancestors
from etl.model.codes import NOT_RECORDED

if TYPE_CHECKING:
    from ibis.expr.types import Table

FLOOR_KEYS = ("release_id", "body_id", "case_type_code", "period_code")
Row = dict[str, Any]
Place = tuple[str, str, str]  # release, body, case type
_PLACE = pa.schema([(name, pa.string()) for name in ("release_id", "body_id", "case_type_code")])
_ROOT = pa.schema([("node", pa.string()), ("root", pa.string())])


@dataclass(frozen=True)
class Population:
    """name: of the published table. columns: ladder column -> its published column. ladder: its rungs, first to last."""

    name: str
    columns: Mapping[str, str]
    ladder: Sequence[Mapping[str, str]]
    without: tuple[str, ...] = ()  # columns that no case may show; rungs keep their numbers

    def values(self) -> dict[str, list[str]]:
        """List, for each published column, the columns of a case that hold its values at the levels of the ladder."""
        drawn: dict[str, list[str]] = {}
        for column, name in self.columns.items():
            levels = dict.fromkeys(rung[column] for rung in self.ladder if column in rung)
            drawn[name] = [value_name(column, level) for level in levels]
        return drawn

    def rungs(self) -> tuple[Rung, ...]:
        """Make the rungs to peel by."""
        return tuple(
            Rung(
                tuple(value_name(column, level) for column, level in rung.items()),
                barred_by=(BARRED,) if set(self.without) & set(rung) else (),
            )
            for rung in self.ladder
        )


@dataclass(frozen=True)
class Peeled:
    """A population before its floors are made: cases (one row each, as `peel_population` takes them, but not held), their
    groups, and the cases of the margins by FLOOR_KEYS.
    """

    population: Population
    case: Table
    groups: Sequence[Row]
    totals: Mapping[tuple[str, ...], int]

    def without(self, columns: tuple[str, ...], places: Collection[Place], *, k: int) -> Peeled:
        """Peel the cases of some places again, none of whom may show the columns; the groups of all others stay."""
        engine, names = self.case.get_backend(), _PLACE.names
        wanted = [dict(zip(names, place, strict=True)) for place in sorted(places)]
        inside = self.case.join(hold_rows(engine, "barred", wanted, _PLACE), names, how="semi")
        barred = replace(self.population, without=columns)
        held = hold(inside.mutate(**{BARRED: ibis.literal(value=True)}), self.population.name)
        again = peel_population(held, barred, k=k)
        let_go(held)
        kept = [row for row in self.groups if tuple(row[name] for name in names) not in places]
        return replace(self, groups=[*kept, *again])

    def rows(self) -> list[Row]:
        """Give the groups and their floors."""
        return with_floor(self.groups, self.totals, self.population)


def peel_population(case: Table, population: Population, *, k: int) -> list[Row]:
    """Peel the cases of a population and count its groups; what finds no group is left to the floor.

    case: held, one row per case with case_number, requester_key, FLOOR_KEYS and the values of the ladder. Result: rows with
    FLOOR_KEYS, rung_number, the published columns (NULL: dropped), their levels `<column>_level` and case_count.
    """
    texts = hold(with_requesters(case), population.name)
    coded, lists = encode(texts, {name: values for name, values in population.values().items() if values})
    held = hold(coded, population.name)
    let_go(texts)
    peeled = peel(held, population.rungs(), floor=FLOOR_KEYS, k=k)
    placed = peeled.filter(peeled.rung_number.notnull())
    shown: dict[str, Any] = {}
    for column, name in population.columns.items():
        kinds = _kinds(population, column)
        values = [(placed.rung_number.isin(rungs), placed[value_name(column, level)]) for level, rungs in kinds.items()]
        named = [(placed.rung_number.isin(rungs), ibis.literal(level)) for level, rungs in kinds.items()]
        shown[name] = ibis.cases(*values, else_=ibis.null("int32")) if values else ibis.null("string")
        shown[f"{column}_level"] = ibis.cases(*named, else_=ibis.null("string")) if named else ibis.null("string")
    placed = placed.mutate(**shown)
    counted = placed.group_by(*FLOOR_KEYS, "rung_number", *shown).agg(case_count=placed.case_number.count())
    rows = fetch(decode(counted, lists, {name: name for name in lists}))
    let_go(held)
    return rows


def with_services(case: Table, policy: Policy) -> Table:
    """Add service_at_leaf and service_at_family: the service and the root of its tree."""
    case = case.mutate(service_at_leaf=ibis.coalesce(case.service_id, NOT_RECORDED))
    roots = ancestors(policy.services, 1)
    rows = [{"node": node, "root": root} for node, root in sorted(roots.items())]
    tree = hold_rows(case.get_backend(), "service_root", rows, _ROOT)
    joined = case.join(tree, case.service_at_leaf == tree.node, how="left")
    return joined.mutate(service_at_family=ibis.coalesce(joined.root, joined.service_at_leaf)).drop("node", "root")


def with_floor(groups: Sequence[Row], totals: Mapping[tuple[str, ...], int], population: Population) -> list[Row]:
    """Add the floor of every key of `totals` (FLOOR_KEYS -> cases of the margin) that its groups do not fill.

    Raises PrivacyError where groups hold more cases than the margin, or have none.
    """
    left = dict(totals)
    for row in groups:
        key = tuple(row[name] for name in FLOOR_KEYS)
        left[key] = left.get(key, 0) - row["case_count"]
    if any(count < 0 for count in left.values()):
        raise PrivacyError(
            "population-lost",
            found=f"groups of {population.name} with more cases than the margin counts",
            expected="groups and floor that close to the margin",
            todo="Nothing was released. This is a fault of the program; please report it.",
        )
    named = [name for column, name in population.columns.items()]
    nothing = dict.fromkeys((*named, *(f"{column}_level" for column in population.columns)))
    floor = len(population.ladder) + 1
    rows = [row | {"is_floor": False} for row in groups]
    for key, count in sorted(left.items()):
        if count:
            where = dict(zip(FLOOR_KEYS, key, strict=True))
            rows.append({**where, "rung_number": floor, **nothing, "case_count": count, "is_floor": True})
    return rows


def _kinds(population: Population, column: str) -> dict[str, list[int]]:
    kinds: dict[str, list[int]] = {}
    for number, rung in enumerate(population.ladder, 1):
        if column in rung:
            kinds.setdefault(rung[column], []).append(number)
    return kinds
