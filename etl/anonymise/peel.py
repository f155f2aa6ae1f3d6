"""Peeling: the partition of finished cases into groups of at least k, one rung of the ladder after another.

From the first rung down, cases that share every value of the rung with enough others not yet placed become a group; the
others go on. A case is compared as a row of small integers, and only the cases that are not placed yet are carried to
the next rung, with only the columns that a later rung compares: on each rung one count by value and two joins, nothing
recomputed from a coarser table (DESIGN §4 "Peeling"). Enough: k distinct requesters, none with more than half.

It knows rungs, not policies: `etl.anonymise.ladder` makes the rungs of a policy, and any other population can be peeled
by rungs of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.held import fetch, hold, let_go
from etl.anonymise.requesters import REQUESTER, are_enough, count_requesters

if TYPE_CHECKING:
    from ibis.expr.types import Table

CASE = "case_number"
FLOOR = "floor_number"
BARRED = "is_barred"  # a column of cases that stand back (`etl.anonymise.guard`): true for all of them
_NOTHING = 0  # stands for NULL among values, whose codes begin at 1; a boolean becomes 1 or 2
TRUE = 2
ROWS_KEPT = 2_000_000


@dataclass(frozen=True)
class Bound:
    """A group in which column `only` is true does not stand with more cases than this.

    column: the value that `most` hangs on, code -> most; None: `any_value` is the most, whatever the values.
    """

    only: str
    column: str | None
    most: Mapping[int, int]
    any_value: int = 0


@dataclass(frozen=True)
class Rung:
    """What cases must share to stand together on a rung.

    values: columns whose values the cases of a group share; NULL is a value.
    needs: those of them that a case must have (NULL there: the rung does not fit the case).
    barred_by: boolean columns; where one is true, the rung does not fit the case.
    bounds: groups that are too large for what the rung hides do not stand.
    compute: gives the values of column `computed` (one row per case: case_number, computed) from the cases that came
        this far and the rung; for values that depend on who is still unplaced. They hold on this rung only.
    """

    values: tuple[str, ...]
    needs: tuple[str, ...] = ()
    barred_by: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    computed: str | None = None
    compute: Callable[[Table, Rung], Table] | None = None


def peel(case: Table, rungs: Sequence[Rung], *, floor: tuple[str, ...], k: int) -> Table:
    """Give every case the number of the first rung on which it stands with enough others (rung_number; NULL: none).

    case: held, one row per case: case_number, requester_number, the floor columns and those that rungs name. floor: the
    columns that no rung drops. Adds rung_number and the computed columns; nothing else.
    """
    left, placed = hold(_start(case, rungs, floor, k), "unplaced"), _Placed()
    made: dict[str, list[Table]] = {}
    if fetch(left.agg(n=left.count()))[0]["n"] == 0:
        return _with_rungs(case, left.select(CASE, rung_number=ibis.null("int16")), rungs, made)
    for number, rung in enumerate(rungs, 1):
        if rung.computed and rung.compute:
            values = hold(rung.compute(left, rung), rung.computed)
            left = _with_computed(left, values, rung.computed)
        later = rungs[number:]
        looked = hold(_looked_at(left, rung, later, k), "looked_at")
        count = fetch(looked.agg(n=looked.count(), placed=looked.is_placed.count()))[0]
        if rung.computed and rung.compute:
            here = looked.filter(looked.is_placed.notnull()).select(CASE)
            made.setdefault(rung.computed, []).append(hold(values.join(here, CASE, how="semi"), rung.computed))
        placed.add(looked, number, count["n"])
        left = looked.filter(looked.is_placed.isnull()).drop("is_placed")
        if count["n"] - count["placed"] < k:
            break
    return _with_rungs(case, placed.whole(), rungs, made)


class _Placed:
    """The cases placed so far; what was looked at is let go before it fills the memory."""

    def __init__(self) -> None:
        self._parts: list[Table] = []
        self._looked_at: list[Table] = []
        self._rows = 0

    def add(self, looked: Table, number: int, rows: int) -> None:
        """Remember the cases that a rung placed, of `rows` that were looked at."""
        here = looked.filter(looked.is_placed.notnull())
        self._parts.append(here.select(CASE, rung_number=ibis.literal(number, "int16")))
        if self._rows > ROWS_KEPT:  # all but the newest, on which the next rung stands
            self._parts = [hold(self.whole(), "placed")]
            let_go(*self._looked_at)
            self._looked_at, self._rows = [], 0
        self._looked_at.append(looked)
        self._rows += rows

    def whole(self) -> Table:
        """Give one row per placed case: case_number, rung_number."""
        return ibis.union(*self._parts)


def _start(case: Table, rungs: Sequence[Rung], floor: tuple[str, ...], k: int) -> Table:
    """Keep the cases of floors with k cases at least, since no others can stand, as numbers."""
    floors = case.group_by(*floor).agg(n=case.count())
    number = (ibis.row_number().over(ibis.window(order_by=floor)) + 1).cast("int32")
    floors = hold(floors.filter(floors.n >= k).select(*floor, **{FLOOR: number}), "floor")
    names = [name for name in _used(rungs) if name in case.columns]
    joined = case.join(floors, floor)
    filled = {name: _filled(joined[name]) for name in names}
    return joined.select(CASE, FLOOR, REQUESTER, **filled)


def _used(rungs: Sequence[Rung]) -> list[str]:
    return list(dict.fromkeys(name for rung in rungs for name in (*rung.values, *rung.barred_by, *_bounding(rung))))


def _bounding(rung: Rung) -> tuple[str, ...]:
    return tuple(dict.fromkeys(bound.only for bound in rung.bounds))


def _filled(column: Any) -> Any:
    """Put a number in the place of NULL, so that values can be joined; a boolean counts 1 for false and 2 for true."""
    if column.type().is_boolean():
        return ibis.coalesce(column.cast("int8") + 1, _NOTHING).cast("int8")
    return ibis.coalesce(column, _NOTHING)


def _looked_at(left: Table, rung: Rung, later: Sequence[Rung], k: int) -> Table:
    """Say which cases stand on a rung (is_placed, NULL: no), with the columns that later rungs look at."""
    fitting = left
    for name in rung.needs:
        fitting = fitting.filter(fitting[name] != _NOTHING)
    for name in rung.barred_by:
        fitting = fitting.filter(fitting[name] != TRUE)
    keys = (FLOOR, *rung.values, *rung.barred_by, *_bounding(rung))
    counted = count_requesters(fitting, keys)
    standing = counted.filter(are_enough(counted, k))
    for bound in rung.bounds:
        standing = standing.filter(~_is_too_large(standing, bound))
    groups = standing.select(*keys, is_placed=ibis.literal(1, "int8"))
    joined = left.join(groups, keys, how="left", rname="group_{name}")
    names = [name for name in _used(later) if name in left.columns]
    return joined.select(CASE, FLOOR, REQUESTER, *names, "is_placed")


def _is_too_large(counted: Table, bound: Bound) -> Any:
    if bound.column is None:
        return (counted[bound.only] == TRUE) & (counted.case_count > bound.any_value)
    value = counted[bound.column]
    by_most: dict[int, list[int]] = {}
    for code, most in sorted(bound.most.items()):
        by_most.setdefault(most, []).append(code)
    found: Any = ibis.literal(value=False)
    for most, codes in by_most.items():
        found = found | (value.isin(codes) & (counted.case_count > most))
    return (counted[bound.only] == TRUE) & found


def _with_computed(left: Table, values: Table, name: str) -> Table:
    left = left.drop(name) if name in left.columns else left
    found = values.select(found=values[CASE], **{name: values[name]})
    joined = left.join(found, left[CASE] == found.found, how="left")
    return joined.mutate(**{name: _filled(joined[name])}).drop("found")


def _with_rungs(case: Table, placed: Table, rungs: Sequence[Rung], made: Mapping[str, Sequence[Table]]) -> Table:
    found = placed.select("rung_number", found=placed[CASE])
    result = case.join(found, case[CASE] == found.found, how="left").drop("found")
    for name in dict.fromkeys(rung.computed for rung in rungs if rung.computed):
        if name in made:
            values = ibis.union(*made[name]).select(name, found=CASE)
            result = result.join(values, result[CASE] == values.found, how="left").drop("found")
        else:
            result = result.mutate(**{name: ibis.null("int64")})
    return result
