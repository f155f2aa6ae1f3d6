"""Does a release made once more equal the released one? Every table of numbers is compared, row by row (DESIGN §4 "Attested")."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from etl.load.archive import Release, read_table
from etl.load.release import REPORT
from etl.metadata import load_dictionary


@dataclass(frozen=True)
class Compared:
    """A table of a release made once more: its rows as released, and how many rows either side has that the other lacks."""

    name: str
    rows: int
    differing: int


def compare_release(release: Release, tables: Mapping[str, pa.Table], report: bytes) -> tuple[Compared, ...]:
    """Compare every table that grows with releases, and report.json, with what was released."""
    found = []
    for name, spec in load_dictionary().tables.items():
        if spec.scope == "release" and name in tables:
            old = read_table(release, spec)
            new = tables[name]
            found.append(Compared(name, old.num_rows, 0 if new.equals(old) else _differing(old, new)))
    said = json.loads((release.folder / REPORT).read_text(encoding="utf-8"))
    found.append(Compared(REPORT, 1, 0 if said == json.loads(report) else 2))
    return tuple(found)


def _differing(old: pa.Table, new: pa.Table) -> int:
    ours, theirs = (Counter(_rows(table)) for table in (old, new))
    return (ours - theirs).total() + (theirs - ours).total()


def _rows(table: pa.Table) -> Iterable[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)
