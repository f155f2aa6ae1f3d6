"""Tables that are sums over whole groups: `case_group_rollup`, `coverage`, `representativeness` (DESIGN §4, law 2).

Made from the groups of a release and nothing else, so that every number here can be recounted from published rows, and
any difference of two of them is a difference of whole groups. Basis of medians: an interval, never a time of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.load.numbering import RELEASE
from etl.load.spans import median_span

ROLLUP_KEYS = (RELEASE, "release_id", "body_id", "case_type_code", "period_code", "service_id", "outcome_code")
# ladder column -> its column in case_group, and the finest level of those without a column of levels
LADDER_COLUMNS: Mapping[str, tuple[str, str | None]] = {
    "service": ("service_id", None),
    "unit": ("unit_id", None),
    "outcome": ("outcome_code", "code"),
    "lateness": ("lateness_code", "code"),
    "duration": ("duration_band_code", "band"),
    "loop": ("is_loop", "flag"),
    "channel": ("channel_code", "code"),
    "trace": ("trace_id", None),
}
_PLACE = (RELEASE, "release_id", "body_id")


def sum_tables(group: pa.Table, ladder: Sequence[Mapping[str, str]]) -> dict[str, pa.Table]:
    """Make the three tables without their keys; group: numbered rows of all releases, by the rungs of one ladder."""
    return {
        "case_group_rollup": rollup(group),
        "coverage": coverage(group, ladder),
        "representativeness": representativeness(group),
    }


def rollup(group: pa.Table) -> pa.Table:
    """Sum groups by body, type, period, service, outcome and lateness; group: numbered rows of all releases."""
    return _sum(group, (*ROLLUP_KEYS, "lateness_code"), "case_count")


def coverage(group: pa.Table, ladder: Sequence[Mapping[str, str]]) -> pa.Table:
    """Count, for each body, type and ladder column, the cases that keep it at a level, out of all cases of the release."""
    keys = (*_PLACE, "case_type_code")
    scope = _sum(group, keys, "scope_count")
    parts = []
    for name, (column, finest) in LADDER_COLUMNS.items():
        kept = group.filter(pc.is_valid(group[column]))
        of_rung = [None, *(rung.get(name, finest) for rung in ladder), None]  # counted from 1; the last is the floor
        levels = (
            kept[f"{name}_level"] if finest is None else pc.take(pa.array(of_rung, pa.string()), kept["rung_number"])
        )
        kept = kept.set_column(0, "level_code", levels)
        parts.append(_with(_sum(kept, (*keys, "level_code"), "kept_count"), column_code=name))
    return pa.concat_tables(parts).join(scope, list(keys)).combine_chunks()


def representativeness(group: pa.Table) -> pa.Table:
    """Compare, for each body and ladder column, the cases that keep the column with those that do not.

    Result: two rows (is_kept) where both kinds exist: scope_count, those certainly and possibly on time, and between which
    days the median wait lies (NULL: the rows set no bound).
    """
    parts = []
    for name, (column, _) in LADDER_COLUMNS.items():
        marked = group.append_column("is_kept", pc.is_valid(group[column]))
        sides = _sum(marked, (*_PLACE, "is_kept"), "scope_count")
        both = sides.group_by(list(_PLACE)).aggregate([("is_kept", "count")])
        both = both.filter(pc.equal(both["is_kept_count"], 2)).select(_PLACE)
        if both.num_rows:
            marked = marked.join(both, list(_PLACE), join_type="inner")
            parts.append(_with(_compare(marked), column_code=name))
    return pa.concat_tables(parts) if parts else _with(_compare(group.slice(0, 0)), column_code="")


def _compare(group: pa.Table) -> pa.Table:
    """Give each body and side its counts and the bounds of its median."""
    if "is_kept" not in group.column_names:
        group = group.append_column("is_kept", pa.array([], pa.bool_()))
    keys = (*_PLACE, "is_kept")
    group = group.sort_by([(name, "ascending") for name in keys]).combine_chunks()
    count, lateness = group["case_count"], group["lateness_code"]
    is_on_time = pc.fill_null(pc.equal(lateness, "on_time"), fill_value=False)
    may_be = pc.or_(is_on_time, pc.is_null(lateness))
    zero = pa.scalar(0, pa.int64())
    group = group.append_column("on_time_at_least_count", pc.if_else(is_on_time, count, zero))
    group = group.append_column("on_time_at_most_count", pc.if_else(may_be, count, zero))
    sums = ("case_count", "on_time_at_least_count", "on_time_at_most_count")
    made = group.group_by(list(keys), use_threads=False).aggregate([(name, "sum") for name in sums])
    made = made.rename_columns([*keys, "scope_count", *sums[1:]])
    low, high = median_span(group, _runs(group, keys), made["scope_count"].to_numpy())
    made = made.append_column("wait_median_at_least_days", low)
    return made.append_column("wait_median_at_most_days", high)


def _runs(group: pa.Table, keys: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Number the runs of equal keys of sorted rows from 0."""
    if not group.num_rows:
        return np.zeros(0, np.int64)
    changed = np.zeros(group.num_rows, bool)
    for name in keys:
        codes = group[name].combine_chunks().dictionary_encode().indices.to_numpy()
        changed[1:] |= codes[1:] != codes[:-1]
    return np.cumsum(changed)


def _sum(group: pa.Table, keys: tuple[str, ...], name: str) -> pa.Table:
    made = group.group_by(list(keys)).aggregate([("case_count", "sum")])
    return made.rename_columns([*keys, name])


def _with(table: pa.Table, **constant: str) -> pa.Table:
    for name, value in constant.items():
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table
