"""The staging that `make bench-50m` measures on is one that the program could have extracted."""

from __future__ import annotations

from pathlib import Path

from bench.fifty import copy_staging, write_settings
from etl.engine import open_duckdb
from etl.extract import open_staging
from etl.extract.manifest import newest_manifest
from etl.instance import Instance
from etl.metadata.ladder import MAX_RUNGS
from tests.integration.conftest import Built

COPIES = 3


def _counts(instance: Instance) -> dict[str, int]:
    """Count rows, and distinct keys, of the current view of a staging."""
    engine = open_duckdb(instance.private_folder("tmp"))
    staging = open_staging(engine, instance.staging)
    assert staging is not None
    counts = {
        "case": staging.case.count(),
        "event": staging.event.count(),
        "case_exemption": staging.case_exemption.count(),
        "case_key": staging.case.case_key.nunique(),
        "requester_key": staging.case.requester_key.nunique(),
        "event without a case": staging.event.anti_join(staging.case, "case_key").count(),
    }
    found = {name: count.to_pyarrow().as_py() for name, count in counts.items()}
    engine.disconnect()
    return found


def test_copies_of_a_staging_are_peoples_of_their_own(built: Built, tmp_path: Path) -> None:
    """Each case, event and requester is there as often as there are copies, under keys that nothing else has."""
    instance = Instance(tmp_path)
    copy_staging(built.instance.staging, instance.staging, COPIES)
    before, after = _counts(built.instance), _counts(instance)
    assert after == {name: COPIES * count for name, count in before.items()}
    manifest = newest_manifest(instance.staging)
    assert manifest is not None
    assert (manifest.case_count, manifest.event_count) == (after["case"], after["event"])
    assert before["event without a case"] == 0 < before["requester_key"]


def test_the_bench_of_fifty_million_events_has_the_longest_ladder(tmp_path: Path) -> None:
    """Its settings are the demo's but for the ladder, which has as many rungs as one can have."""
    write_settings(tmp_path)
    assert len(Instance(tmp_path).settings.policy.ladder) == MAX_RUNGS
