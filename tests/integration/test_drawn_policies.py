"""Whatever valid settings an operator writes, a small office is released, attacked, attested and built under them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from etl import pipeline
from etl.demo import advance_office, make_office
from etl.instance import Instance
from tests.integration.conftest import copy_settings
from tests.integration.drawn import draw_settings
from tests.integration.recount import query
from tests.integration.test_main_job import fingerprints

POLICIES = int(os.environ.get("POLICIES", "3"))
SMALLEST = "select min(case_count) as n from case_group where not is_floor and release_id = '{}'"
COUNTED = "select sum(finished_count + late_finished_count) as n from margin"
GROUPED = """
select (select sum(case_count) from case_group)
  + (select sum(awaiting_count) from margin where release_id = (select max(release_id) from release)) as n
"""


def check_policy_serves(project: Path, folder: Path, seed: int) -> None:
    """Release an office, let a month pass, run the main job under the settings of a seed; hold what everyone can check."""
    instance = Instance(copy_settings(project, folder))
    draw_settings(f"policy {seed}", folder)
    make_office(instance.office, until="1404-11", months=4, cases=(20, 300, 700)[seed % 3], seed=seed)
    smallest = Instance(folder).settings.policy.k
    pipeline.run_extract(instance)
    first = pipeline.run_release(instance)
    advance_office(instance.office)
    report = pipeline.run(instance)
    assert report.site is not None or not first
    if report.database is None:
        return  # no month has a case
    for release in (*first, *report.releases):
        (row,) = query(report.database, SMALLEST.format(release.release_id))
        assert row["n"] is None or row["n"] >= smallest
    assert query(report.database, COUNTED) == query(report.database, GROUPED)
    assert pipeline.attest(instance).differing == 0
    before = fingerprints(folder)
    assert not pipeline.run(instance).releases
    assert fingerprints(folder) == before


@pytest.mark.timeout(300)
def test_a_drawn_policy_serves(project: Path, tmp_path: Path) -> None:
    """One of them, with a site in two languages that the attacker lets through."""
    check_policy_serves(project, tmp_path, 1)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 2 + POLICIES))
def test_other_drawn_policies_serve(project: Path, tmp_path: Path, seed: int) -> None:
    """Three more; as many as POLICIES says by hand."""
    check_policy_serves(project, tmp_path, seed)
