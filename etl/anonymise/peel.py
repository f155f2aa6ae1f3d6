"""Peeling: the partition of finished cases into groups of at least k, one rung of the ladder after another.

From the first rung down, cases that share every value of the rung with at least k - 1 others not yet placed become a
group; the others go on. One chain of window counts over (unplaced and fitting, floor keys, the rung's columns): NULL is
a key there, nothing is joined, nothing is recomputed from a coarser table (DESIGN §4 "Peeling"). A rung that names a
column which the case must not or cannot show does not fit it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.columns import VALUES
from etl.anonymise.held import hold, let_go
from etl.metadata import Policy

if TYPE_CHECKING:
    from ibis.expr.types import Table

PUBLISHED = {
    "service": "service_id",
    "unit": "unit_id",
    "outcome": "outcome_code",
    "lateness": "lateness_code",
    "duration": "duration_band_code",
    "loop": "is_loop",
    "channel": "channel_code",
    "trace": "trace_key",
}
WITH_LEVEL = ("service", "unit", "trace")
CODED_AS = {"loop": "boolean", "trace": "int64"}  # the other columns: int32, a place in a list of values
EARLIER = "earlier"
RUNGS_AT_ONCE = 6  # deeper queries exhaust the stack of the SQL writer


def peel(case: Table, *, policy: Policy, floor: tuple[str, ...]) -> Table:
    """Give every case without a rung the first rung on which it stands with at least k - 1 other such cases.

    case: one row per case with the columns of VALUES, is_sensitive, rung_number (NULL: not placed) and the floor keys.
    floor: the columns that no rung drops. Adds nothing but rung numbers.
    """
    held = None
    for number, levels in enumerate(policy.ladder, 1):
        fits = case.rung_number.isnull() & _fits(case, levels, policy)
        values = [case[VALUES[column, level]] for column, level in levels.items()]
        alike = ibis.window(group_by=[fits, *(case[name] for name in floor), *values])
        is_group = fits & (case.case_number.count().over(alike) >= policy.k)
        case = case.mutate(rung_number=ibis.ifelse(is_group, ibis.literal(number, "int64"), case.rung_number))
        if number % RUNGS_AT_ONCE == 0:
            case, spent = hold(case, "peeled"), held
            held = case
            if spent is not None:
                let_go(spent)
    return case


def peel_periods(case: Table, policy: Policy) -> Table:
    """Peel the cases whose period closes now, all periods in one chain; what no rung takes is the floor of its period."""
    peeled = peel(_start(case), policy=policy, floor=("body_id", "case_type_code", "period_code"))
    return peeled.mutate(
        is_floor=peeled.rung_number.isnull(),
        rung_number=ibis.coalesce(peeled.rung_number, len(policy.ladder) + 1),
        late_for_code=ibis.null("string"),
        is_placed=ibis.literal(True),
    )


def peel_late(case: Table, policy: Policy) -> Table:
    """Peel late cases among themselves: for their period, the rest for its year, the rest for all earlier ones together.

    There is no floor: what finds no group waits (is_placed false, late_for_code NULL).
    """
    case = _start(case)
    case = case.mutate(
        own_period_code=case.period_code,
        own_cadence_code=case.cadence_code,
        earlier_code=ibis.literal(EARLIER),
        late_for_code=ibis.null("string"),
    )
    for stage in ("own_period_code", "finished_year_code", "earlier_code"):
        case = peel(case, policy=policy, floor=("body_id", "case_type_code", stage))
        is_new = case.rung_number.notnull() & case.late_for_code.isnull()
        case = hold(case.mutate(late_for_code=ibis.ifelse(is_new, case[stage], case.late_for_code)), "late")
    is_placed = case.rung_number.notnull()
    is_own = case.late_for_code == case.own_period_code
    return case.mutate(
        is_floor=ibis.literal(False),
        is_placed=is_placed,
        period_code=ibis.ifelse(is_placed, case.late_for_code, case.own_period_code),
        cadence_code=ibis.cases(
            (~is_placed, case.own_cadence_code),
            (is_own, case.own_cadence_code),
            (case.late_for_code == EARLIER, ibis.null("string")),
            else_=ibis.literal("year"),
        ),
    ).drop("own_period_code", "own_cadence_code", "earlier_code")


def with_published(case: Table, policy: Policy) -> Table:
    """Add the published columns of each case's rung, as codes (NULL: dropped there), and their levels."""
    shown: dict[str, Any] = {}
    for column, name in PUBLISHED.items():
        rungs: dict[str, list[int]] = {}
        for number, levels in enumerate(policy.ladder, 1):
            if column in levels:
                rungs.setdefault(levels[column], []).append(number)
        values = [(case.rung_number.isin(numbers), case[VALUES[column, level]]) for level, numbers in rungs.items()]
        kind = CODED_AS.get(column, "int32")
        shown[name] = ibis.cases(*values, else_=ibis.null(kind)) if values else ibis.null(kind)
        if column in WITH_LEVEL:
            levels_shown = [(case.rung_number.isin(numbers), ibis.literal(level)) for level, numbers in rungs.items()]
            shown[f"{column}_level"] = (
                ibis.cases(*levels_shown, else_=ibis.null("string")) if levels_shown else ibis.null("string")
            )
    return case.mutate(**shown)


def _start(case: Table) -> Table:
    return case.mutate(rung_number=ibis.null("int64"))


def _fits(case: Table, levels: Mapping[str, str], policy: Policy) -> Any:
    fits: Any = ibis.literal(True)
    if set(levels) & set(policy.sensitive.implies):
        fits = ~case.is_sensitive
    if "trace" in levels:
        fits = fits & case[VALUES["trace", levels["trace"]]].notnull()
    return fits
