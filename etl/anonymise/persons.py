"""Persons behind an outcome: where a group would tell what became of one of them, the outcome goes (DESIGN §4).

Whose: cases of every type but those of `statutory.case_types`. What a body does with a request for information is a fact
about the body, which the Act makes it report; there nothing is hidden. Lateness is the body's everywhere.

Homogeneity: an outsider may know where and for what a person asked (`known_to_outsiders`). If more than `largest_share`
of all cases that share this and are finished in the period ended alike, a row with the outcome beside it says how the
person's case ended. No case of such a class stands on a rung that shows the outcome and the class; it goes on to one
that shows the outcome of more cases together, so that outcomes at the body's level are never hidden. Whichever outcome
dominates, but an ordinary one, of which nothing is learnt; or a coarser one, since who reads that half were not eligible
and half lacked documents reads that all were refused. Counted once, before peeling, over all cases of the period; and once
more without the cases of each person who has several there, who knows them and reads the rest.

Minimality: who knows the ladder knows that a coarser row was too few on a finer rung. Where its size leaves no value of
the finer rung empty, it proves that each exists; such a row of a column declared sensitive goes on (`forced_limits`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from etl.anonymise.columns import outcome_parents, value_name
from etl.anonymise.requesters import REQUESTER
from etl.metadata import Policy, code_rows, duration_bands
from etl.metadata.codes import band_parents
from etl.metadata.levels import TREES, ancestors, depth_of, levels_of

if TYPE_CHECKING:
    from ibis.expr.types import Table

IS_PERSONAL = "is_personal"
IS_ORDINARY = "is_ordinary"
_PARTS = 1000  # the largest share is compared in thousandths


@dataclass(frozen=True)
class Class:
    """What outsiders know of a case, at the levels a rung shows, and the outcome beside it: columns of a case."""

    known: tuple[str, ...]
    outcome: str

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Name what a row that shows the outcome tells: it, and its coarser one."""
        return tuple(dict.fromkeys((self.outcome, value_name("outcome", "parent"))))

    @property
    def flag(self) -> str:
        """Name the column that says that one outcome dominates the class of a case."""
        return "_".join(("is_dominated", *self.known, self.outcome))


def classes_of(levels: Mapping[str, str], policy: Policy) -> tuple[Class, ...]:
    """List the classes whose outcome a rung would tell."""
    tells = "outcome" in levels or bool(set(levels) & set(policy.sensitive.implies))
    shown = [known for known in policy.sensitive.known_to_outsiders if tells and set(known) <= set(levels)]
    outcome = value_name("outcome", levels.get("outcome", "code"))
    return tuple(Class(tuple(value_name(column, levels[column]) for column in known), outcome) for known in shown)


def with_dominated(case: Table, policy: Policy, *, floor: tuple[str, ...]) -> Table:
    """Add the flag of every class that the ladder tells, counted over the given cases.

    case: one row per case with the floor columns (the case type, on which is_personal hangs, among them), the values of
    the ladder, is_personal, is_ordinary and requester_number. Lazy.
    """
    classes = dict.fromkeys(found for levels in policy.ladder for found in classes_of(levels, policy))
    joined, flags = case, {}
    for number, one in enumerate(classes):
        dominated = _dominated(case, one, policy, floor).rename({f"found_{number}": "is_found"})
        joined = joined.join(dominated, (*floor, *one.known), how="left", rname=f"class_{number}_{{name}}")
        flags[one.flag] = f"found_{number}"
    return joined.select(*case.columns, **{flag: joined[found].notnull() for flag, found in flags.items()})


def _dominated(case: Table, one: Class, policy: Policy, floor: tuple[str, ...]) -> Table:
    person = case.filter(case[IS_PERSONAL])
    place = (*floor, *one.known)
    person = person.mutate(told=ibis.ifelse(person[IS_ORDINARY], 0, 1))
    share = round(policy.sensitive.largest_share * _PARTS)
    found = [part for outcome in one.outcomes for part in _told(person, place, outcome, share)]
    return ibis.union(*found, distinct=True).select(*place, is_found=ibis.literal(1, "int8"))


def _told(person: Table, place: tuple[str, ...], outcome: str, share: int) -> Iterator[Table]:
    """Give the places of which an outcome has more than a share (in thousandths): of all, and of all but one person's."""
    each = person.group_by(*place, outcome).agg(n=person.count(), told=person.told.sum().cast("int64"))
    whole = each.group_by(*place).agg(n=each.n.sum().cast("int64"), largest=each.told.max())
    yield whole.filter(whole.largest * _PARTS > whole.n * share).select(*place)
    known = person.filter(person[REQUESTER].notnull())
    own = known.group_by(*place, REQUESTER, outcome).agg(n=known.count(), told=known.told.sum().cast("int64"))
    theirs = own.group_by(*place, REQUESTER).agg(theirs=own.n.sum().cast("int64"))
    theirs = theirs.filter(theirs.theirs > 1)
    beside = theirs.join(whole.select(*place, "n"), place).join(each.select(*place, outcome, "told"), place)
    beside = beside.filter(beside.told * _PARTS > (beside.n - beside.theirs) * share)  # few are left to be compared
    mine = own.select(*place, REQUESTER, outcome, mine="told")
    joined = beside.join(mine, (*place, REQUESTER, outcome), how="left", rname="own_{name}")
    others = joined.told - ibis.coalesce(joined.mine, 0)
    yield joined.filter(others * _PARTS > (joined.n - joined.theirs) * share).select(*place)


@dataclass(frozen=True)
class Limit:
    """The most cases that a row may have without proving that every finer value exists.

    column: the column of the rung whose value the limit hangs on, and its limits by value; None: the rung dropped it, and
    `any_value` is the limit.
    """

    column: str | None
    by_value: Mapping[str, int]
    any_value: int


def forced_limits(policy: Policy, place: int) -> Iterator[Limit]:
    """List the limits of a rung (its place in the ladder): one for each earlier rung that only shows a sensitive column finer.

    A column is sensitive if `coarsen` or `implies` names it. A value with one finer value, or none, forces nothing: there
    the two are the same. Values that could be: those of the code list and the trees of the policy.
    """
    levels = policy.ladder[place]
    for column in ("service", "unit", "outcome", "lateness", "duration", "loop", "channel"):
        if column not in policy.sensitive.coarsen and column not in policy.sensitive.implies:
            continue
        others = {name: level for name, level in levels.items() if name != column}
        for earlier in policy.ladder[:place]:
            fine, coarse = earlier.get(column), levels.get(column)
            if fine is None or fine == coarse or others != {n: level for n, level in earlier.items() if n != column}:
                continue
            finer = Counter(_coarser_values(policy, column, fine, coarse))
            limits = {value: (count - 1) * (policy.k - 1) for value, count in finer.items() if count > 1}
            if coarse is None:
                yield from (Limit(None, {}, limit) for limit in limits.values())
            elif limits:
                yield Limit(value_name(column, coarse), limits, 0)


def _coarser_values(policy: Policy, column: str, fine: str, coarse: str | None) -> list[str]:
    """Give the coarser value ("": dropped) of every value that a column can have at a finer level."""
    if column in TREES:
        nodes, levels = getattr(policy, f"{column}s"), levels_of(policy, column)
        above = ancestors(nodes, None if coarse is None else depth_of(levels, coarse))
        values = set(ancestors(nodes, depth_of(levels, fine)).values())
        return ["" if coarse is None else above[value] for value in sorted(values)]
    if column == "duration":
        edges = policy.bands.edges(fine)
        parents = {} if coarse is None else band_parents(policy.bands.duration, policy.bands.duration_wide)
        return ["" if coarse is None else parents.get(code, code) for code in duration_bands(edges)]
    if column == "loop":
        return ["", ""]
    codes = [row.code for row in code_rows(policy) if row.list_code == column]
    if column != "outcome":
        return ["" for _ in codes]
    parents = dict(outcome_parents(policy))
    codes = sorted(set(codes) - set(parents.values())) if fine == "code" else sorted({parents.get(c, c) for c in codes})
    return ["" if coarse is None else parents.get(code, code) for code in codes]
