"""What the mapping says about many spellings, several columns, and dates that only events tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.errors import SettingsError
from etl.extract import extract, read_labels
from etl.extract.rows import Encoded
from etl.extract.spelling import join_columns
from etl.instance import Instance

Make = Callable[..., Instance]
Read = Callable[[Instance], list[dict[str, Any]]]

LOG = """
kind = "table"
path = "rows.csv"
shape = "events"
zone = "Asia/Tehran"
calendar = "gregorian"
snapshot_on = "2026-03-20"
missing = ["0"]
[secrecy]
constant = "normal"
why = "made by a test"
[case]
case_type_code = { constant = "service" }
body_id = { constant = "abfa" }
service_id = { constant = "permit" }
applicant_province_code = { column = "ward", map = "ward" }
registered_on = { event = "first" }
decided_on = { event = "first", milestone = "decided" }
closed_on = { event = "last", milestone = "closed" }
[event]
activity_code = { columns = ["step", "state"], join = " / ", code = "slug", lang = "en" }
occurred_at = { column = "at", format = "iso" }
[map.ward]
'none' = "unknown"
're:^(?:ward )?0*([0-9]+)$' = 'ward_\\1'
[milestone]
"re:^done_(full|part)$" = "decided"
"re:^done_closed" = "closed"
[link]
case_ref = "case"
[limits]
quarantine_share = 1.0
"""
HEADER = "case,step,state,ward,at"
ROWS = (
    "a,Done,full,Ward 4,2026-01-05T10:00:00+00:00",
    "a,Work,0,Ward 4,2026-01-02T22:00:00Z",
    "a,Done,part,Ward 4,2026-01-04T10:00:00Z",
    "a,Done,closed,Ward 4,2026-01-06T10:00:00Z",
    "a,Done,closed,Ward 4,2026-01-08T10:00:00Z",
    "b,Work,on,04,2026-01-03T10:00:00Z",
    "c,Work,on,NONE,2026-01-04T10:00:00Z",
    "d,Work,on,harbour,2026-01-05T10:00:00Z",
)


def test_dates_come_from_the_events_that_the_mapping_names(make_instance: Make, cases: Read) -> None:
    """First and last are in time, not in the file, in the source's zone; a case without such an event has no date."""
    instance = make_instance(*ROWS, header=HEADER, source=LOG)
    extract(instance)
    first = next(case for case in cases(instance) if case["decided_on"] is not None)
    second = next(case for case in cases(instance) if case["status_code"] == "registered")
    assert [str(first[name]) for name in ("registered_on", "decided_on", "closed_on")] == [
        "2026-01-03",
        "2026-01-04",
        "2026-01-08",
    ]
    assert first["finished_on"] == first["decided_on"]
    assert (second["decided_on"], second["closed_on"], second["status_code"]) == (None, None, "registered")


def test_several_columns_make_one_activity(make_instance: Make, events: Read) -> None:
    """Recorded parts are joined; a missing one is left out, and the whole name is the label."""
    instance = make_instance(*ROWS, header=HEADER, source=LOG)
    extract(instance)
    steps = {row["activity_code"] for row in events(instance)}
    assert steps == {"work", "work_on", "done_full", "done_part", "done_closed"}
    assert "Done / full" in {label.title for label in read_labels(instance.staging)}


def test_a_pattern_gives_one_code_to_two_spellings(
    make_instance: Make, cases: Read, quarantine: Callable[[Instance], list[tuple[Any, ...]]]
) -> None:
    """`Ward 4` and `04` are one ward, an exact value goes before patterns, and what fits none is quarantined."""
    instance = make_instance(*ROWS, header=HEADER, source=LOG)
    report = extract(instance)
    assert [row["applicant_province_code"] for row in cases(instance)] == ["ward_4", "ward_4", "unknown"]
    assert report.quarantined == 1
    assert any(row[2:] == ("applicant_province_code", "unknown_code") for row in quarantine(instance))


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        ('join = " / "', 'column = "step"', "source-column"),
        ('event = "first" }', 'event = "frist" }', "source-value"),
        ('milestone = "closed" }', 'milestone = "cloesd" }', "source-value"),
        ("registered_on = {", "promised_on = {", "source-event-date"),
        ('event = "last", milestone', 'column = "at", milestone', "source-event-date"),
        ("occurred_at = { column", 'to_unit_id = { event = "first" }\noccurred_at = { column', "source-event-date"),
        ("'re:^(?:ward )", "'re:^(?:ward ", "source-pattern"),
        ('"re:^done_closed"', '"re:^done_(closed"', "source-pattern"),
        ("'none' = \"unknown\"", "'none' = \"Not Known\"", "source-unknown-code"),
    ],
)
def test_a_wrong_rule_is_named(make_instance: Make, old: str, new: str, slug: str) -> None:
    """Each mistake in a rule stops the run before a row is read."""
    with pytest.raises(SettingsError) as caught:
        extract(make_instance(*ROWS, header=HEADER, source=LOG, edits=[(old, new)]))
    assert caught.value.slug == slug


def test_joining_is_done_row_by_row() -> None:
    """Every combination of values keeps its row; where all parts are missing the value is missing."""
    left = Encoded(["a", "b"], pa.array([0, 1, None, 0, None], pa.int32()))
    right = Encoded(["x", "-"], pa.array([0, 0, 1, 1, 0], pa.int32()))
    joined = join_columns([left, right], "+", lambda value: value in (None, "-"))
    assert joined.rows() == ["a+x", "b+x", None, "a", "x"]


def test_an_example_is_data_only(project: Path) -> None:
    """An example holds metadata.yml, README.md and mappings; no code, no data."""
    for folder in (project / "examples").iterdir():
        own = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in STATE]
        allowed = {"metadata.yml", "README.md"}
        assert {path.name for path in own} == allowed | {"source.toml"}
        maps = [line for path in own if path.suffix == ".toml" for line in path.read_text("utf-8").splitlines()]
        assert len(maps) <= 100


STATE = {"datasets", "public", "var"}


def test_nothing_is_kept_of_a_row_that_is_left_out(make_instance: Make) -> None:
    """Its name is no public label, its cells are no broken ones, and the rows below keep their numbers."""
    rows = ("r-1,عادی,3002,وب,1404/05/01,,,,one", "total,عادی,,,,,,9999,CANARY", "r-2,عادی,3002,وب,1404/13/01,,,,two")
    left_out = ("[limits]", '[leave_out]\ncolumn = "id"\nvalues = ["re:^tot"]\n[limits]')
    named = ('score = "score"', 'score = "score"\ntrack_code = { column = "national_id", code = "slug" }')
    instance = make_instance(*rows, edits=[left_out, named])
    report = extract(instance)
    assert (report.read, report.staged, report.quarantined, report.left_out) == (2, 1, 1, 1)
    assert {label.title for label in read_labels(instance.staging) if label.list_code == "track"} == {"one", "two"}
    (found,) = instance.var.glob("quarantine/*.parquet")
    assert pq.read_table(found)["row_number"].to_pylist() == [3]
