"""How long cases stay in a unit: one median a year and unit, over the finished cases of the year (DESIGN §4, table).

The stay of a case is the days from each arrival in the unit to the next event, all its stays in the year together, in
days of the headline clock's kind; a case with an unknown day there has no stay. A median needs k requesters, and four
cases on either side. A unit that may have fewer than three posts is its officer: its stays count in the nearest unit above
that surely has three, and where no staff band says so, nowhere. Every stay counts in one row, so no two rows nest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.cases import closes_year
from etl.anonymise.held import hold, hold_rows, let_go
from etl.anonymise.ranks import rank_values, timed_band
from etl.anonymise.requesters import REQUESTER, with_requesters
from etl.anonymise.stock import numbered_days
from etl.metadata import Policy
from etl.metadata.settings import Node

if TYPE_CHECKING:
    from ibis.expr.types import Table

NAME = "unit_time"
FEWEST_POSTS = 3
BASIS = "attested"
USABLE_PRECISIONS = ("second", "day")
_KEYS = ("release_id", "year_code", "unit_id")
UNIT_TIME = pa.schema(
    [
        *((name, pa.string()) for name in (*_KEYS, "body_id", "timed_band_code", "basis_code")),
        ("stay_median_days", pa.int64()),
    ]
)
_UNIT = pa.schema([("node", pa.string()), ("shown", pa.string()), ("body_id", pa.string())])


def shown_units(units: Sequence[Node]) -> dict[str, str]:
    """Give, for each unit whose stays may be shown, the unit that shows them: itself or the nearest large one above.

    >>> shown_units([Node("a", None, {}, staff_band="10_19"), Node("b", "a", {}, staff_band="under_10"), Node("c", None, {})])
    {'a': 'a', 'b': 'a'}
    """
    known = {unit.id: unit for unit in units}
    shown = {}
    for unit in units:
        above: Node | None = unit
        while above is not None and fewest_posts(above.staff_band) < FEWEST_POSTS:
            above = known.get(above.parent or "")
        if above is not None:
            shown[unit.id] = above.id
    return shown


def fewest_posts(staff_band: str | None) -> int:
    """Read the lower end of a staff band; 0 where it is open below or not known.

    >>> fewest_posts("10_19"), fewest_posts("50_up"), fewest_posts("under_10"), fewest_posts(None)
    (10, 50, 0, 0)
    """
    first = (staff_band or "").partition("_")[0]
    return int(first) if first.isdecimal() else 0


def unit_times(case: Table, event: Table, calendar: Table, *, policy: Policy, low: int, high: int) -> Table:
    """Give the medians of every year whose last month is due (indexes `low` to `high`): the columns of `unit_time`."""
    if not closes_year(low, high):
        return hold_rows(case.get_backend(), NAME, [], UNIT_TIME)
    month = case.finished_index
    last = month - month % 12 + 11
    is_counted = (case.was_finished == 1) | case.counted_finished.notnull()
    closing = case.filter(is_counted & (last >= low) & (last <= high))
    scope = closing.select(
        *("case_key", "case_number", "requester_key"),
        year_code=closing.finished_year_code,
        release_id=closing.finished_year_code + "-12",
    )
    known = {unit.id: unit for unit in policy.units}
    rows = [
        {"node": node, "shown": shown, "body_id": known[shown].body}
        for node, shown in shown_units(policy.units).items()
    ]
    units = hold_rows(case.get_backend(), "shown_unit", rows, _UNIT)
    stays = hold(_stays(scope, event, numbered_days(calendar, policy), units), "stay")
    timed = hold(with_requesters(stays), "stay")
    let_go(stays)
    ranked = rank_values(
        timed.select("days", REQUESTER, *_KEYS), "days", group=_KEYS, percents={"stay_median_days": 50}, k=policy.k
    )
    shown = ranked.filter(ranked.timed_count > 0)
    bodies = units.filter(units.node == units.shown).select(unit_id="shown", body_id="body_id")
    joined = shown.mutate(timed_band_code=timed_band(shown, k=policy.k)).join(bodies, "unit_id", how="left")
    made = joined.mutate(basis_code=ibis.literal(BASIS))
    return hold(made.select(*_KEYS, "body_id", "timed_band_code", "stay_median_days", "basis_code"), NAME)


def _stays(scope: Table, event: Table, days: Table, units: Table) -> Table:
    """Give the days of each case in each shown unit (NULL: not known): case_number, unit_id, days, and the case's columns."""
    is_usable = event.time_precision_code.isin(USABLE_PRECISIONS) & ~ibis.coalesce(event.is_derived, False)
    dated = event.select(
        "case_key", "seq", "to_unit_id", day_on=ibis.ifelse(ibis.coalesce(is_usable, False), event.occurred_on, None)
    )
    dated = dated.join(scope, "case_key").join(days, "day_on", how="left", rname="calendar_{name}")
    back = ibis.window(group_by="case_number", order_by=ibis.desc(dated.seq))
    dated = dated.mutate(is_last=ibis.row_number().over(back) == 0, until=dated.day_number.lag(1).over(back))
    passed: Any = dated.until - dated.day_number
    moved = dated.filter(~dated.is_last & dated.to_unit_id.notnull()).mutate(
        passed=passed, is_unknown=ibis.ifelse(ibis.coalesce(passed >= 0, False), 0, 1)
    )
    placed = moved.join(units, moved.to_unit_id == units.node)
    summed = placed.group_by("case_number", "requester_key", "release_id", "year_code", unit_id=placed.shown).agg(
        total=placed.passed.sum(), unknown=placed.is_unknown.max()
    )
    days_known = ibis.ifelse(summed.unknown == 0, summed.total, ibis.null("int64"))
    return summed.mutate(days=days_known).drop("total", "unknown")
