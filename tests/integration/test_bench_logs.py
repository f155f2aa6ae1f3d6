"""The bench of the four logs: what it writes for an operator is what the program takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.privacy_logs import make_instance
from etl.extract import load_sources
from etl.instance import Instance

ROWS = [{"case_id": "1", "activity": "begin", "ts": "2020-01-02 03:04:05", "channel": "Desk"}]


@pytest.mark.parametrize("is_table", [False, True])
def test_the_policy_and_the_mapping_of_a_log_are_taken(tmp_path: Path, *, is_table: bool) -> None:
    """Both ways to read a log keep the bounds that settings have."""
    make_instance(tmp_path, ROWS, is_table=is_table)
    instance = Instance(tmp_path)
    assert instance.settings.policy.k == 10
    assert [source.name for source in load_sources(instance.sources, instance.settings)] == ["log"]
