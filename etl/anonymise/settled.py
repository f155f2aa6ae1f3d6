"""Which cases can change nothing any more: a release need not look at them, or at what earlier releases said of them.

A settled case was counted as registered, its cohort is out (or it came too late for one), it stands in a group, and it was
never reopened. It counts in numbers of its year only, so it is left out of releases with which no year ends. Leaving a case
out of staging and its placements out of memory must go together: a case without its placements would count as new.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import ibis

from etl.anonymise.cases import closes_year, month_index
from etl.anonymise.held import hold
from etl.anonymise.history import History
from etl.metadata import Policy

if TYPE_CHECKING:
    from ibis.expr.types import Table

# what a placement says of its case; summed over all of a case they tell each apart, whatever the order
_REGISTERED, _COHORT, _GROUPED, _AGAIN = 1, 1_000, 1_000_000, 1_000_000_000
_SETTLED = _REGISTERED + _COHORT + _GROUPED


def with_settled(history: History, case: Table, *, policy: Policy) -> History:
    """Say in a history which cases of staging are settled, unless a year ends with a due month. case: its current view."""
    system = policy.calendar.system
    low, high = (month_index(system, history.due[place]) for place in (0, -1))
    if history.placement is None or closes_year(low, high):
        return history
    known = known_cases(case, history.placement)
    others = known.filter(~known.is_settled).select("case_key")
    return replace(
        history,
        settled=known.filter(known.is_settled).select("case_key"),
        unsettled=hold(history.placement.join(others, "case_key", how="semi"), "unsettled"),
    )


def known_cases(case: Table, placement: Table) -> Table:
    """Hold every case of which earlier releases said something, and whether it is settled: case_key, is_settled.

    case: the current view of staging. placement: all earlier placements.
    """
    code = placement.population_code
    late = placement.period_code != placement.release_id
    says = ibis.cases(
        ((code == "registered") & late, _REGISTERED + _COHORT),
        (code == "registered", _REGISTERED),
        (code == "cohort", _COHORT),
        ((code == "finished") & placement.case_group_id.notnull(), _GROUPED),
        (code.isin(("reopened", "withdrawn")), _AGAIN),
        else_=0,
    )
    rows = placement.select("case_key", says=says.cast("int64"))
    said = rows.group_by("case_key").agg(says=rows.says.sum())
    reopened = case.filter(case.status_code == "reopened").select(again_key="case_key")
    joined = said.join(reopened, said.case_key == reopened.again_key, how="left")
    return hold(joined.select("case_key", is_settled=(joined.says == _SETTLED) & joined.again_key.isnull()), "known")
