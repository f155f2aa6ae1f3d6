"""A release is attacked before it leaves: its report goes out with it, or nothing goes out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.audit import Gate, audit, read_evidence
from etl.errors import PrivacyError
from etl.instance import Instance
from etl.load import Correction, ask, write_releases
from tests.audit.conftest import DUE, SENSITIVE, clean_office
from tests.load.builder import AS_OF, METADATA, Office, group, make_instance


def _instance(folder: Path) -> Instance:
    return make_instance(folder, metadata=METADATA.rstrip() + SENSITIVE)


def _release(instance: Instance, backend: Any, office: Office) -> None:
    gate = Gate(instance.releases, private=instance.var / "audit")
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months, review=gate.review)


def _part(office: Office, due: list[str]) -> Office:
    rows = [row for row in office.groups if row["release_id"] in due]
    cells = [row for row in office.statutory if row["release_id"] in due]
    return replace(office, due=due, groups=rows, statutory=cells)


def test_the_report_leaves_with_the_release(tmp_path: Path, backend: Any) -> None:
    """`audit.json` stands in the folder and its manifest: attempts, no hit, and the policy it was held against."""
    instance = _instance(tmp_path / "office")
    _release(instance, backend, clean_office())
    for month in DUE:
        folder = instance.releases / month
        report = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
        assert report["form"] == "gate"
        assert report["hit_count"] == 0
        assert report["attempt_count"] > 1000
        named = {file["name"] for file in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]}
        assert "audit.json" in named
    assert audit(read_evidence(instance.root), attempts=300).hit_count == 0


def test_month_by_month_gives_the_reports_of_a_backfill(tmp_path: Path, backend: Any) -> None:
    """Nothing in a report depends on the run that made it."""
    at_once, one_by_one = _instance(tmp_path / "at_once"), _instance(tmp_path / "one_by_one")
    office = clean_office()
    office = replace(office, groups=[row for row in office.groups if row["late_for_code"] is None])
    _release(at_once, backend, office)
    for month in DUE:
        _release(one_by_one, backend, _part(office, [month]))
    for month in DUE:
        first, second = ((each.releases / month / "audit.json").read_bytes() for each in (at_once, one_by_one))
        assert first == second


@pytest.mark.parametrize("drop", [None, ("outcome",)])
def test_a_group_is_taken_back_with_earlier_releases_there(
    tmp_path: Path, backend: Any, drop: tuple[str, ...] | None
) -> None:
    """For good or for a coarser row: of the other releases keys alone are read, and none of these is its successor."""
    instance = _instance(tmp_path / "office")
    _release(instance, backend, _part(clean_office(), DUE[:2]))
    group_id = pq.read_table(instance.releases / DUE[0] / "case_group.parquet")["case_group_id"][0].as_py()
    ask(instance, [Correction(group_id, "source_error", drop)])
    _release(instance, backend, _part(clean_office(), DUE[2:]))
    withdrawn = pq.read_table(instance.releases / DUE[2] / "withdrawal.parquet").to_pylist()
    assert [(row["case_group_id"], row["replaced_by_id"] is None) for row in withdrawn] == [(group_id, drop is None)]


def test_a_leak_stops_the_release(tmp_path: Path, backend: Any) -> None:
    """A period released again: exit 20, the month stays at home, the places stand in a private file only."""
    instance = _instance(tmp_path / "office")
    _release(instance, backend, _part(clean_office(), DUE[:2]))
    again = Office(
        DUE[2:],
        [group("1403-03", 25, outcome_code="granted_full", period_code="1403-01"), group("1403-03", 30)],
        margin={("1403-03", "alef", "foi"): {"registered_count": 55, "finished_count": 55}},
    )
    with pytest.raises(PrivacyError) as stopped:
        _release(instance, backend, _balanced(again))
    assert (stopped.value.slug, stopped.value.exit_code) == ("audit-stopped", 20)
    assert "differencing" in stopped.value.found
    assert "1403-01" not in stopped.value.found
    assert not (instance.releases / "1403-03").exists()
    private = instance.var / "audit" / "1403-03.json"
    assert private.stat().st_mode & 0o777 == 0o600
    assert "released_again" in private.read_text(encoding="utf-8")


def _balanced(office: Office) -> Office:
    """The other body keeps its row; nothing happened there."""
    return replace(office, awaiting={("1403-03", "be", "foi"): 0})
