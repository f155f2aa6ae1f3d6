"""The one door to the engine: relations are held as temporary tables, small aggregates are fetched as rows.

Only operations that were found equal on DuckDB and Spark pass (FINDINGS "Engine"); any other is refused before it runs.
A relation that is used more than once is held, so that it is computed once. Nothing here reads or writes files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from ibis.expr import operations as ops

from etl.errors import PrivacyError

if TYPE_CHECKING:
    from ibis.expr.types import Table

Row = Mapping[str, Any]

# Names of Ibis operations; joins are inner, left and semi joins on keys that are never NULL.
ALLOWED_OPERATIONS = frozenset(
    {
        *(
            "Add",
            "Subtract",
            "Multiply",
            "FloorDivide",
            "Modulus",
            "Cast",
            "Literal",
            "Alias",
            "Field",
            "JoinReference",
        ),
        *(
            "And",
            "Or",
            "Not",
            "Equals",
            "NotEquals",
            "Greater",
            "GreaterEqual",
            "Less",
            "LessEqual",
            "IsNull",
            "NotNull",
        ),
        *("InValues", "IfElse", "SearchedCase", "Coalesce", "Greatest", "Least", "StringConcat"),
        *("Count", "CountStar", "Sum", "Min", "Max", "RowNumber", "Lag", "WindowFunction", "WindowBoundary", "SortKey"),
        *(
            "Project",
            "DropColumns",
            "Filter",
            "Aggregate",
            "Distinct",
            "Union",
            "JoinChain",
            "JoinLink",
            "JoinTable",
            "SelfReference",
        ),
        *("DatabaseTable", "InMemoryTable", "Namespace"),
    }
)
_PREFIX = "anonymise_"
_NUMBER = count(1)  # of the temporary tables of this process; it is in no result
ALLOWED_JOINS = frozenset({"inner", "left", "semi"})


def check_operations(relation: Table) -> None:
    """Refuse an expression with an operation that engines may answer differently; PrivacyError names the operation."""
    for node in relation.op().find(ops.Node):
        name = type(node).__name__
        if isinstance(node, ops.JoinLink) and node.how not in ALLOWED_JOINS:
            name = f"{node.how} join"
        elif name in ALLOWED_OPERATIONS:
            continue
        if name != "JoinLink":
            raise PrivacyError(
                "engine-operation",
                found=f"the operation {name} in an anonymising relation",
                expected="only operations that all engines answer alike",
                todo="Express it with the operations listed in etl/anonymise/held.py.",
            )


def hold(relation: Table, name: str) -> Table:
    """Compute a relation once on its engine and give the temporary table that holds it; `name` is for people.

    The rows are kept, not the recipe: numbers that were given in any order must not change when they are read again.
    """
    check_operations(relation)
    return relation.get_backend().create_table(_new_name(name), relation, temp=True)


def let_go(*held: Table) -> None:
    """Drop temporary tables that nothing will read again, so that memory holds one copy of the cases."""
    for relation in held:
        _drop(relation.get_backend(), relation.op().name, relation.op().namespace)


def mark() -> int:
    """Remember a moment of the run: what is held from here on has a higher number."""
    return next(_NUMBER)


def let_go_since(moment: int, *kept: Table) -> None:
    """Drop every temporary table held since a moment but those that the relations `kept` read."""
    engine = kept[0].get_backend()
    tables = [table for relation in kept for table in relation.op().find(ops.DatabaseTable)]
    used = {table.name: table.namespace for table in tables if table.name.startswith(_PREFIX)}
    place = next(iter(used.values()), tables[0].namespace)  # all that is held lies in one
    for name in engine.list_tables():
        if name.startswith(_PREFIX) and int(name.rpartition("_")[2]) > moment and name not in used:
            _drop(engine, name, place)


def hold_rows(engine: Any, name: str, rows: Sequence[Row], schema: pa.Schema) -> Table:
    """Put few rows made in Python on the engine as a temporary table."""
    return engine.create_table(_new_name(name), pa.Table.from_pylist(list(rows), schema=schema), temp=True)


def fetch(relation: Table) -> list[dict[str, Any]]:
    """Fetch the rows of a small aggregate; order is not promised."""
    check_operations(relation)
    rows: list[dict[str, Any]] = relation.get_backend().to_pyarrow(relation).to_pylist()
    return rows


def _drop(engine: Any, name: str, place: Any) -> None:
    engine.drop_table(name, database=(place.catalog, place.database))


def _new_name(name: str) -> str:
    return f"{_PREFIX}{name}_{next(_NUMBER)}"
