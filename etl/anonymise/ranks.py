"""Order statistics that are no single case's value: nearest ranks, published only with company on both sides.

The rank of quantile q among n is ceil(q n). It is shown only if at least four of the n lie on each side of it, and only
where the cases with a usable time come from at least k requesters, none with more than half of them: a median over one
person's ten cases is that person's. The four on a side are people, too: where they are cases of one person, that person
knows who is the last of all others. The number of those requesters is shown as a band, and must be enough for the figure
by itself, so that the band says so. Never the lowest, never the highest (DESIGN §4 "A group"). Plain window ranks, so that
every engine gives the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.requesters import REQUESTER, are_enough, count_requesters

if TYPE_CHECKING:
    from ibis.expr.types import Table

COMPANY = 4
TIMED_EDGES = (10, 20, 50, 100, 200)


def count_timed(relation: Table, value: str, *, group: tuple[str, ...], k: int) -> Table:
    """Give each group with a known value its timed_count: the requesters of the cases with one, 0 where they are too few."""
    asked = count_requesters(relation.filter(relation[value].notnull()), group)
    return asked.select(*group, timed_count=ibis.ifelse(are_enough(asked, k), asked.requester_count, 0))


def rank_values(
    relation: Table,
    value: str,
    *,
    group: tuple[str, ...],
    percents: Mapping[str, int],
    k: int,
    timed: Table | None = None,
) -> Table:
    """Give each group with a known value its timed_count and its order statistics.

    relation: one row per case with requester_number, `value` in whole days (NULL: no usable time). percents: column of
    the answer -> percentile. Result: one row per group: the group columns, timed_count (private: the requesters of the
    cases with a value, 0 where they are not enough), one column per percentile, NULL where the rank has no company or
    the requesters are not enough. timed: count_timed of another value that the same cases have.
    """
    known = relation.filter(relation[value].notnull())
    asked = count_timed(relation, value, group=group, k=k) if timed is None else timed
    counted = _counted(known, value, group)
    shown = {name: _at_rank(counted, percent) for name, percent in percents.items()}
    ranked = counted.group_by(*group).agg(**shown).join(asked, group)
    return ranked.mutate(
        **{
            name: ibis.ifelse(_has_company(ranked.timed_count, percent), ranked[name], ibis.null("int64"))
            for name, percent in percents.items()
        }
    )


def _counted(known: Table, value: str, group: tuple[str, ...]) -> Table:
    """Count by group and `days`: n, known_count of the group, up_to and people_up_to these days, people_from them on.

    Who has several cases counts up to some days from the shortest on, and from some days on up to the longest.
    """
    each = known.group_by(*group, REQUESTER, days=known[value].cast("int64")).agg(n=known[value].count())
    own, alone = ibis.window(group_by=(*group, REQUESTER)), each[REQUESTER].isnull()
    each = each.mutate(
        first=ibis.ifelse(alone, each.n, ibis.ifelse(each.days == each.days.min().over(own), 1, 0)),
        last=ibis.ifelse(alone, each.n, ibis.ifelse(each.days == each.days.max().over(own), 1, 0)),
    )
    counted = each.group_by(*group, "days").agg(n=each.n.sum(), first=each["first"].sum(), last=each["last"].sum())
    whole, rising = ibis.window(group_by=group), ibis.cumulative_window(group_by=group, order_by="days")
    return counted.mutate(
        known_count=counted.n.sum().over(whole).cast("int64"),
        up_to=counted.n.sum().over(rising).cast("int64"),
        people_up_to=counted["first"].sum().over(rising).cast("int64"),
        people_from=counted["last"].sum().over(whole).cast("int64")
        - counted["last"].sum().over(rising).cast("int64")
        + counted["last"].cast("int64"),
    )


def rank_of(count: Any, percent: int) -> Any:
    """Give the nearest rank of a percentile among so many values, a number or a column of numbers.

    >>> rank_of(40, 90), rank_of(9, 50)
    (36, 5)
    """
    return (count * percent + 99) // 100


def _at_rank(counted: Table, percent: int) -> Any:
    rank = rank_of(counted.known_count, percent)
    is_there = (counted.up_to >= rank) & (counted.up_to - counted.n < rank)
    is_shown = _has_company(counted.known_count, percent)
    # whose time it is counts on both sides
    has_people = (counted.people_up_to > COMPANY) & (counted.people_from > COMPANY)
    return ibis.ifelse(is_shown & has_people & is_there, counted.days, ibis.null("int64")).min()


def _has_company(n: Any, percent: int) -> Any:
    rank = rank_of(n, percent)
    return (rank > COMPANY) & (n - rank >= COMPANY)


def timed_band(relation: Table, *, k: int) -> Any:
    """Name the band of timed_count by its lowest number; NULL below k."""
    bands = [(relation.timed_count >= edge, str(edge)) for edge in reversed(timed_edges(k))]
    return ibis.cases(*bands, else_=ibis.null("string"))


def timed_edges(k: int) -> tuple[int, ...]:
    """List the lowest numbers of the bands an instance with this k can publish; the lowest band begins at k.

    >>> timed_edges(10), timed_edges(5), timed_edges(15)
    ((10, 20, 50, 100, 200), (5, 10, 20, 50, 100, 200), (15, 20, 50, 100, 200))
    """
    return (k, *(edge for edge in TIMED_EDGES if edge > k))
