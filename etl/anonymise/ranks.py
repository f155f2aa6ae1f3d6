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


def with_ranks(relation: Table, value: str, *, group: tuple[str, ...]) -> Table:
    """Add to each row the rank of `value` in its group (from 1, NULLs apart) and timed_count, the group's known values."""
    is_timed = relation[value].notnull()
    relation = relation.mutate(is_timed=is_timed)
    return relation.mutate(
        timed_count=ibis.ifelse(relation.is_timed, 1, 0).sum().over(ibis.window(group_by=group)),
        value_rank=ibis.row_number().over(ibis.window(group_by=(*group, "is_timed"), order_by=value)) + 1,
    )


def ranked(relation: Table, value: str, *, percent: int, k: int) -> Any:
    """Aggregate: the value at the nearest rank of a percentile, NULL where the rank has no company or n is below k."""
    n = relation.timed_count.cast("int64")
    rank = (n * percent + 99) // 100
    is_shown = (n >= k) & (rank > COMPANY) & (n - rank >= COMPANY)
    at_rank = relation.is_timed & (relation.value_rank == rank) & is_shown
    return ibis.ifelse(at_rank, relation[value], ibis.null("int64")).max().cast("int64")


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


def quantiles(relation: Table, value: str, *, k: int, names: Mapping[str, int]) -> dict[str, Any]:
    """Aggregates for several percentiles: published column -> percentile."""
    return {name: ranked(relation, value, percent=percent, k=k) for name, percent in names.items()}
