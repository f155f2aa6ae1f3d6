"""The salted hash of what a release was made from: public, opened by the private record, telling nothing by itself."""

from __future__ import annotations

import json
import stat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from etl.errors import TamperedError
from etl.instance import Instance
from etl.load import Origin, compare_release, heal, read_origin, write_releases
from etl.load.archive import list_releases, read_table
from etl.load.attestation import commitment, write_attestation
from etl.load.release import REPORT
from etl.metadata import load_dictionary
from tests.load.builder import AS_OF, Office, floor, group
from tests.load.test_healing import PowerCut, StopsAt

OFFICE = Office(["1403-01"], [group(outcome_code="not_held"), floor()])
ORIGIN = Origin((("000001.json", "ab" * 32), ("000002.json", "cd" * 32)), ("1403-01",), ("1403-01",), "2025-06-10")


def _public(instance: Instance) -> str:
    return (instance.datasets / "attested" / "1403-01.json").read_text(encoding="utf-8")


def test_the_record_opens_the_hash(instance: Instance) -> None:
    """What was written comes back, from a record for its owner alone."""
    write_attestation(instance, "1403-01", ORIGIN)
    assert read_origin(instance, "1403-01") == ORIGIN
    private = instance.var / "attested" / "1403-01.json"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700


def test_the_hash_is_salted(instance: Instance) -> None:
    """Who guesses the staging cannot see that the guess is right: the same origin never has the same hash twice."""
    hashes = set()
    for _ in range(3):
        write_attestation(instance, "1403-01", ORIGIN)
        hashes.add(json.loads(_public(instance))["origin_sha256"])
    assert len(hashes) == 3
    assert commitment(b"", ORIGIN) not in hashes
    assert set(json.loads(_public(instance))) == {"schema_version", "release_id", "origin_sha256"}


@pytest.mark.parametrize("key", ["salt", "batches", "due", "closed", "as_of"])
def test_no_part_of_the_record_can_be_changed(instance: Instance, key: str) -> None:
    """Salt, batches, months and date are all under the hash."""
    write_attestation(instance, "1403-01", ORIGIN)
    path = instance.var / "attested" / "1403-01.json"
    record: dict[str, Any] = json.loads(path.read_text())
    other = {
        "salt": "00" * 32,
        "batches": record["batches"][:1],
        "due": ["1403-02"],
        "closed": [],
        "as_of": "2025-06-11",
    }
    path.write_text(json.dumps({**record, key: other[key]}))
    with pytest.raises(TamperedError) as error:
        read_origin(instance, "1403-01")
    assert error.value.slug == "attest-hash"


@pytest.mark.parametrize("step", ["releases staged", "placements durable", "releases in place"])
def test_a_release_and_its_hash_come_together(instance: Instance, backend: Any, step: str) -> None:
    """A run that dies leaves no hash of a month that was never released, and no release without its hash."""
    write: dict[str, Any] = {"as_of": AS_OF, "due": OFFICE.months, "origin": ORIGIN}
    with pytest.raises(PowerCut):
        write_releases(instance, backend, OFFICE.published(), **write, progress=StopsAt(step, 1))
    write_attestation(instance, "1403-07", ORIGIN)
    heal(instance)
    released = {release.release_id for release in list_releases(instance.releases)}
    for folder in (instance.var / "attested", instance.datasets / "attested"):
        assert {path.stem for path in folder.glob("*")} == released


def test_every_table_of_numbers_is_compared(instance: Instance, backend: Any) -> None:
    """One other count in one row: both rows are counted, and in that table only."""
    write_releases(instance, backend, OFFICE.published(), as_of=AS_OF, due=OFFICE.months)
    (released,) = list_releases(instance.releases)
    specs = [spec for spec in load_dictionary().tables.values() if spec.scope == "release"]
    tables = {spec.name: read_table(released, spec) for spec in specs}
    report = (released.folder / REPORT).read_bytes()
    compared = compare_release(released, tables, report)
    assert {each.name for each in compared} == {*tables, REPORT}
    assert sum(each.differing for each in compared) == 0
    group_table: pa.Table = tables["case_group"]
    place = group_table.column_names.index("case_count")
    counts = pc.if_else(group_table["is_floor"], group_table["case_count"], pc.add(group_table["case_count"], 1))
    changed = group_table.set_column(place, group_table.schema.field(place), counts)
    found = compare_release(released, {**tables, "case_group": changed}, report.replace(b'"k_basis"', b'"k_other"'))
    assert {each.name: each.differing for each in found if each.differing} == {"case_group": 2, REPORT: 2}
