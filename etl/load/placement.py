"""Placements: which case was released in which group, one private Parquet a release (DESIGN §4 "Late cases").

They are what keeps a case from being released twice, so they are on disk before the public rename, and losing them
stops all releases. Cases never pass through Python row by row: the engine joins keys to ids and Arrow streams them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.errors import PrivacyError
from etl.instance.durable import rename_durable, sync_file
from etl.load.reconcile import own_groups

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table

PLACEMENT = pa.schema(
    [
        ("population_code", pa.string()),
        ("case_key", pa.string()),
        ("case_group_id", pa.int64()),  # NULL: counted, and waits for a group
        ("release_id", pa.string()),
        ("period_code", pa.string()),
        ("body_id", pa.string()),  # with the next: under which the case was first counted
        ("case_type_code", pa.string()),
    ]
)
_GROUP_IDS = "released_group_id"


def stream_placements(
    placement: Table, backend: BaseBackend, *, group_ids: pa.Table, due: Sequence[str]
) -> Iterator[pa.Table]:
    """Give the placements of each release in `due`, in that order, as PLACEMENT tables; in memory one release at a time.

    placement: the columns of PLACEMENT with group_key (NULL: waits) for case_group_id. group_ids: group_key,
    case_group_id. Errors: PrivacyError where a case is placed in a group, or a release, that is not released.
    """
    ids = backend.create_table(_GROUP_IDS, group_ids, temp=True, overwrite=True)
    for release_id in due:
        rows = placement.filter(placement.release_id == release_id)
        joined = rows.left_join(ids, rows.group_key == ids.group_key).select(
            *(rows[name] for name in PLACEMENT.names if name != "case_group_id"),
            ids.case_group_id,
            is_lost=rows.group_key.notnull() & ids.case_group_id.isnull(),
        )
        table = backend.to_pyarrow(joined.order_by("population_code", "case_key", "case_group_id"))
        if pc.any(table["is_lost"]).as_py():
            raise _lost("a case placed in a group that is not released")
        yield table.select(PLACEMENT.names).cast(PLACEMENT)


def check_releases(placement: Table, backend: BaseBackend, due: Sequence[str]) -> None:
    """Refuse placements of a release that is not being written."""
    named = backend.to_pyarrow(placement.select("release_id").distinct())["release_id"].to_pylist()
    if not set(named) <= set(due):
        raise _lost("placements of a release that is not being written")


def check_placements(placements: pa.Table, group: pa.Table) -> None:
    """Compare placements with the groups of a release: every group of its own has exactly `case_count` cases; PrivacyError else.

    A row that replaces an earlier group has no placements: its cases stay placed in that group, for ever.
    """
    placed = placements.filter(pc.is_valid(placements["case_group_id"]))
    counts = placed.group_by("case_group_id").aggregate([("case_key", "count_distinct")])
    given = dict(zip(counts["case_group_id"].to_pylist(), counts["case_key_count_distinct"].to_pylist(), strict=True))
    group = own_groups(group)
    said = dict(zip(group["case_group_id"].to_pylist(), group["case_count"].to_pylist(), strict=True))
    if given != said:
        raise _lost("groups whose size is not the number of cases placed in them")


def write_placements(folder: Path, release_id: str, placements: pa.Table) -> Path:
    """Put the placements of a release durably in place (0600); the public rename comes after this."""
    target = folder / f"{release_id}.parquet"
    temp = folder / f".{release_id}.tmp"
    temp.unlink(missing_ok=True)
    temp.touch(mode=0o600)
    pq.write_table(placements, temp, compression="zstd")
    sync_file(temp)
    rename_durable(temp, target)
    return target


def _lost(found: str) -> PrivacyError:
    return PrivacyError(
        "placement-mismatch",
        found=found,
        expected="placements that fit the groups of the same release",
        todo="Nothing was released. This is a fault of the program; please report it.",
    )
