"""The fuzzer: whatever a reader can select, and whatever two nested selections differ by, is 0 or at least k cases.

Every row of a partition alone, then random predicates over the partitions in equal shares (law 2, "closed"). Half of the
predicates are taken as they are; the other half take one away from a wider one and look at what is left. Floor rows
are the remainder of a margin that the law makes exact: a selection of nothing but floor rows is a declared limit.
"""

from __future__ import annotations

import random

import numpy as np

from etl.audit.evidence import Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.selections import Condition, Mask, Numbers, Selectable

NAME = "fuzzer"
DEEPEST = 4  # conditions of one predicate


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Try every row, and `attempts` predicates and differences over all partitions."""
    tally = Tally(NAME)
    chance = random.Random(f"{seed}:{NAME}")
    names = [name for name in evidence.populations if evidence.table(name).num_rows]
    for place, name in enumerate(names):
        share = attempts // len(names) + (place < attempts % len(names))
        _attack_table(name, evidence, chance, share, tally)
    return tally.done()


def _attack_table(name: str, evidence: Evidence, chance: random.Random, attempts: int, tally: Tally) -> None:
    table = evidence.table(name)
    rows = Selectable(table)
    is_floor = rows.numbers("is_floor") == _number_of_true(rows)
    _rows_alone(name, evidence, rows.count, is_floor, tally)
    for attempt in range(attempts):
        predicate = rows.draw(chance, conditions=chance.randint(1, DEEPEST))
        chosen, where = rows.where(predicate), rows.text(predicate)
        if attempt % 2:
            narrower = _narrower(rows, chance, predicate)
            chosen &= ~rows.where([narrower])
            where = f"{where} and not coalesce({rows.text([narrower])}, false)"
        tally.tried()
        _judge(name, rows.count, chosen, is_floor, evidence.k, where, tally)


def _rows_alone(name: str, evidence: Evidence, count: Numbers, is_floor: Mask, tally: Tally) -> None:
    """The finest selection there is: one row, by its id."""
    ids = evidence.table(name)[f"{name}_id"].to_pylist()
    for row in np.flatnonzero((count < evidence.k) & ~is_floor):
        tally.hit("small_count", tables=(name,), where=f"{name}_id = {ids[row]}")
    tally.limit("floor", int(((count < evidence.k) & is_floor).sum()))
    tally.tried(len(count))


def _judge(name: str, count: Numbers, chosen: Mask, is_floor: Mask, k: int, where: str, tally: Tally) -> None:
    cases = int(count[chosen].sum())
    if not 0 < cases < k:
        return
    if bool(is_floor[chosen].all()):
        tally.limit("floor")
    else:
        tally.hit("small_count", tables=(name,), where=where)


def _narrower(rows: Selectable, chance: random.Random, predicate: tuple[Condition, ...]) -> Condition:
    inside = np.flatnonzero(rows.where(predicate))
    row = int(chance.choice(inside)) if len(inside) else chance.randrange(rows.rows)
    return rows.condition(chance, chance.choice(rows.names), row=row)


def _number_of_true(rows: Selectable) -> int:
    values = rows.values("is_floor")
    return values.index(True) + 1 if True in values else -1
