"""Staging without the cases that can change nothing any more, and without reading their files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from etl.extract import extract, leave_out, open_staging
from etl.instance import Instance

Make = Callable[..., Instance]
OPEN = "r-1,عادی,3002,وب,1404/05/01,,,,x"
CLOSED = "r-1,عادی,3002,وب,1404/05/01,1404/06/11,انجام شد,4,x"
OTHER = "r-2,عادی,3002,وب,1404/05/02,1404/05/12,انجام شد,4,x"
STILL = "r-3,عادی,3002,وب,1404/05/03,,,,x"


@pytest.fixture
def instance(make_instance: Make) -> Instance:
    """Two batches: a case open in the first is closed in the second; another was closed, a third stays open."""
    extract(make_instance(OPEN, OTHER, STILL))
    made = make_instance(CLOSED, OTHER, STILL, edits=[("2026-03-20", "2026-03-25")])
    extract(made)
    return made


def _rows(relation: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = relation.to_pyarrow().to_pylist()
    return sorted(rows, key=repr)


def _keys(backend: Any, instance: Instance, *, finished: bool = True) -> list[str]:
    staging = open_staging(backend, instance.staging)
    assert staging is not None
    return [row["case_key"] for row in _rows(staging.case) if (row["finished_on"] is not None) == finished]


def _settled(backend: Any, keys: list[str]) -> Any:
    return backend.create_table("settled", pa.table({"case_key": pa.array(keys, pa.string())}), temp=True)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_it_gives_all_rows_but_those_of_the_cases(backend: Any, instance: Instance, count: int) -> None:
    """Cases, events and exemptions are those of `open_staging`, but for the cases left out."""
    keys = _keys(backend, instance)[:count]
    whole = open_staging(backend, instance.staging)
    assert whole is not None
    expected = [
        [row for row in _rows(each) if row["case_key"] not in keys]
        for each in (whole.case, whole.event, whole.case_exemption)
    ]
    staging = leave_out(backend, instance.staging, _settled(backend, keys))
    assert [_rows(each) for each in (staging.case, staging.event, staging.case_exemption)] == expected


def test_files_of_no_other_case_are_not_read(backend: Any, instance: Instance) -> None:
    """Events of settled cases could be unreadable: nobody looks at them."""
    settled, others = (_keys(backend, instance, finished=finished) for finished in (True, False))
    for path in (instance.staging / "event").glob("1404-*/*.parquet"):
        path.write_bytes(bytes(path.stat().st_size))
    staging = leave_out(backend, instance.staging, _settled(backend, settled))
    assert {row["case_key"] for row in _rows(staging.event)} == set(others)


def test_an_older_version_does_not_come_back(backend: Any, instance: Instance) -> None:
    """The first batch still holds a case as open whose newest version lies in a file that is left out."""
    [old] = {row["case_key"] for row in _rows(backend.read_parquet(_first(instance)))} & set(_keys(backend, instance))
    staging = leave_out(backend, instance.staging, _settled(backend, _keys(backend, instance)))
    assert old not in {row["case_key"] for row in _rows(staging.case)}


def test_where_no_file_is_left_there_are_no_rows(backend: Any, instance: Instance) -> None:
    """Every case is settled: each relation is empty, in its own shape, though staging was opened whole before."""
    whole = open_staging(backend, instance.staging)
    assert whole is not None
    keys = [row["case_key"] for row in _rows(whole.case)]
    staging = leave_out(backend, instance.staging, _settled(backend, keys))
    for left, every in zip(
        (staging.case, staging.event, staging.case_exemption),
        (whole.case, whole.event, whole.case_exemption),
        strict=True,
    ):
        assert left.count().to_pyarrow().as_py() == 0
        assert left.columns == every.columns


def _first(instance: Instance) -> str:
    return str(instance.staging / "case" / "open" / "000001.parquet")
