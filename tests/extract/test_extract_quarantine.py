"""Rows that break the contract are counted with a reason, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.errors import SourceError
from etl.extract import extract
from etl.instance import Instance
from tests.extract.conftest import HEADER

Make = Callable[..., Instance]
Read = Callable[[Instance], list[Any]]

GOOD = "r-1,عادی,3002,وب,1404/05/01,1404/05/11,انجام شد,4,x"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",عادی,3002,وب,1404/05/01,,,,x", "case_ref", "missing_value"),
        ("r-2,عادی,,وب,1404/05/01,,,,x", "body_id", "missing_value"),
        ("r-2,عادی,3002,وب,,,,,x", "registered_on", "missing_value"),
        ("r-2,عادی,3009,وب,1404/05/01,,,,x", "body_id", "unknown_code"),
        ("r-2,عادی,3002,کبوتر,1404/05/01,,,,x", "channel_code", "unknown_code"),
        ("r-2,عادی,3002,وب,1404/07/31,,,,x", "registered_on", "impossible_date"),
        ("r-2,عادی,3002,وب,1404/05/05,1404/05/04,انجام شد,,x", "closed_on", "ends_before_start"),
        ("r-2,عادی,3002,وب,1405/05/05,,,,x", None, "after_snapshot"),
        ("r-2,عادی,3002,وب,1404/05/05,,,چهار,x", "score", "bad_number"),
        ("r-2,عادی,3002,وب,1404/05/05,,,200,x", "score", "bad_number"),
    ],
)
def test_a_broken_row_is_quarantined_with_its_reason(
    make_instance: Make, quarantine: Read, row: str, column: str | None, reason: str
) -> None:
    """Row number, column and reason are kept; the good row beside it is staged."""
    instance = make_instance(GOOD, row)
    report = extract(instance)
    assert ("case", 2, column, reason) in quarantine(instance)
    assert (report.read, report.staged, report.unchanged, report.quarantined) == (2, 1, 0, 1)


def test_two_rows_of_one_id_are_both_quarantined(make_instance: Make, quarantine: Read) -> None:
    """Of two rows with one id neither can be trusted; picking one would be a guess."""
    instance = make_instance(GOOD, GOOD.replace("وب", "میز خدمت"), GOOD.replace("r-1", "r-3"))
    report = extract(instance)
    assert [row[3] for row in quarantine(instance)] == ["duplicate_key", "duplicate_key"]
    assert (report.read, report.staged, report.quarantined) == (3, 1, 2)


def test_a_row_of_several_files_is_named_by_its_file_and_its_row_there(make_instance: Make) -> None:
    """An operator with twelve workbooks looks up row 2 of the third, not row 5,002 of all; the stop says the same."""
    bad = "r-{},عادی,3002,کبوتر,1404/05/01,,,,x"
    several = ("rows.csv", "*.csv")
    instance = make_instance(GOOD, bad.format(2), edits=[several])
    more = [HEADER, GOOD.replace("r-1", "r-3"), GOOD.replace("r-1", "r-4"), bad.format(5)]
    (instance.root / "more.csv").write_text("\n".join(more) + "\n", encoding="utf-8")
    extract(instance)
    (found,) = instance.var.glob("quarantine/*.parquet")
    rows = pq.read_table(found).select(["file", "row_number", "reason"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [("more.csv", 3, "unknown_code"), ("rows.csv", 2, "unknown_code")]
    strict = make_instance(GOOD, bad.format(2), edits=[several, ("quarantine_share = 1.0", "quarantine_share = 0.1")])
    with pytest.raises(SourceError, match=r"2 unknown_code in channel_code \(first in row 3 of more\.csv\)"):
        extract(strict)


def test_quarantine_never_holds_the_value(make_instance: Make) -> None:
    """A broken cell is named by its place alone."""
    instance = make_instance(GOOD, "r-2,عادی,3002,SECRETVALUE99,1404/05/01,,,,x")
    extract(instance)
    for path in instance.var.rglob("*"):
        assert not path.is_file() or b"SECRETVALUE99" not in path.read_bytes()


def test_over_the_limit_the_run_stops_before_anything_is_written(make_instance: Make) -> None:
    """More broken cases than limits.quarantine_share: exit 21, no batch, no value in the message."""
    bad = [f"r-{n},عادی,3002,SECRETVALUE99,1404/05/01,,,,x" for n in range(2, 5)]
    instance = make_instance(GOOD, *bad, edits=[("quarantine_share = 1.0", "quarantine_share = 0.01")])
    with pytest.raises(SourceError) as caught:
        extract(instance)
    assert (caught.value.slug, caught.value.exit_code) == ("quarantine-share", 21)
    assert "SECRETVALUE99" not in str(caught.value)
    assert "3 of 4" in str(caught.value)
    assert not list(instance.staging.rglob("*.parquet"))


def test_spellings_of_one_code_are_one(make_instance: Make, cases: Read) -> None:
    """Arabic letters, other digits, double spaces and a zero-width non-joiner do not make another code."""
    instance = make_instance(GOOD, "r-2,عادي,٣٠٠٢,ميز  خد\u200cمت,1404/05/02,,,,x")
    assert extract(instance).staged == 2
    assert [case["channel_code"] for case in cases(instance)] == ["web", "desk"]


def test_missing_values_are_codes_or_nothing(make_instance: Make, cases: Read) -> None:
    """A missing channel is `not_recorded`, an open case has no outcome, a finished one without it `not_recorded`."""
    instance = make_instance("r-1,عادی,3002,-,1404/05/01,,انجام شد,,x", "r-2,عادی,3002, ,1404/05/02,1404/05/09,,-,x")
    extract(instance)
    first, second = cases(instance)
    assert (first["channel_code"], first["outcome_code"], first["finished_on"]) == ("not_recorded", None, None)
    assert (second["channel_code"], second["outcome_code"], second["score"]) == ("not_recorded", "not_recorded", None)


@pytest.mark.parametrize("secrecy", ["محرمانه", "", "-", "چیز دیگر"])
def test_all_that_is_not_normal_is_secret_and_leaves_no_trace(make_instance: Make, secrecy: str) -> None:
    """Classified, missing and unknown classes: not read, not staged, not quarantined, counted in one band."""
    instance = make_instance(GOOD, f"r-2,{secrecy},9999,کبوتر,1404/07/31,,,,x")
    report = extract(instance)
    assert (report.read, report.staged, report.quarantined) == (1, 1, 0)
    assert report.classified_band == "1-9"
    assert not list((instance.var / "quarantine").glob("*"))


def test_a_missing_class_is_secret_even_where_a_map_calls_it_normal(make_instance: Make) -> None:
    """What means "nothing recorded" cannot mean normal."""
    instance = make_instance(
        GOOD, GOOD.replace("r-1,عادی", "r-2,-"), edits=[('"عادی" = "normal"', '"عادی" = "normal", "-" = "normal"')]
    )
    assert extract(instance).read == 1
