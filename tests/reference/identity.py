"""Stock and flow once more, slowly: window by window, value by value, what six numbers tell of each other.

A value is a pair: the way from the root of the tree to a service (empty: not known), and a channel or None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from etl.metadata import Policy

Row = dict[str, Any]
Kind = tuple[str, str]
Value = tuple[tuple[str, ...], str | None]
Cell = tuple[str, str, str, Value, int]  # population, first and last month its cases can count in, value, cases
FINISHED, COHORT, STOCK = "finished", "cohort", "stock"
SIGNS = (1, 1, 1, -1, -1, -1)  # open before, came, reopened, went, withdrawn, open after
WENT, WITHDRAWN = 3, 4
COLUMNS = ("service", "channel")


def stand_back(
    margins: Sequence[Row], known: Sequence[tuple[str, Row]], new: Sequence[tuple[str, Row]], month: str, policy: Policy
) -> set[Kind]:
    """Name the bodies and types of which the new rows of a month, with those known, would give a small number away.

    margins: rows of all months so far. known, new: population and row.
    """
    first = f"{int(month[:4]) - 2}-02"
    found = set()
    for kind in sorted({kind_of(row) for _, row in new}):
        own = sorted((row for row in margins if kind_of(row) == kind), key=lambda row: row["month_code"])
        cells = list(cells_of((each for each in known if kind_of(each[1]) == kind), policy))
        brought = list(cells_of((each for each in new if kind_of(each[1]) == kind), policy))
        every = [*cells, *brought]
        if any(
            gives_away(own, window, every, policy)
            or (window[-1] is own[-1] and can_give_away(own, window, every, policy))
            for window in windows(own, brought, first)
        ):
            found.add(kind)
    return found


def kind_of(row: Row) -> Kind:
    """Give the body and type of a row."""
    return row["body_id"], row["case_type_code"]


def cells_of(rows: Iterable[tuple[str, Row]], policy: Policy) -> Iterator[Cell]:
    """Say what rows show of service and channel, and when their cases can have counted."""
    parents = {node.id: node.parent for node in policy.services}
    for population, row in rows:
        way: tuple[str, ...] = ()
        above = row["service_id"]
        while above is not None:
            way, above = (above, *way), parents.get(above)
        value = (way, row.get("channel_code"))
        if value == ((), None) or row["period_code"] == "earlier":
            continue
        first, last = months_of(row["period_code"])
        if population == STOCK:
            first = last = row["release_id"]
        if population == FINISHED:
            last = max(last, row["release_id"])
        yield population, first, last, value, row["case_count"]


def months_of(period: str) -> tuple[str, str]:
    """Give the first and the last month of a month, a season or a year."""
    year, _, part = period.partition("-")
    if not part:
        return f"{year}-01", f"{year}-12"
    if not part.startswith("S"):
        return period, period
    return f"{year}-{int(part[1:]) * 3 - 2:02}", f"{year}-{int(part[1:]) * 3:02}"


def windows(margins: Sequence[Row], brought: Sequence[Cell], first: str) -> Iterator[Sequence[Row]]:
    """List the months from one to a later one, where all cases of a new cell surely count in them."""
    months = [row["month_code"] for row in margins]
    for low in range(len(months)):
        for high in range(low, len(months)):
            if months[low] >= first and any(months[low] <= a and b <= months[high] for _, a, b, _, _ in brought):
                yield margins[low : high + 1]


def gives_away(margins: Sequence[Row], window: Sequence[Row], cells: Sequence[Cell], policy: Policy) -> bool:
    """Say whether in a window fewer than k cases of some value are surely hidden in one of the six numbers."""
    return isolates(numbers_of(window), shown_in(margins, window, cells), policy)


def can_give_away(margins: Sequence[Row], window: Sequence[Row], cells: Sequence[Cell], policy: Policy) -> bool:
    """Say the same of the window and the months to come, in which some of the open cases end, and nothing is shown."""
    *whole, after = numbers_of(window)
    *shown, _ = shown_in(margins, window, cells)
    for ended in range(after + 1):
        for place in (WENT, WITHDRAWN):
            later = [count + ended * (each == place) for each, count in enumerate(whole)]
            if isolates([*later, after - ended], [*shown, Counter()], policy):
                return True
    return False


def isolates(whole: Sequence[int], shown: Sequence[Counter[Value]], policy: Policy) -> bool:
    """Say whether of the six numbers, and what is shown of them, one surely hides fewer than k cases of some value."""
    values = {value for part in shown for value in part}
    wanted = {(way[:depth], by) for way, channel in values for depth in range(len(way) + 1) for by in (None, channel)}
    for value in wanted - {((), None)}:
        own = [sum(n for each, n in part.items() if is_of(each, value)) for part in shown]
        other = [sum(n for each, n in part.items() if not can_be(each, value)) for part in shown]
        rest = [max(all_, sum(part.values())) for all_, part in zip(whole, shown, strict=True)]
        hidden = [all_ - mine - barred for all_, mine, barred in zip(rest, own, other, strict=True)]
        if any(other) and any(least > 0 and most < policy.k for least, most in ranges(own, hidden)):
            return True
    return False


def ranges(own: Sequence[int], hidden: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give, for each number, how few and how many of its hidden cases the other five leave possible."""
    for place, sign in enumerate(SIGNS):
        others = [each for each in range(len(SIGNS)) if each != place]
        shown = sum(SIGNS[each] * own[each] for each in range(len(SIGNS)))
        up = sum(hidden[each] for each in others if SIGNS[each] != sign)
        down = sum(hidden[each] for each in others if SIGNS[each] == sign)
        least, most = max(0, -sign * shown - down), min(hidden[place], -sign * shown + up)
        if least <= most:
            yield least, most


def numbers_of(window: Sequence[Row]) -> list[int]:
    """Add up the six numbers of a window from its margins."""
    came, again, went, gone = (
        sum(row[name] for row in window for name in names)
        for names in (
            ("registered_count", "late_registered_count"),
            ("reopened_count",),
            ("finished_count", "late_finished_count"),
            ("withdrawn_count",),
        )
    )
    after = window[-1]["open_count"]
    return [after - came - again + went + gone, came, again, went, gone, after]


def shown_in(margins: Sequence[Row], window: Sequence[Row], cells: Sequence[Cell]) -> list[Counter[Value]]:
    """Add up, for each of the six numbers, the cases that surely count in it and are shown with a value."""
    first, last = window[0]["month_code"], window[-1]["month_code"]
    before = max((row["month_code"] for row in margins if row["month_code"] < first), default=None)
    shown: list[Counter[Value]] = [Counter() for _ in SIGNS]
    for population, begin, end, value, count in cells:
        if population == STOCK:
            shown[0][value] += count if end == before else 0
            shown[5][value] += count if end == last else 0
        elif first <= begin and end <= last:
            shown[1 if population == COHORT else 3][value] += count
    return [Counter({value: n for value, n in part.items() if n}) for part in shown]


def is_of(value: Value, wanted: Value) -> bool:
    """Say whether all cases of a value are of the wanted one."""
    return value[0][: len(wanted[0])] == wanted[0] and wanted[1] in (None, value[1])


def can_be(value: Value, wanted: Value) -> bool:
    """Say whether a case of a value may be of the wanted one."""
    agree = all(one == other for one, other in zip(value[0], wanted[0], strict=False))
    return agree and (value[1] is None or wanted[1] is None or value[1] == wanted[1])
