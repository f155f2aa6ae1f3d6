"""How often a body releases the detail of a case type: month, season or year, fixed for a calendar year.

Taken from the published margins of the year before; a body without such a year uses the bootstrap, counted once from
all complete months of the first extraction, else releases by year (DESIGN §4 "Cadence", CONTRACT "Cadence bootstrap").
It never depends on the data of the period itself, so that a choice of period tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from etl.anonymise.held import fetch, hold_rows
from etl.metadata.settings import Cadence

if TYPE_CHECKING:
    from ibis.expr.types import Table

Bootstrap = Mapping[str, Mapping[str, str]]
CADENCE = pa.schema([(name, pa.string()) for name in ("body_id", "case_type_code", "kind_year_code", "cadence_code")])
MONTHS_FOR_A_GUESS = 3


def cadence_of(cases: int, *, months: int, policy: Cadence) -> str:
    """Name the cadence of `cases` finished in `months` months.

    >>> [cadence_of(n, months=12, policy=Cadence()) for n in (720, 719, 240, 239)]
    ['month', 'season', 'season', 'year']
    """
    if cases >= policy.month * months:
        return "month"
    return "season" if cases >= policy.season * months else "year"


def bootstrap(case: Table, *, first: int, last: int, policy: Cadence) -> Bootstrap:
    """Guess each body x type's cadence from the months `first` to `last` (indexes) of the first extraction."""
    in_scope = case.filter((case.registered_index <= last) | (case.finished_index <= last))
    is_finished = (in_scope.finished_index >= first) & (in_scope.finished_index <= last)
    counted = in_scope.group_by("body_id", "case_type_code").agg(
        start=in_scope.registered_index.min(),
        first_finished=in_scope.finished_index.min(),
        n=ibis.ifelse(is_finished, 1, 0).sum(),
    )
    guessed: dict[str, dict[str, str]] = {}
    for row in fetch(counted):
        known = [index for index in (row["start"], row["first_finished"]) if index is not None]
        months = last - max(min(known), first) + 1
        cadence = cadence_of(row["n"], months=months, policy=policy) if months >= MONTHS_FOR_A_GUESS else "year"
        guessed.setdefault(row["body_id"], {})[row["case_type_code"]] = cadence
    return {body: dict(sorted(guessed[body].items())) for body in sorted(guessed)}


def yearly_cadences(
    margins: Iterable[Mapping[str, Any]], *, policy: Cadence, begun: Mapping[str, Cadence] | None = None
) -> dict[tuple[str, str, str], str]:
    """Fix the cadence of each body x type in each year that follows a year of twelve published months.

    margins: rows with body_id, case_type_code, month_code, finished_count. begun: the limits of the years that earlier
    releases began; `policy` holds for the others. Key of the answer: body, type, year code.
    """
    finished: dict[tuple[str, str, str], list[int]] = {}
    for row in margins:
        finished.setdefault((row["body_id"], row["case_type_code"], row["month_code"][:4]), []).append(
            row["finished_count"]
        )
    fixed = {}
    for (body, case_type, year), counts in finished.items():
        if len(counts) == 12:
            following = f"{int(year) + 1:04}"
            limits = (begun or {}).get(following, policy)
            fixed[body, case_type, following] = cadence_of(sum(counts), months=12, policy=limits)
    return fixed


def cadence_in(place: tuple[str, str, str], fixed: Mapping[tuple[str, str, str], str], guessed: Bootstrap) -> str:
    """Give the cadence of a body, type and year.

    >>> cadence_in(("b", "foi", "1403"), {("b", "foi", "1403"): "month"}, {}), cadence_in(("b", "foi", "1404"), {}, {})
    ('month', 'year')
    """
    return fixed.get(place, guessed.get(place[0], {}).get(place[1], "year"))


def with_periods(
    case: Table, fixed: Mapping[tuple[str, str, str], str], guessed: Bootstrap, *, of: str = "finished"
) -> Table:
    """Add to cases the cadence_code, period_code, and release_index (the month that ends the period) of a date.

    of: which date; <of>_index, <of>_month_code, <of>_season_code and <of>_year_code are columns of case.
    """
    year = f"{of}_year_code"
    rows = []
    for kind in fetch(case.select("body_id", "case_type_code", year).distinct()):
        place = (kind["body_id"], kind["case_type_code"], kind[year])
        rows.append(dict(zip(CADENCE.names, (*place, cadence_in(place, fixed, guessed)), strict=True)))
    cadence = hold_rows(case.get_backend(), "cadence", rows, CADENCE).rename({year: "kind_year_code"})
    joined = case.join(cadence, ["body_id", "case_type_code", year])
    is_month, is_season = joined.cadence_code == "month", joined.cadence_code == "season"
    month = joined[f"{of}_index"]
    return joined.mutate(
        period_code=ibis.cases(
            (is_month, joined[f"{of}_month_code"]), (is_season, joined[f"{of}_season_code"]), else_=joined[year]
        ),
        release_index=ibis.cases((is_month, month), (is_season, month - month % 3 + 2), else_=month - month % 12 + 11),
    )
