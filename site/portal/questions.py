"""Ten questions with an answer ready: the named query, filled in for the body and case type that lead, and its first rows.

Results are shown as the database gives them (column names, codes), so that what a reader copies is what a reader gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.catalogue import load_queries
from portal.released import Released, Row
from portal.scope import Scope

ROWS = 5
TEN = (
    "on_time_everywhere",
    "bodies",
    "on_time",
    "waits",
    "outcomes",
    "monthly_flow",
    "stage_days",
    "services_of_body",
    "statutory_year",
    "not_recorded",
)


@dataclass(frozen=True)
class Question:
    """A named query with its first rows and how many it gives in all."""

    name: str
    title: Mapping[str, str]
    sql: str
    address: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_count: int


def example_parameters(released: Released, scope: Scope) -> dict[str, Any]:
    """Give a value for every parameter that a query may ask for, so that no link leads to an empty form."""
    service = next(
        (
            row["service_id"]
            for row in released.ask("services_of_body", **scope.parameters)
            if row["service_level"] == "leaf"
        ),
        "",
    )
    codes = released.rows("select code from code where list_code = 'duration_band' order by code")
    band = codes[min(2, len(codes) - 1)]["code"] if codes else ""
    return {**scope.parameters, "service": service, "band": band, "above": band}


def read_questions(released: Released, named: Mapping[str, Any]) -> list[Question]:
    """Ask the ten questions of the newest release."""
    return [_question(released, name, named) for name in TEN]


def _question(released: Released, name: str, named: Mapping[str, Any]) -> Question:
    query = load_queries()[name]
    rows = released.ask(name, **named)
    columns = tuple(rows[0]) if rows else ()
    cells = tuple(tuple(_cell(row, column) for column in columns) for row in rows[:ROWS])
    return Question(name, query.title, query.sql, released.address(name, **named), columns, cells, len(rows))


def _cell(row: Row, column: str) -> str:
    value = row[column]
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
