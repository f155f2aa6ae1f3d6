"""Order statistics that are no single case's value: nearest ranks, published only with company on both sides.

The rank of quantile q among n is ceil(q n). It is shown only if at least four of the n lie on each side of it, and only
where n, the cases with a usable time, is at least k; n itself is shown as a band. Never the lowest, never the highest
(DESIGN §4 "A group"). Plain window ranks, so that every engine gives the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import Table

COMPANY = 4
TIMED_EDGES = (10, 20, 50, 100, 200)


def rank_values(relation: Table, value: str, *, group: tuple[str, ...], percents: Mapping[str, int], k: int) -> Table:
    """Give each group with a known value its timed_count and its order statistics.

    relation: one row per case, `value` in whole days (NULL: no usable time). percents: column of the answer -> percentile.
    Result: one row per group: the group columns, timed_count (private), one column per percentile, NULL where the rank
    has no company or fewer than k values are known.
    """
    known = relation.filter(relation[value].notnull())
    counted = known.group_by(*group, days=known[value].cast("int64")).agg(n=known[value].count())
    rising = ibis.cumulative_window(group_by=group, order_by="days")
    counted = counted.mutate(
        timed_count=counted.n.sum().over(ibis.window(group_by=group)).cast("int64"),
        up_to=counted.n.sum().over(rising).cast("int64"),
    )
    shown = {name: _at_rank(counted, percent, k) for name, percent in percents.items()}
    return counted.group_by(*group, "timed_count").agg(**shown)


def _at_rank(counted: Table, percent: int, k: int) -> Any:
    n = counted.timed_count
    rank = (n * percent + 99) // 100
    is_shown = (n >= k) & (rank > COMPANY) & (n - rank >= COMPANY)
    return ibis.ifelse(is_shown & (counted.up_to >= rank), counted.days, ibis.null("int64")).min()


def timed_band(relation: Table, *, k: int) -> Any:
    """Name the band of timed_count by its lowest number; NULL below k."""
    edges = [edge for edge in timed_edges(k) if edge >= k]
    bands = [(relation.timed_count >= edge, str(edge)) for edge in reversed(edges)]
    return ibis.cases(*bands, else_=ibis.null("string"))


def timed_edges(k: int) -> tuple[int, ...]:
    """List the lowest numbers of the bands an instance with this k can publish.

    >>> timed_edges(10), timed_edges(5), timed_edges(15)
    ((10, 20, 50, 100, 200), (5, 10, 20, 50, 100, 200), (10, 20, 50, 100, 200))
    """
    return TIMED_EDGES if k >= TIMED_EDGES[0] else (k, *TIMED_EDGES)
