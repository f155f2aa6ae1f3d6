"""Table `quality`: ranges only, counted once, refused where they are too narrow, absent from older releases without harm."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from etl.anonymise.quality import inferred_sums, quality_rows
from etl.engine import open_duckdb
from etl.errors import PrivacyError
from etl.extract import Manifest, source_quality
from etl.load import build_database, write_releases
from etl.load.archive import list_releases, read_table
from etl.metadata import load_dictionary, shipped_codes
from etl.model.quality import count_band, share_band
from tests.load.builder import AS_OF, Office, group, make_instance

PLACE = {"release_id": "1403-01", "year_code": "1403", "body_id": "alef"}
SHARE = {"measure_code": "followed", "reason_code": None, "unit_code": "percent", "at_least": 90, "at_most": 95}
COUNT = {"measure_code": "quarantined", "reason_code": None, "unit_code": "case", "at_least": 10, "at_most": 99}


def write(tmp_path: Path, rows: list[dict[str, Any]]) -> Any:
    """Release one month with these rows of quality; give its instance."""
    instance = make_instance(tmp_path / "instance")
    office = Office(due=("1403-01",), groups=[group()])
    published = replace(office.published(), quality=rows)
    backend = open_duckdb(instance.private_folder("tmp"), memory_limit="500MB")
    write_releases(instance, backend, published, as_of=AS_OF, due=office.months)
    return instance


def test_rows_of_a_release_come_numbered_and_sorted(tmp_path: Path) -> None:
    """A release holds its own rows of quality only, with ids of its own."""
    later = {**PLACE, **SHARE, "release_id": "1403-12"}
    instance = write(tmp_path, [{**PLACE, **SHARE}, {**PLACE, **COUNT, "body_id": None}, later])
    [release] = list_releases(instance.releases)
    rows = read_table(release, load_dictionary().tables["quality"]).to_pylist()
    assert [(row["body_id"], row["measure_code"]) for row in rows] == [(None, "quarantined"), ("alef", "followed")]
    assert [row["quality_id"] % 10 for row in rows] == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {**SHARE, "at_least": 92, "at_most": 93},
        {**SHARE, "at_least": 91, "at_most": 96},
        {**COUNT, "at_least": 12, "at_most": 12},
        {**COUNT, "at_least": 1, "at_most": 4},
    ],
)
def test_gate_refuses_a_range_that_is_too_narrow(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """An exact count, or a share finer than five points, stops the release."""
    with pytest.raises(PrivacyError, match="none of the published bands"):
        write(tmp_path, [{**PLACE, **wrong}])


def test_gate_refuses_a_reason_without_a_label(tmp_path: Path) -> None:
    """A reason is a code of the shipped list, never a text of the source."""
    with pytest.raises(PrivacyError, match="reason_code"):
        write(tmp_path, [{**PLACE, **COUNT, "reason_code": "because"}])


def test_unknown_column_is_not_published(tmp_path: Path) -> None:
    """A row with a column that the dictionary does not name stops the release."""
    with pytest.raises(PrivacyError, match="case_key"):
        write(tmp_path, [{**PLACE, **SHARE, "case_key": "x"}])


def test_release_without_the_table_stays_readable(tmp_path: Path) -> None:
    """A folder of the time before `quality` gives an empty table, not an error."""
    instance = write(tmp_path, [])
    [release] = list_releases(instance.releases)
    (release.folder / "quality.parquet").unlink()
    assert read_table(release, load_dictionary().tables["quality"]).num_rows == 0


def test_database_holds_the_ranges(tmp_path: Path) -> None:
    """The ranges reach the database as they were released."""
    instance = write(tmp_path, [{**PLACE, **SHARE}])
    database = build_database(instance)
    with closing(sqlite3.connect(database)) as con:
        assert con.execute("select at_least, at_most from quality").fetchall() == [(90, 95)]


def test_bands_hold_their_count() -> None:
    """Every count and every share lies within the band that is published for it."""
    for count in (*range(200), 999, 1000, 123456):
        for k in (5, 10, 20):
            low, high = count_band(count, k)
            assert low <= count <= high
    for part in range(301):
        low, high = share_band(part, 300, 10)
        assert low * 3 <= part <= high * 3


def test_share_of_few_cases_is_not_given() -> None:
    """Fewer than 200 cases at k = 10: five points of them would be fewer than k."""
    assert share_band(100, 199, 10) == (0, 100)
    assert share_band(100, 200, 10) == (50, 55)


def test_inferred_steps_count_cases_once_and_closed_years_only() -> None:
    """A case with two inferred steps is one case; a year whose last month is not due waits."""
    year = 1403 * 12
    case = ibis.memtable(
        pa.table(
            {
                "case_key": ["a", "b", "c", "d"],
                "body_id": ["alef"] * 4,
                "registered_index": [year, year + 3, year + 11, year + 12],
                "registered_year_code": ["1403", "1403", "1403", "1404"],
            }
        )
    )
    event = ibis.memtable(pa.table({"case_key": ["a", "a", "b", "d"], "is_derived": [True, True, False, True]}))
    found = inferred_sums(case, event, low=year + 11, high=year + 13)
    assert found == [{"body_id": "alef", "registered_year_code": "1403", "cases": 3, "inferred": 1}]
    [row] = quality_rows([], found, k=10)
    assert (row["release_id"], row["at_least"], row["at_most"]) == ("1403-12", 0, 100)


def test_what_extraction_set_aside_is_told_in_orders_of_magnitude() -> None:
    """Cases, classified letters and reasons are bands; a reason without a label is counted as other."""
    manifest = Manifest(
        batch_id=1,
        staging_version=1,
        snapshot_at=datetime(2025, 1, 1, tzinfo=UTC),
        case_count=0,
        event_count=0,
        live_case_count=0,
        counts={"quarantined": 286, "reason_unknown_code": 3, "reason_brand_new": 40},
        sources={"desk": {"classified": 0}, "automation": {"classified": 468}},
    )
    rows = source_quality(manifest, release_id="1403-01", year_code="1403", k=10)
    told = {(row["measure_code"], row["reason_code"]): (row["at_least"], row["at_most"]) for row in rows}
    assert told == {
        ("quarantined", None): (100, 999),
        ("classified", None): (100, 999),
        ("broken_cells", "unknown_code"): (1, 9),
        ("broken_cells", "other"): (10, 99),
    }
    known = shipped_codes()
    assert {str(row["measure_code"]) for row in rows} <= set(known["quality_measure"])
