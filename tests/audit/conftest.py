"""A small published office, whole and clean; tests plant leaks in what an outsider would download of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.audit import Evidence, read_evidence
from etl.engine import open_duckdb
from etl.instance import Instance
from etl.load import build_database, write_releases
from tests.load.builder import AS_OF, METADATA, Office, floor, group, make_instance

DUE = ["1403-01", "1403-02", "1403-03"]
SENSITIVE = """
  sensitive:
    services: [welfare]
    coarsen: {outcome: {granted_full: positive, granted_partial: positive, refused_exempt: negative}}
    implies: [trace]
"""
STEPS = [("review", None, False), ("decide", None, False)]
FINE = {
    "rung_number": 1,
    "service_id": "build",
    "service_level": "leaf",
    "unit_id": "alef_tech",
    "unit_level": "leaf",
    "outcome_code": "granted_full",
    "lateness_code": "on_time",
    "duration_band_code": "03_05",
    "is_loop": False,
    "channel_code": "web",
}
Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def clean_office() -> Office:
    """Three months of two bodies: fine groups, coarse ones, floors, a late group, statutory cells."""
    rows: list[dict[str, Any]] = []
    for place, month in enumerate(DUE):
        shown = {"service_id": "shop", "service_level": "leaf", "lateness_code": "on_time"}
        rows += [
            group(
                month, 24 + place, **FINE, trace="short", trace_level="steps", timed_band_code="20", wait_median_days=4
            ),
            group(month, 11, rung_number=2, outcome_code="refused_exempt", **shown),
            group(month, 15, rung_number=5, outcome_code="granted_full"),
            floor(month, 3 + place),
            group(month, 30, body_id="be", rung_number=2, outcome_code="completed", **shown),
        ]
    rows.append(group("1403-03", 10, period_code="1403-01", late_for_code="1403-01", outcome_code="granted_full"))
    cells = {"granted_full": 130, "refused_exempt": 37, "not_held": 2}
    statutory = [
        {
            "release_id": "1403-03",
            "year_code": "1403",
            "body_id": "alef",
            "case_type_code": "foi",
            "basis_code": "attested",
        }
        | {"dimension_code": "outcome", "value_code": value, "case_count": count}
        for value, count in cells.items()
    ]
    return Office(DUE, rows, traces={"short": ("steps", STEPS)}, statutory=statutory)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """The clean office, released and in its database."""
    folder = tmp_path_factory.mktemp("audit")
    instance = make_instance(folder / "office", metadata=METADATA.rstrip() + SENSITIVE)
    backend = open_duckdb(folder / "spill", threads=1)
    office = clean_office()
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    backend.disconnect()
    build_database(instance)
    return instance


@pytest.fixture(scope="session")
def evidence(published: Instance) -> Evidence:
    """What an outsider has of the clean office."""
    return read_evidence(published.root)


def planted(evidence: Evidence, changes: Mapping[str, Change]) -> Evidence:
    """Give the evidence with changed rows of some tables; the database is left out, as it would differ."""
    tables = dict(evidence.tables)
    for name, change in changes.items():
        tables[name] = pa.Table.from_pylist(change(tables[name].to_pylist()), schema=tables[name].schema)
    return replace(evidence, tables=tables, databases=())


def learnt(attack: Any) -> set[str]:
    """Name what the hits of an attack say."""
    return {hit.learnt for hit in attack.findings}


def copy_of(instance: Instance, folder: Path, names: tuple[str, ...] = ("datasets",)) -> Path:
    """Copy what a reader can download."""
    for name in names:
        source = instance.root / name
        for path in source.rglob("*"):
            target = folder / path.relative_to(instance.root)
            if path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    return folder
