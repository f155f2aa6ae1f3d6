"""A policy that changes between releases: it is said, holds from then on, and may not protect waiting cases less."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl import pipeline
from etl.cli import main
from etl.demo import advance_office
from etl.errors import PrivacyError
from etl.instance import Instance
from tests.integration.conftest import newest_database
from tests.integration.recount import query

GROUPS = "select release_id, min(case_count) as n from case_group where not is_floor group by 1 order by 1 desc limit 2"


def _set(instance: Instance, old: str, new: str) -> Instance:
    path = Path(instance.root) / "metadata.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return Instance(instance.root)


def _said(instance: Instance, *arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main(("--portal", str(instance.root), *arguments))
    assert not left.value.code
    return capsys.readouterr().err


def test_a_larger_k_holds_from_the_next_release_and_cannot_go_back(
    twin: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status and run name the change, the new release keeps it, the old ones stay; then the old k is refused, and said why."""
    stricter = _set(twin, "  k: 10\n", "  k: 14\n")
    assert "changed since 1405-06: k 10 → 14" in _said(stricter, "status", capsys=capsys)
    advance_office(stricter.office)
    assert "policy changed: k 10 → 14; it holds from 1405-07 on" in _said(stricter, "run", capsys=capsys)
    newest, before = query(newest_database(stricter), GROUPS)
    assert (newest["release_id"], before["release_id"]) == ("1405-07", "1405-06")
    assert newest["n"] >= 14 > before["n"] >= 10
    assert "changed since" not in _said(stricter, "status", capsys=capsys)
    weaker = _set(stricter, "  k: 14\n", "  k: 10\n")
    advance_office(weaker.office)
    with pytest.raises(PrivacyError) as error:
        pipeline.run(weaker)
    assert error.value.slug == "policy-lowered"
    assert sorted(path.name for path in weaker.releases.iterdir())[-1] == "1405-07"
