"""What a release says about itself: kept shares over whole groups, and the join of desk and automation in bands.

Counts are 0, at least k, or the text "< k", and sums of published rows; of the join there is the order of magnitude, and
shares in bands of 20 points, given only where a band is at least k cases wide. The join is told once a year with the year's
last month, so that no two reports differ by a few cases. Kept shares are quotients of published sums; they describe detail,
never an outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.cases import closes_year, in_closing_year
from etl.anonymise.columns import PUBLISHED
from etl.anonymise.held import fetch
from etl.model.report import DESK, magnitude

if TYPE_CHECKING:
    from ibis.expr.types import Table

BAND_POINTS = 20
CASES = "cases"
REQUESTERS = "requesters"


def banded(count: int, k: int) -> int | str:
    """Write a count as 0, itself from k on, or "< k".

    >>> [banded(n, 10) for n in (0, 3, 10)]
    [0, '< k', 10]
    """
    return count if count == 0 or count >= k else "< k"


def share_band(part: int, whole: int, k: int) -> str:
    """Write a share as a band of 20 points, or "< k" where such a band would be fewer than k cases wide.

    >>> share_band(90, 100, 10), share_band(9, 10, 10)
    ('80-100 %', '< k')
    """
    if whole * BAND_POINTS < k * 100:
        return "< k"
    low = min(part * 100 // whole // BAND_POINTS * BAND_POINTS, 100 - BAND_POINTS)
    return f"{low}-{low + BAND_POINTS} %"


def group_sums(groups: Table) -> list[dict[str, Any]]:
    """Sum groups by release, body and type: case_count, floor_count, and the cases that keep each ladder column."""
    kept = {
        f"kept_{name}": ibis.ifelse(groups[name].notnull(), groups.case_count, 0).sum() for name in PUBLISHED.values()
    }
    floor = ibis.ifelse(groups.is_floor, groups.case_count, 0).sum()
    return fetch(
        groups.group_by("release_id", "body_id", "case_type_code").agg(
            case_count=groups.case_count.sum(), floor_count=floor, **kept
        )
    )


def k_bases(groups: Table) -> dict[str, str]:
    """Say what k counts in each release: requesters where one is known, else cases. groups: with known_count."""
    known = fetch(groups.group_by("release_id").agg(n=groups.known_count.sum()))
    return {row["release_id"]: REQUESTERS if row["n"] else CASES for row in known}


def linkage_sums(case: Table, *, low: int, high: int) -> list[dict[str, Any]]:
    """Count I1 to I4 over the desk's cases by body and year of registration, for years whose last month is due."""
    if not closes_year(low, high):
        return []
    desk = case.filter(ibis.coalesce(case.is_desk, False) & in_closing_year(case.registered_index, low, high))

    def count(condition: Any) -> Any:
        return ibis.ifelse(ibis.coalesce(condition, False), 1, 0).sum()

    return fetch(
        desk.group_by("body_id", "registered_year_code").agg(
            desk=desk.case_key.count(),
            followed=count(desk.is_linked),
            within_a_day=count(desk.registration_days <= 1),
            promised=count(desk.promised_on.notnull()),
            notified=count(desk.is_notified_each),
        )
    )


def make_report(
    releases: Sequence[str],
    *,
    sums: Iterable[Mapping[str, Any]],
    linkage: Iterable[Mapping[str, Any]],
    margins: Iterable[Mapping[str, Any]],
    bases: Mapping[str, str],
    k: int,
) -> dict[str, dict[str, Any]]:
    """Write the report of each release: release id -> k, k_basis, groups, kept shares, linkage of the year that ends.

    bases: release id -> what k counts there.
    """
    totals: dict[str, dict[str, int]] = {release: {} for release in releases}
    for row in sums:
        for name, value in row.items():
            if isinstance(value, int):
                totals[row["release_id"]][name] = totals[row["release_id"]].get(name, 0) + value
    awaiting = dict.fromkeys(releases, 0)
    for row in margins:
        awaiting[row["release_id"]] += row["awaiting_count"]
    links: dict[str, list[dict[str, Any]]] = {release: [] for release in releases}
    for row in sorted(linkage, key=lambda row: (row["registered_year_code"], row["body_id"])):
        links[f"{row['registered_year_code']}-12"].append(_link(row, k))
    return {
        release: {
            "k": k,
            "k_basis": bases.get(release, CASES),
            "case_count": banded(totals[release].get("case_count", 0), k),
            "floor_count": banded(totals[release].get("floor_count", 0), k),
            "awaiting_count": banded(awaiting[release], k),
            "kept_shares": _kept(totals[release]),
            "linkage": links[release],
        }
        for release in releases
    }


def _kept(total: Mapping[str, int]) -> dict[str, float]:
    cases = total.get("case_count", 0)
    return {name: round(total[f"kept_{name}"] / cases, 4) for name in PUBLISHED.values()} if cases else {}


def _link(row: Mapping[str, Any], k: int) -> dict[str, Any]:
    desk = row["desk"]
    shares = {
        "i1_followed_share": share_band(row["followed"], desk, k),
        "i2_registered_within_a_day_share": share_band(row["within_a_day"], desk, k),
        "i3_promised_share": share_band(row["promised"], desk, k),
        "i4_notified_share": share_band(row["notified"], desk, k),
    }
    return {
        "body_id": row["body_id"],
        "year_code": row["registered_year_code"],
        DESK: magnitude(desk, k),
        **shares,
    }
