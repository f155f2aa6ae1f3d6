"""How whole the records of a body are, by year of registration: rows of the published table `quality`.

Each share goes out once, with the last month of its year, as a band of five points that is at least k cases wide; nothing
of it can be subtracted from groups or margins. What extraction left out is counted elsewhere (`etl.extract.quality`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.cases import closes_year, in_closing_year
from etl.anonymise.held import fetch
from etl.model.quality import QualityRow, share_band

if TYPE_CHECKING:
    from ibis.expr.types import Table

DESK_MEASURES = {
    "followed": "followed",
    "registered_within_a_day": "within_a_day",
    "promised": "promised",
    "notified_each": "notified",
}
INFERRED = "inferred_steps"


def inferred_sums(case: Table, event: Table, *, low: int, high: int) -> list[dict[str, Any]]:
    """Count cases and those with an inferred step by body and year of registration, for years whose last month is due."""
    if not closes_year(low, high):
        return []
    closing = case.filter(in_closing_year(case.registered_index, low, high))
    closing = closing.select("case_key", "body_id", "registered_year_code")
    inferred = event.filter(event.is_derived).select("case_key").distinct().mutate(has_inferred=1)
    joined = closing.join(inferred, "case_key", how="left")
    return fetch(
        joined.group_by("body_id", "registered_year_code").agg(
            cases=joined.case_key.count(), inferred=ibis.coalesce(joined.has_inferred, 0).sum()
        )
    )


def quality_rows(
    linkage: Iterable[Mapping[str, Any]], inferred: Iterable[Mapping[str, Any]], *, k: int
) -> list[QualityRow]:
    """Write the shares of every body and year: I1 to I4 over the desk's cases, inferred steps over all."""
    rows = [
        _row(row, measure, row[column], row["desk"], k) for row in linkage for measure, column in DESK_MEASURES.items()
    ]
    rows += [_row(row, INFERRED, row["inferred"], row["cases"], k) for row in inferred]
    return sorted(rows, key=lambda row: (row["year_code"], row["body_id"], row["measure_code"]))


def _row(row: Mapping[str, Any], measure: str, part: int, whole: int, k: int) -> dict[str, Any]:
    low, high = share_band(part, whole, k)
    year = row["registered_year_code"]
    named = {"release_id": f"{year}-12", "year_code": year, "body_id": row["body_id"], "measure_code": measure}
    return {**named, "reason_code": None, "unit_code": "percent", "at_least": low, "at_most": high}
