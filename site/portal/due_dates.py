"""The table "sent on … → lawful answer by …": the last working days before the data end, and those up to the next release.

Computed from the published `calendar_day`, so that a reader can count the same days; the day of registration is day 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.facts import Limit
from portal.released import Released

LAST = 30  # working days


@dataclass(frozen=True)
class DueDate:
    """A working day on which a request was sent, and the dates by which each clock wants the answer."""

    sent_on: date
    headline_on: date | None
    law_on: date | None


def due_dates(
    released: Released, *, headline: Limit | None, law: Limit | None, until: date, count: int = LAST
) -> list[DueDate]:
    """Give the due dates of the last `count` working days up to `until`, the newest first; empty without a fixed limit."""
    if headline is None or not headline.is_fixed:
        return []
    rows = released.rows("select day_on, is_working, working_day_number from calendar_day order by day_on")
    days = [(date.fromisoformat(row["day_on"]), bool(row["is_working"]), row["working_day_number"]) for row in rows]
    first_with = {number: day for day, _, number in reversed(days)}
    numbers = {day: number for day, _, number in days}
    sent = [day for day, is_working, _ in days if is_working and day <= until][-count:]
    return [
        DueDate(day, _due(day, headline, numbers, first_with), _due(day, law, numbers, first_with) if law else None)
        for day in reversed(sent)
    ]


def _due(day: date, limit: Limit, numbers: dict[date, int], first_with: dict[int, date]) -> date | None:
    if limit.kind == "working":
        return first_with.get(numbers[day] + limit.days)
    return day + timedelta(days=limit.days)


def joined(rows: Sequence[DueDate]) -> list[tuple[DueDate, DueDate]]:
    """Join neighbouring days with the same due dates: (oldest, newest) of each run."""
    runs: list[tuple[DueDate, DueDate]] = []
    for row in rows:
        if runs and (runs[-1][0].headline_on, runs[-1][0].law_on) == (row.headline_on, row.law_on):
            runs[-1] = (row, runs[-1][1])
        else:
            runs.append((row, row))
    return runs
