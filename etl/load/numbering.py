"""Ids of released rows, which depend on nothing but the published values (CONTRACT "Periods, time, identity").

An id is `release_number · 10^7 + rank`, the rank counted from 1 in the sort of all published columns: NULL first, texts
by their UTF-8 bytes, numbers and dates by value, false before true. No tie is broken by anything private, so that two
bodies with other secrets, or shuffled input, get equal bytes. A timeline that was released before keeps its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import ReleaseError

ROWS_A_RELEASE = 10_000_000
RELEASE = "_release"  # position of the row's release among those written now; never released

Step = tuple[str, str | None, bool]
Content = tuple[str, tuple[Step, ...]]  # the level of a timeline and its steps


@dataclass(frozen=True)
class Traces:
    """Timelines by content: ids of all of them and, per release position, the contents that are new in it."""

    id_of: Mapping[Content, int]
    new: Mapping[int, tuple[Content, ...]]


def number_rows(table: pa.Table, key: str, *, first_number: int) -> pa.Table:
    """Sort rows by release and published values and put their ids in front as column `key`.

    table: the published columns and `_release` (position of the release, from 0); `first_number` is the release number
    of position 0. Errors: ReleaseError where one release has 10^7 rows or more.
    """
    names = [RELEASE, *(name for name in table.column_names if name != RELEASE)]
    if table.num_rows:
        table = table.take(pc.sort_indices(table, sort_keys=[(name, "ascending", "at_start") for name in names]))
    position = table[RELEASE].to_numpy()
    rank = np.arange(len(position)) - np.searchsorted(position, position, side="left") + 1
    if len(rank) and int(rank.max()) >= ROWS_A_RELEASE:
        raise ReleaseError(
            "too-many-rows",
            found=f"a release with {int(rank.max()):,} rows in one table",
            expected=f"fewer than {ROWS_A_RELEASE:,}",
            todo="Raise k or shorten the ladder; rows this fine are no groups.",
        )
    ids = (position.astype(np.int64) + first_number) * ROWS_A_RELEASE + rank
    return table.add_column(0, key, pa.array(ids, pa.int64()))


def number_traces(used: Sequence[tuple[int, Content]], earlier: Mapping[Content, int], *, first_number: int) -> Traces:
    """Give ids to timelines: the earlier id, else a new one in the first release (position) that uses the timeline."""
    first_use: dict[Content, int] = {}
    for position, content in used:
        if content not in earlier:
            first_use[content] = min(position, first_use.get(content, position))
    ids = dict(earlier)
    new: dict[int, tuple[Content, ...]] = {}
    for position in sorted(set(first_use.values())):
        contents = sorted((c for c, first in first_use.items() if first == position), key=_sort_key)
        new[position] = tuple(contents)
        base = (first_number + position) * ROWS_A_RELEASE
        ids |= {content: base + rank for rank, content in enumerate(contents, 1)}
    return Traces(ids, new)


def _sort_key(content: Content) -> tuple[bytes, tuple[tuple[bytes, bytes, bool], ...]]:
    level, steps = content
    return level.encode(), tuple((activity.encode(), (unit or "").encode(), gap) for activity, unit, gap in steps)
