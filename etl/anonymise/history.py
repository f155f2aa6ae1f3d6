"""What earlier releases already said: the memory that makes a release final (DESIGN §4 "Late cases", CONTRACT "Periods").

`History` is handed in by the caller, who reads it from released files and private placements; `due_months` says which
months a run must release. Neither looks at a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from etl.calendars import Period, months_between, parse_period
from etl.errors import PrivacyError, ReleaseError
from etl.metadata import Policy, Promises
from etl.model.identity import Cell

if TYPE_CHECKING:
    from ibis.expr.types import Table


@dataclass(frozen=True)
class History:
    """Which months are due, and everything that earlier releases fixed.

    due: the months to release now, consecutive and in order.
    first_month: the first month ever released, or to be released.
    placement: earlier placements, one row per case and population (a finished case that waited has two): population_code,
        case_key, case_group_id (NULL: waits), release_id, period_code, body_id, case_type_code; None before the first release.
    margin: all earlier rows of the published table `margin`; None before the first release.
    cadence_bootstrap: body -> case type -> cadence as fixed at the first release; {} then.
    promises: what earlier releases promised to cases that wait, and which cadence limits hold in which year.
    closed: at the first release, all months of the first extraction that are closed, from which the bootstrap is taken;
        empty: the due months are all of them.
    timelines: the timelines and patterns of earlier releases that show activities without units, each a row of
        (activity_code, is_gap); looked at where policy says `patterns: public`.
    groups: rows of the published table `case_group`, as first placed, of the releases of a year that ends with a due month;
        None where there are none.
    settled: the cases (case_key) that can change nothing in the due months (`etl.anonymise.settled`); None: look at all.
    unsettled: the earlier placements of all other cases, where there are settled ones.
    cells: what earlier releases of this year and the two before show by service and channel, for stock and flow.
    """

    due: tuple[Period, ...]
    first_month: Period
    placement: Table | None = None
    margin: Table | None = None
    cadence_bootstrap: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    closed: tuple[Period, ...] = ()
    promises: Promises = field(default_factory=Promises)
    timelines: Sequence[tuple[tuple[str, bool], ...]] = ()
    groups: Table | None = None
    cells: Sequence[Cell] = ()
    settled: Table | None = None
    unsettled: Table | None = None

    def __post_init__(self) -> None:
        """Refuse a history without months, and one half of which is lost (PrivacyError: what was placed must be known)."""
        if not self.due:
            raise ReleaseError(
                "nothing-due", found="no month to release", expected="at least one", todo="Wait for a month to close."
            )
        if (self.placement is None) != (self.margin is None):
            raise PrivacyError(
                "placements-lost",
                found="released margins without placements, or placements without margins",
                expected="both or neither",
                todo="Restore var/placement from the backup; a release without it could place a case twice.",
            )

    @property
    def said(self) -> Table | None:
        """Give what earlier releases said of the cases that are looked at."""
        return self.placement if self.unsettled is None else self.unsettled


def due_months(policy: Policy, *, as_of: date, first: date, released: Sequence[str]) -> tuple[Period, ...]:
    """List the months to release at `as_of`: closed `settle_days` ago, after the newest released one.

    as_of, first: civil dates; `first` is the earliest registration in staging and counts only where nothing is released.

    >>> from etl.metadata import Policy
    >>> [m.code for m in due_months(Policy(), as_of=date(2025, 3, 6), first=date(2024, 12, 30), released=[])]
    ['1403-10', '1403-11']
    """
    system = policy.calendar.system
    if released:
        newest = max((parse_period(system, code) for code in released), key=lambda month: month.first_on)
        first = newest.last_on + timedelta(days=1)
    settled = as_of - timedelta(days=policy.cadence.settle_days)
    return tuple(month for month in months_between(system, first, as_of) if month.last_on <= settled)
