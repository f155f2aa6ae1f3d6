"""What only a source names is published from the release on that first shows it in a row; before that, nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.instance import Instance
from etl.load import build_database
from tests.load.builder import Office, group
from tests.load.test_corrections import rows_of

LEARNT = [("activity", "seen"), ("channel", "kiosk"), ("service", "parking"), ("unit", "harbour"), ("body", "alef")]
LONE = [("activity", "lone_step"), ("channel", "lone_way"), ("service", "lone_need"), ("unit", "lone_desk")]
LONE += [("body", "lone_body"), ("outcome", "lone_end"), ("case_type", "lone_type"), ("exemption", "lone_reason")]
SHOWN = {"service_id": "parking", "service_level": "leaf", "unit_id": "harbour", "unit_level": "leaf"}
SHOWN |= {
    "channel_code": "kiosk",
    "outcome_code": "granted_full",
    "rung_number": 1,
    "trace": "t",
    "trace_level": "steps",
}
STEPS = {"t": ("steps", [("seen", None, False)])}
MONTHS = ["1403-01", "1403-02", "1403-03"]


@pytest.fixture
def learning(instance: Instance) -> Instance:
    """The sample instance with names that a source gave."""
    folder = instance.staging / "batches"
    folder.mkdir(parents=True)
    rows = [{"list_code": a, "code": b, "title": f"title {b}", "lang": "nl"} for a, b in (*LEARNT, *LONE)]
    (instance.staging / "labels.json").write_text(json.dumps(rows))
    (folder / "000001.json").write_text(json.dumps({"labels": {"path": "labels.json"}}))
    return instance


def _listed(instance: Instance, release_id: str) -> set[tuple[str, str]]:
    codes = {(row["list_code"], row["code"]) for row in rows_of(instance, release_id, "code")}
    for name in ("body", "unit", "service"):
        codes |= {(name, row[f"{name}_id"]) for row in rows_of(instance, release_id, name)}
    return codes


@pytest.mark.parametrize("runs", [[MONTHS], [[month] for month in MONTHS]], ids=["one run", "month by month"])
def test_a_learnt_name_comes_with_the_release_that_shows_it(
    learning: Instance, release: Callable[[Office], Any], runs: list[list[str]]
) -> None:
    """It is not in the list before, is in it with the first row, and stays when no row shows it any more."""
    rows = {
        "1403-01": [group()],
        "1403-02": [group("1403-02", **SHOWN)],
        "1403-03": [group("1403-03")],
    }
    for run in runs:
        release(Office(run, [row for month in run for row in rows[month]], traces=STEPS if "1403-02" in run else {}))
    first, second, third = (_listed(learning, month) & set(LEARNT) for month in MONTHS)
    assert first == {("body", "alef")}
    assert second == third == set(LEARNT)
    assert not any(_listed(learning, month) & set(LONE) for month in MONTHS)


def test_a_name_of_one_case_is_in_no_byte(learning: Instance, release: Callable[[Office], Any]) -> None:
    """Neither in a table, nor in the database with its search index, nor as a gap in ids or positions."""
    release(Office(["1403-01"], [group(**{**SHOWN, "unit_id": None, "unit_level": None})], traces=STEPS))
    build_database(learning)
    for path in learning.datasets.rglob("*"):
        if path.suffix == ".parquet":
            texts = [str(row) for row in pq.read_table(path).to_pylist()]
            assert not [text for text in texts if "lone" in text], path.name
        elif path.suffix in (".db", ".json", ".yml"):
            assert b"lone" not in path.read_bytes(), path.name
    rows = rows_of(learning, "1403-01", "code")
    ids = [row["code_id"] for row in rows]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    learnt = sorted(row["position"] for row in rows if row["lang"] == "nl")
    assert learnt == list(range(learnt[0], learnt[0] + len(learnt)))


def test_what_settings_name_is_listed_always(learning: Instance, release: Callable[[Office], Any]) -> None:
    """Codes, units and services of metadata.yml are public by being written there, shown or not."""
    release(Office(["1403-01"], [group()]))
    listed = _listed(learning, "1403-01")
    assert {("activity", "review"), ("unit", "alef_head"), ("service", "loan"), ("body", "be")} <= listed


def test_a_value_of_the_yearly_table_names_its_code(learning: Instance, release: Callable[[Office], Any]) -> None:
    """Its list depends on the dimension beside it."""
    cell = {"release_id": "1403-01", "year_code": "1402", "body_id": "alef", "case_type_code": "foi"}
    cell |= {"basis_code": "attested", "dimension_code": "exemption", "value_code": "lone_reason", "case_count": 1}
    release(Office(["1403-01"], [group()], statutory=[cell]))
    assert _listed(learning, "1403-01") & set(LONE) == {("exemption", "lone_reason")}
