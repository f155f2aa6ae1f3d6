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

from etl.anonymise.cases import closes_year, in_closing_year, is_finished
from etl.anonymise.held import hold, hold_rows, let_go
from etl.anonymise.ranks import rank_values, timed_band
from etl.anonymise.requesters import REQUESTER, with_requesters
from etl.anonymise.traces import numbered_days, usable_day
from etl.metadata import Policy
from etl.metadata.settings import Node

if TYPE_CHECKING:
    from ibis.expr.types import Table

NAME = "unit_time"
FEWEST_POSTS = 3
BASIS = "attested"
_KEYS = ("year_code", "unit_number")
UNIT_TIME = pa.schema(
    [
        *((name, pa.string()) for name in ("release_id", "year_code", "unit_id", "body_id")),
        *(("timed_band_code", pa.string()), ("stay_median_days", pa.int64()), ("basis_code", pa.string())),
    ]
)
_NODE = pa.schema([("node", pa.string()), ("unit_number", pa.int32())])
_UNIT = pa.schema([("unit_number", pa.int32()), ("unit_id", pa.string()), ("body_id", pa.string())])


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
    closing = case.filter(is_finished(case) & in_closing_year(case.finished_index, low, high))
    asked = closing.select("case_key", "case_number", "requester_key", year_code="finished_year_code")
    scope = hold(with_requesters(asked).drop("is_requester_known"), "stayed")
    nodes, units = _numbered_units(policy.units, case.get_backend())
    stays = hold(_stays(scope, event, numbered_days(calendar, policy), nodes), "stay")
    ranked = rank_values(stays, "days", group=_KEYS, percents={"stay_median_days": 50}, k=policy.k)
    shown = ranked.filter(ranked.timed_count > 0)
    joined = shown.mutate(timed_band_code=timed_band(shown, k=policy.k)).join(units, "unit_number")
    made = joined.mutate(release_id=joined.year_code + "-12", basis_code=ibis.literal(BASIS))
    times = hold(made.select(*UNIT_TIME.names), NAME)
    let_go(scope, stays)
    return times


def _numbered_units(units: Sequence[Node], engine: Any) -> tuple[Table, Table]:
    """Number the units that show stays: the number that each unit counts under, and what a number stands for."""
    shown, bodies = shown_units(units), {unit.id: unit.body for unit in units}
    numbers = {unit: number for number, unit in enumerate(sorted(set(shown.values())), 1)}
    nodes = [{"node": node, "unit_number": numbers[unit]} for node, unit in shown.items()]
    named = [{"unit_number": number, "unit_id": unit, "body_id": bodies[unit]} for unit, number in numbers.items()]
    return hold_rows(engine, "shown_node", nodes, _NODE), hold_rows(engine, "shown_unit", named, _UNIT)


def _stays(scope: Table, event: Table, days: Table, nodes: Table) -> Table:
    """Give the days of each case in each shown unit (NULL: not known): unit_number, days, year_code, requester_number.

    Steps are compared as numbers; what else is known of a case is joined to its stays.
    """
    dated = event.select("case_key", "seq", "to_unit_id", day_on=usable_day(event))
    numbers = scope.select("case_key", "case_number")
    dated = dated.join(numbers, "case_key").join(days, "day_on", how="left", rname="calendar_{name}")
    dated = dated.join(nodes, dated.to_unit_id == nodes.node, how="left")
    dated = dated.select("case_number", "seq", "unit_number", "day_number")
    back = ibis.window(group_by="case_number", order_by=ibis.desc(dated.seq))
    dated = dated.mutate(is_last=ibis.row_number().over(back) == 0, until=dated.day_number.lag(1).over(back))
    passed: Any = dated.until - dated.day_number
    moved = dated.filter(~dated.is_last & dated.unit_number.notnull()).mutate(
        passed=passed, is_unknown=ibis.ifelse(ibis.coalesce(passed >= 0, False), 0, 1)
    )
    summed = moved.group_by("case_number", "unit_number").agg(total=moved.passed.sum(), unknown=moved.is_unknown.max())
    days_known = ibis.ifelse(summed.unknown == 0, summed.total, ibis.null("int64"))
    stayed = summed.join(scope.select("case_number", "year_code", REQUESTER), "case_number")
    return stayed.select("unit_number", "year_code", REQUESTER, days=days_known)
