"""Who asked: k counts distinct requesters where they are known, and no requester makes a group on their own.

A group needs at least k distinct requesters, a case without a known requester being its own, and the largest requester
holds at most half of its cases; the same holds for the cases behind an order statistic. One person with forty requests is
no crowd, and a group of ten of hers would publish her record to whoever knows that she asks. The key is new each year
(DESIGN §3), so a group of late cases from several years may count a person once a year.

Inside a run a requester is a number, given only to those with several cases in it: every other case stands alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from etl.anonymise.held import hold

if TYPE_CHECKING:
    from ibis.expr.types import Table

REQUESTER = "requester_number"
LARGEST_SHARE = 2  # the largest requester holds at most one case of so many


def with_requesters(case: Table, *, of: Table | None = None) -> Table:
    """Put requester_number (NULL: stands alone) and is_requester_known in the place of requester_key.

    of: the same cases before columns were added to them, where the requesters are found at less cost.
    """
    of = case if of is None else of
    known = of.filter(of.requester_key.notnull())
    several = known.group_by("requester_key").agg(n=known.case_number.count())
    several = several.filter(several.n > 1).drop("n")
    number = (ibis.row_number().over(ibis.window(order_by="requester_key")) + 1).cast("int32")
    numbered = hold(several.select(several_key=several.requester_key, **{REQUESTER: number}), "requester")
    joined = case.join(numbered, case.requester_key == numbered.several_key, how="left")
    return joined.mutate(is_requester_known=joined.requester_key.notnull()).drop("requester_key", "several_key")


def count_requesters(relation: Table, group: tuple[str, ...]) -> Table:
    """Count the cases of each group, its distinct requesters, and the cases of the largest one.

    relation: one row per case with requester_number. Result: the group columns, case_count, requester_count,
    largest_count.
    """
    each = relation.group_by(*group, REQUESTER).agg(n=relation.count())
    alone = each[REQUESTER].isnull()
    return each.group_by(*group).agg(
        case_count=each.n.sum().cast("int64"),
        requester_count=ibis.ifelse(alone, each.n, 1).sum().cast("int64"),
        largest_count=ibis.ifelse(alone, 1, each.n).max().cast("int64"),
    )


def alone_in(relation: Table, group: str) -> Table:
    """Let everybody stand alone (requester_number NULL) who has one case in their group, so that these are counted at once.

    relation: one row per case with requester_number and the number of its group.
    """
    known = relation.filter(relation[REQUESTER].notnull() & relation[group].notnull())
    several = known.group_by(group, REQUESTER).agg(n=known.count())
    several = several.filter(several.n > 1).select(several_group=group, several_number=REQUESTER)
    own = (relation[group] == several.several_group) & (relation[REQUESTER] == several.several_number)
    joined = relation.join(several, own, how="left")
    return joined.mutate(**{REQUESTER: joined.several_number}).select(*relation.columns)


def are_enough(counted: Table, k: int) -> Any:
    """Say whether counted groups (count_requesters) have k requesters and none that holds more than half of the cases."""
    return (counted.requester_count >= k) & (counted.largest_count * LARGEST_SHARE <= counted.case_count)
