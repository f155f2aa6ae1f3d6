"""Real input, mapped by data alone: counts equal a plain recount of the file (tests/integration has the other files)."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections import Counter
from pathlib import Path

import pytest

from etl.engine import open_duckdb
from etl.extract import ExtractReport, extract, open_staging, read_labels
from etl.instance import Instance
from etl.model.staging import Staging

pytestmark = pytest.mark.real


def _run(project: Path, folder: Path, data: Path, name: str) -> tuple[Instance, ExtractReport, Staging]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAFAF_DATA", str(data))
        ignore = shutil.ignore_patterns("var", "datasets", "public")
        shutil.copytree(project / "examples" / name, folder / name, ignore=ignore)
        instance = Instance(folder / name)
        report = extract(instance)
    staging = open_staging(open_duckdb(instance.private_folder("tmp")), instance.staging)
    assert staging is not None
    return instance, report, staging


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_wabo_is_read_whole(project: Path, tmp_path: Path, real_data: Path) -> None:
    """1,434 cases and 8,577 events; 105 cases have no end and stay open; steps keep their order."""
    _, report, staging = _run(project, tmp_path, real_data, "wabo")
    rows = _rows(real_data / "wabo_receipt.csv.gz")
    assert (report.read, report.staged, report.events) == (1_434, 1_434, 8_577)
    assert staging.event.count().to_pyarrow().as_py() == len(rows)
    assert staging.case.filter(staging.case.finished_on.isnull()).count().to_pyarrow().as_py() == 105
    steps = staging.event.activity_code.value_counts().to_pyarrow().to_pylist()
    recount = Counter(row["concept:name"] for row in rows)
    assert sorted(row["activity_code_count"] for row in steps) == sorted(recount.values())


def test_wabo_reads_no_person(project: Path, tmp_path: Path, real_data: Path) -> None:
    """Columns of persons are not mapped, so no byte of them is staged."""
    instance, _, staging = _run(project, tmp_path, real_data, "wabo")
    assert "Resource" not in str(staging.event.to_pyarrow().to_pydict())
    assert not any("resource" in label.code for label in read_labels(instance.staging))
