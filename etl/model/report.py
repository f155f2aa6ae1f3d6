"""What `report.json` of a release may say: sums of its tables (0, at least k or "< k"), their quotients, wide bands.

The rule alone, on plain values: the release gate and the audit both hold reports against it, each with sums that it makes
of the tables itself. A report that leaves something out says less and is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from etl.model.quality import count_band

COUNTS = ("case_count", "floor_count", "awaiting_count")
PLAIN = ("k", "k_basis", "release_id", "schema_version")
KEPT, LINKAGE = "kept_shares", "linkage"
DESK = "desk_count"
PLACE = ("body_id", "year_code")
SHARE = re.compile(r"i\d_\w+_share")
BANDS = frozenset({"< k", *(f"{low}-{low + 20} %" for low in range(0, 100, 20))})


def magnitude(count: int, k: int) -> int | str:
    """Write the order of magnitude of a count that is no sum of published rows, so that it cannot be subtracted from one.

    >>> [magnitude(n, 15) for n in (0, 14, 20, 538)]
    [0, '< k', '15-99', '100-999']
    """
    low, high = count_band(count, k)
    return f"{low}-{high}" if low >= k else "< k" if high else 0


def report_faults(
    report: Mapping[str, Any], *, counted: Mapping[str, int], kept: Mapping[str, int], k: int
) -> Iterator[str]:
    """Name what a report says and may not: a key, with `linkage` before it where it stands there.

    counted: the sums of COUNTS over the release's own tables. kept: published column -> cases of which it is shown.

    >>> sums = {"case_count": 40, "floor_count": 3, "awaiting_count": 0}
    >>> said = {"case_count": 40, "floor_count": 3, "kept_shares": {"is_loop": 0.5}, "refused_count": 12}
    >>> list(report_faults(said, counted=sums, kept={"is_loop": 20}, k=10))
    ['floor_count', 'refused_count']
    """
    for name, value in report.items():
        if name in COUNTS:
            is_right = value == _banded(counted[name], k)
        elif name == KEPT:
            whole = counted["case_count"]
            is_right = all(
                column in kept and share == round(kept[column] / whole, 4) for column, share in value.items()
            )
        elif name == LINKAGE:
            is_right = True
            yield from (f"{LINKAGE} {fault}" for row in value for fault in _link_faults(row, k))
        else:
            is_right = name in PLAIN
        if not is_right:
            yield name


def _link_faults(row: Mapping[str, Any], k: int) -> Iterator[str]:
    for name, value in row.items():
        if name == DESK:
            is_right = value == magnitude(int(re.sub(r"\D.*", "", str(value)) or 1), k)
        elif SHARE.fullmatch(name):
            is_right = value in BANDS
        else:
            is_right = name in PLACE
        if not is_right:
            yield name


def _banded(count: int, k: int) -> int | str:
    return count if count == 0 or count >= k else "< k"
