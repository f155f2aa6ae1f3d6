"""Time in units once more, slowly: each finished case of a year, event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from etl.calendars import Period
from etl.metadata import Policy
from tests.reference.values import Case

Row = dict[str, Any]
Ranks = Callable[..., Row]
Day = Callable[[Mapping[str, Any], Policy], int | None]


def unit_rows(
    live: Mapping[str, Case],
    year: Period,
    month: Period,
    *,
    finished: Mapping[str, Any],
    policy: Policy,
    ranks: Ranks,
    day: Day,
) -> list[Row]:
    """Write the median stay of the finished cases of a year in each unit that may be shown."""
    values: dict[str, list[tuple[Case, int | None]]] = defaultdict(list)
    for key, case in live.items():
        if key in finished and case["finished_on"] and case["finished_on"] in year:
            for unit, days in stays(case, policy, day).items():
                values[unit].append((case, days))
    rows = []
    for unit, timed in values.items():
        row = ranks(timed, {"stay_median_days": 50}, policy.k)
        if row["timed_band_code"] is not None:
            named = {"release_id": month.code, "year_code": year.code, "unit_id": unit, "basis_code": "attested"}
            rows.append(row | named)
    return rows


def stays(case: Case, policy: Policy, day: Day) -> dict[str, int | None]:
    """Sum the days of a case in each shown unit; None where one of them is not known."""
    events = sorted(case["events"], key=lambda event: event["seq"])
    found: dict[str, int | None] = {}
    for event, after in zip(events, events[1:], strict=False):
        unit = shown(event["to_unit_id"], policy)
        if unit is None:
            continue
        first, last = day(event, policy), day(after, policy)
        before = found.get(unit, 0)
        is_known = first is not None and last is not None and last >= first and before is not None
        found[unit] = before + last - first if is_known else None  # type: ignore[operator]
    return found


def shown(unit: str | None, policy: Policy) -> str | None:
    """Climb to a unit that surely has three posts."""
    units = {own.id: own for own in policy.units}
    while unit in units:
        band = units[unit].staff_band or ""
        if band.split("_")[0].isdecimal() and int(band.split("_")[0]) >= 3:
            return unit
        unit = units[unit].parent
    return None
