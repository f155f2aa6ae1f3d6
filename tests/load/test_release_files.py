"""A released folder: which files, which bytes, which ids."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from etl.engine import open_duckdb
from etl.errors import ReleaseError
from etl.instance import Instance
from etl.load import write_releases
from etl.load.files import csv_bytes, encode_table
from etl.metadata import load_dictionary
from tests.load.builder import AS_OF, Office, floor, group, make_instance

SCHEMA = load_dictionary().schema_version
REVIEWED = ("steps", [("review", "alef_tech", False), ("decide", None, False)])
SAMPLE = {
    "due": ["1403-01", "1403-02"],
    "groups": [
        group(
            service_id="build",
            service_level="leaf",
            outcome_code="granted_full",
            lateness_code="on_time",
            rung_number=2,
        ),
        group(case_count=31, outcome_code="refused_exempt", is_loop=True, channel_code="web", rung_number=1),
        floor(),
        group("1403-02", outcome_code="granted_full", trace="t", trace_level="steps", rung_number=1),
        group("1403-02", outcome_code="granted_partial", trace="t", trace_level="steps", rung_number=1),
    ],
    "traces": {"t": REVIEWED},
    "steps": [
        {"group": 3, "step_number": n, "activity_code": a, "unit_id": u, "is_gap": False, "timed_band_code": "10"}
        for n, (a, u, _) in enumerate(REVIEWED[1], 1)
    ],
}


def sample(**changes: Any) -> Office:
    return Office(**{**SAMPLE, **changes})


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_release_holds_every_table_twice(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Each released table is there as CSV and as Parquet, beside policy, report and manifest; nothing else is."""
    release(sample())
    tables = [name for name, spec in load_dictionary().tables.items() if spec.scope != "database"]
    expected = {f"{name}.{kind}" for name in tables for kind in ("csv.gz", "parquet")}
    names = {path.name for path in (instance.releases / "1403-01").iterdir()}
    assert names == expected | {"policy.yml", "report.json", "manifest.json"}


def test_the_manifest_names_every_file_but_itself(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Name, bytes, SHA-256 and rows in the manifest are those of the files."""
    release(sample())
    folder = instance.releases / "1403-02"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["release_id"], manifest["release_number"], manifest["schema_version"]) == ("1403-02", 2, SCHEMA)
    assert {file["name"] for file in manifest["files"]} == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        if file["name"].endswith(".parquet"):
            assert file["rows"] == pq.read_metadata(folder / file["name"]).num_rows


def test_csv_and_parquet_hold_the_same_rows(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Read back by another program, both forms of a table are equal, types included."""
    release(sample())
    for name in ("case_group", "margin", "service", "code", "calendar_day", "release"):
        path = instance.releases / "1403-01" / name
        types = duckdb.sql(f"describe select * from '{path}.parquet'").fetchall()
        columns = {column: kind for column, kind, *_ in types}
        read = duckdb.sql(f"select * from read_csv('{path}.csv.gz', columns={columns}, header=true)")
        assert read.fetchall() == duckdb.sql(f"select * from '{path}.parquet'").fetchall()


def test_csv_says_null_text_and_flag_apart() -> None:
    """NULL is an empty cell, an empty text is quoted, a flag is 0 or 1, a comma or quote is quoted."""
    table = pa.table({"a": ["", None, 'x"y', "۱،۲,3"], "b": [True, None, False, True]})
    assert csv_bytes(table).decode() == 'a,b\n"",1\n,\n"x""y",0\n"۱،۲,3",1\n'


def test_gzip_carries_no_time_and_no_name() -> None:
    """The gzip header has neither a time nor a file name."""
    encoded, _ = encode_table("t", pa.table({"a": [1]}))
    assert encoded.content[4:8] == b"\0\0\0\0"
    assert encoded.content[3] & 0x08 == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bytes_depend_on_neither_order_nor_secret(tmp_path: Path, seed: int) -> None:
    """Shuffled input with other case keys gives the same released bytes."""
    found = []
    for turn in range(2):
        groups = list(SAMPLE["groups"])
        steps = [dict(step) for step in SAMPLE["steps"]]
        if turn:
            order = random.Random(seed).sample(range(len(groups)), len(groups))
            groups = [groups[n] for n in order]
            for step in steps:
                step["group"] = order.index(step["group"])
        instance = make_instance(tmp_path / f"{turn}")
        office = sample(groups=groups, steps=steps, secret=f"secret {turn}")
        backend = open_duckdb(tmp_path / "spill", threads=1)
        write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
        found.append(all_bytes(instance.releases))
    assert found[0] == found[1]


def test_a_backfill_equals_month_by_month(tmp_path: Path) -> None:
    """Two months released at once have the same bytes as one after the other."""
    found = []
    for runs in ([["1403-01", "1403-02"]], [["1403-01"], ["1403-02"]]):
        instance = make_instance(tmp_path / f"{len(runs)}")
        for due in runs:
            groups = [row for row in SAMPLE["groups"] if row["release_id"] in due]
            steps = [{**step, "group": 3 - (5 - len(groups))} for step in SAMPLE["steps"]] if "1403-02" in due else []
            office = sample(due=due, groups=groups, steps=steps)
            backend = open_duckdb(tmp_path / "spill", threads=1)
            if len(runs) == 2 and due == ["1403-02"]:
                office = sample(due=due, groups=groups, steps=steps)
            write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
        found.append(all_bytes(instance.releases))
    assert found[0] == found[1]


def test_ids_are_release_number_and_rank(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Ids count from release_number times 10^7, NULL before values, in the order of the file."""
    release(sample())
    ids = pq.read_table(instance.releases / "1403-01" / "case_group.parquet")
    assert ids["case_group_id"].to_pylist() == [10_000_001, 10_000_002, 10_000_003]
    assert ids["rung_number"].to_pylist() == [1, 2, 7]
    steps = pq.read_table(instance.releases / "1403-02" / "case_group_step.parquet").to_pylist()
    assert {step["case_group_id"] for step in steps} == {20_000_001}
    assert [step["case_group_step_id"] for step in steps] == [20_000_001, 20_000_002]


def test_a_known_timeline_keeps_its_id(instance: Instance, release: Callable[[Office], Any]) -> None:
    """A timeline is released once; a later group with the same steps points at the first id."""
    release(sample())
    later = Office(
        ["1403-03"],
        [group("1403-03", outcome_code="not_held", trace="other key", trace_level="steps", rung_number=1)],
        traces={"other key": REVIEWED},
    )
    release(later)
    assert pq.read_table(instance.releases / "1403-02" / "trace.parquet")["trace_id"].to_pylist() == [20_000_001]
    folder = instance.releases / "1403-03"
    assert pq.read_table(folder / "case_group.parquet")["trace_id"].to_pylist() == [20_000_001]
    assert pq.read_table(folder / "trace.parquet").num_rows == 0


def test_the_first_policy_fixes_the_cadences(instance: Instance, release: Callable[[Office], Any]) -> None:
    """policy.yml holds the decisive settings; the cadences of the first extraction stand in the first one only."""
    release(sample())
    first, second = (
        yaml.safe_load((instance.releases / month / "policy.yml").read_text()) for month in ("1403-01", "1403-02")
    )
    assert first["policy"]["k"] == 10
    assert first["cadence_bootstrap"] == {"alef": {"foi": "month"}}
    assert "cadence_bootstrap" not in second
    assert first["policy_sha256"] == second["policy_sha256"] == instance.settings.policy.sha256


def test_months_are_released_in_order(instance: Instance, release: Callable[[Office], Any]) -> None:
    """A month that does not follow the newest release is refused."""
    release(sample())
    with pytest.raises(ReleaseError) as error:
        release(Office(["1403-04"], [group("1403-04", outcome_code="not_held")]))
    assert error.value.slug == "release-order"


def test_no_byte_names_a_case(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Neither case keys nor group keys are in any public file, packed or not."""
    release(sample(secret="plantedsecret"))
    for name, content in all_bytes(instance.datasets).items():
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        assert b"plantedsecret" not in plain
        if name.endswith(".parquet"):
            assert "plantedsecret" not in str(pq.read_table(instance.datasets / name).to_pydict())


def test_the_summary_counts_what_is_kept(release: Callable[[Office], Any]) -> None:
    """A summary gives groups, cases, floor, smallest group and the share of cases that keep each column."""
    first, _ = release(sample())
    assert (first.release_id, first.group_count, first.case_count, first.floor_count) == ("1403-01", 3, 46, 3)
    assert first.min_case_count == 12
    assert first.kept["outcome"] == pytest.approx(43 / 46)
    assert first.kept["trace"] == 0.0
