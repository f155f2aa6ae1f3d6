"""What released tables show by service and channel: the cells of the identity of stock and flow (`etl.model.identity`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from etl.load.archive import Release, read_tables
from etl.metadata import Policy, load_dictionary
from etl.metadata.levels import ways
from etl.model.codes import EARLIER
from etl.model.identity import FINISHED, POPULATIONS, STOCK, Books, Cell, Value

_KEYS = ["body_id", "case_type_code", "period_code", "release_id", "service_id"]


def shown_cells(tables: Mapping[str, pa.Table], policy: Policy) -> list[Cell]:
    """Sum the cases that the tables of a release show with each service and channel, as they were first placed."""
    way = ways(policy.services)
    cells = []
    for name in POPULATIONS:
        group = tables[name]
        if name == FINISHED:
            group = group.filter(pc.and_(pc.is_null(group["replaces_id"]), pc.not_equal(group["period_code"], EARLIER)))
        for row in group.group_by(_keys(name)).aggregate([("case_count", "sum")]).to_pylist():
            value = Value.of(row, way)
            if value != Value(()):
                place = (row["body_id"], row["case_type_code"], row["period_code"], row["release_id"])
                cells.append(Cell(name, *place, value, row["case_count_sum"]))
    return cells


def released_cells(releases: Sequence[Release], policy: Policy, *, first_year: int) -> list[Cell]:
    """Read the cells of the releases of a year and those after it."""
    later = _since(releases, first_year)
    return shown_cells({name: _read(later, name) for name in POPULATIONS}, policy)


def read_books(releases: Sequence[Release], policy: Policy, *, first_year: int) -> Books:
    """Read what the releases of a year and those after it say, margins and cells."""
    books = Books()
    margins = read_tables(_since(releases, first_year), load_dictionary().tables["margin"])
    books.add(margins.to_pylist(), released_cells(releases, policy, first_year=first_year))
    return books


def _since(releases: Sequence[Release], year: int) -> list[Release]:
    return [release for release in releases if int(release.release_id[:4]) >= year]


def _read(releases: Sequence[Release], name: str) -> pa.Table:
    own = ("replaces_id",) if name == FINISHED else ()
    return read_tables(releases, load_dictionary().tables[name], columns=(*_keys(name), "case_count", *own))


def _keys(name: str) -> list[str]:
    return _KEYS if name == STOCK else [*_KEYS, "channel_code"]
