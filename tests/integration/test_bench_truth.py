"""The bench's look for the truth: a published interval that does not hold it is counted."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bench.privacy_truth import check_honesty
from etl.instance import Instance
from tests.integration.conftest import Built


def test_a_false_interval_is_counted(built: Built, tmp_path: Path) -> None:
    """Nothing false in a small office; one interval that ends too low, one state and one open group too many: three."""
    assert check_honesty(built.instance, tmp_path / "duck").false == 0
    copy = tmp_path / "office"
    shutil.copytree(built.instance.root, copy, ignore=shutil.ignore_patterns("public", "releases", "office"))
    with closing(sqlite3.connect(next((copy / "datasets").glob("portal-*.db")))) as database:
        widest = "(select total_id from total where column_code = 'outcome' order by at_least desc limit 1)"
        database.execute(f"update total set at_most = at_least - 1, at_least = 0 where total_id = {widest}")
        certain = "(select min(cohort_group_id) from cohort_group where cohort_state_code = 'on_time')"
        database.execute(f"update cohort_group set case_count = case_count + 100000 where cohort_group_id = {certain}")
        shown = "(select min(open_group_id) from open_group where stage_code is not null and age_band_code is null)"
        database.execute(f"update open_group set case_count = case_count + 100000 where open_group_id = {shown}")
        database.commit()
    honest = check_honesty(Instance(copy), tmp_path / "duck")
    assert honest.false == 3
    assert honest.checked > 1000
