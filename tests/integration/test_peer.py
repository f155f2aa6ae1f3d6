"""The peer that `make bench` measures against makes the very groups of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.peer_groups import our_rows, peer_rows
from bench.spent import PEER, spend
from etl import pipeline
from etl.instance import Instance
from tests.integration.conftest import Built, copy_settings

SHIPPED = "    implies: [trace]\n"
STRICT = SHIPPED + "    largest_share: 0.5\n    ordinary: []\n"


def _compare(portal: Path, path: Path, *, least: int) -> None:
    spend("peer", "bench.peer_pandas", str(portal), str(path), packages=PEER)
    ours = our_rows(portal)
    assert ours.total() > least
    assert peer_rows(path) == ours


def test_the_peer_in_pandas_makes_the_same_groups(built: Built, tmp_path: Path) -> None:
    """Every group of every release, with its rung, its trace and its size, comes out of pandas as well."""
    _compare(built.instance.root, tmp_path / "peer.db", least=150)


@pytest.mark.long
def test_the_peer_hides_the_outcomes_that_a_class_gives_away(project: Path, built: Built, tmp_path: Path) -> None:
    """Under a policy by which many an outcome dominates its class the groups are equal, too, and others."""
    copy_settings(project, tmp_path)
    settings = (tmp_path / "metadata.yml").read_text(encoding="utf-8")
    assert SHIPPED in settings
    (tmp_path / "metadata.yml").write_text(settings.replace(SHIPPED, STRICT), encoding="utf-8")
    (tmp_path / "office").symlink_to(built.instance.office)
    pipeline.run(Instance(tmp_path))
    _compare(tmp_path, tmp_path / "peer.db", least=50)
    assert our_rows(tmp_path) != our_rows(built.instance.root)
