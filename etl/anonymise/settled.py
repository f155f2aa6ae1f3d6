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


def with_settled(history: History, case: Table, *, policy: Policy) -> History:
    """Say in a history which cases of staging are settled, unless a year ends with a due month. case: its current view."""
    system = policy.calendar.system
    low, high = (month_index(system, history.due[place]) for place in (0, -1))
    if history.placement is None or closes_year(low, high):
        return history
    return replace(history, settled=settled_cases(case, history.placement))


def settled_cases(case: Table, placement: Table) -> Table:
    """Hold the settled cases: case_key, once each. case: the current view of staging. placement: all earlier placements."""
    code = placement.population_code
    late = placement.period_code != placement.release_id
    said = {
        "registered": code == "registered",
        "cohort": (code == "cohort") | ((code == "registered") & late),
        "grouped": (code == "finished") & placement.case_group_id.notnull(),
        "again": code.isin(("reopened", "withdrawn")),
    }
    each = placement.group_by("case_key").agg(
        **{f"is_{name}": ibis.ifelse(condition, 1, 0).max() for name, condition in said.items()}
    )
    done = each.filter(
        (each.is_registered == 1) & (each.is_cohort == 1) & (each.is_grouped == 1) & (each.is_again == 0)
    )
    reopened = case.filter(case.status_code == "reopened").select(again_key="case_key")
    joined = done.join(reopened, done.case_key == reopened.again_key, how="left")
    return hold(joined.filter(joined.again_key.isnull()).select("case_key"), "settled")
