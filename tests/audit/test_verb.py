"""`shafaf audit`: works on a downloaded copy, says what was tried, and leaves with 0, 12 or 20."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from etl.audit import audit, read_evidence
from etl.audit.run import ATTACKERS
from etl.audit.words import load_words
from etl.cli import main
from etl.instance import Instance
from tests.audit.conftest import copy_of


def _leave(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


def test_a_downloaded_copy_is_enough(published: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without settings and without private folders: exit 0, counts on stdout, nothing written."""
    copy = copy_of(published, tmp_path / "copy")
    assert {path.name for path in copy.iterdir()} == {"datasets"}
    assert _leave("--portal", str(copy), "audit", "--attempts", "200", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["hit_count"] == 0
    assert report["attempt_count"] > 200
    assert {row["attacker"] for row in report["attackers"]} == set(ATTACKERS)
    assert {path.name for path in copy.iterdir()} == {"datasets"}


def test_a_hit_leaves_with_twenty(published: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A leak in the files: exit 20, its place on stderr, a page in two languages."""
    copy = copy_of(published, tmp_path / "copy")
    path = copy / "datasets" / "releases" / "1403-02" / "case_group.parquet"
    table = pq.read_table(path)
    smaller = pc.if_else(table["is_floor"], table["case_count"], pc.min_element_wise(table["case_count"], 9))
    pq.write_table(table.set_column(table.column_names.index("case_count"), "case_count", smaller), path)
    page = tmp_path / "audit.html"
    assert _leave("--portal", str(copy), "audit", "--attempts", "500", "--html", str(page)) == 20
    shown = capsys.readouterr()
    assert "audit-hit" in shown.err
    assert "small_count: case_group where" in shown.err
    assert shown.out == ""
    text = page.read_text(encoding="utf-8")
    assert 'lang="fa" dir="rtl"' in text
    assert 'lang="en" dir="ltr"' in text
    assert load_words()["learnt"]["small_count"]["fa"] in text
    assert "<script" not in text


def test_a_release_can_be_named(published: Instance) -> None:
    """What was published when an earlier release was the newest."""
    evidence = read_evidence(published.root).until("1403-02")
    report = audit(evidence, attempts=100)
    assert (report.release_id, report.release_count, report.hit_count) == ("1403-02", 2, 0)
    assert evidence.table("case_group").num_rows < read_evidence(published.root).table("case_group").num_rows


@pytest.mark.parametrize("spoil", ["nothing", "unknown", "torn"])
def test_what_cannot_be_checked_leaves_with_twelve(
    published: Instance, tmp_path: Path, spoil: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No release, an unknown one, or half a file: neither yes nor no."""
    copy = tmp_path / "copy"
    copy.mkdir()
    arguments = ["--portal", str(copy), "audit"]
    if spoil != "nothing":
        copy_of(published, copy)
    if spoil == "unknown":
        arguments.append("1399-01")
    if spoil == "torn":
        path = copy / "datasets" / "releases" / "1403-01" / "margin.parquet"
        path.write_bytes(path.read_bytes()[:100])
    assert _leave(*arguments) == 12
    assert "audit-" in capsys.readouterr().err


def test_every_word_of_a_report_is_there_in_two_languages(project: Path) -> None:
    """Each attacker, thing learnt and limit that the code names has a Persian and an English text; none is left over."""
    words = load_words()
    named: dict[str, set[str]] = {"hit": set(), "limit": set()}
    texts: set[str] = set()
    for path in (project / "etl" / "audit").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in named:
                named[node.func.attr] |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    assert set(words["attacker"]) == set(ATTACKERS)
    assert named["hit"] - set(words["learnt"]) == set()
    assert named["limit"] - set(words["limit"]) == set()
    assert (set(words["learnt"]) | set(words["limit"])) - texts == set()
    assert all(text for kind in words.values() for pair in kind.values() for text in pair.values())
