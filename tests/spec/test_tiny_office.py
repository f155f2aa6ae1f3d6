"""The tiny office must give exactly the rows that were reasoned out by hand (tests/fixtures/tiny/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from etl.model.published import Published
from tests.fixtures.tiny_office import tiny_rows
from tests.reference.runs import rows_of

Runs = tuple[Published, Published]


def text(value: Any) -> str:
    """Write a value as the hand-written files do: NULL empty, booleans 0 and 1, ISO dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def as_texts(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Write rows as sorted tuples of texts in the order of `columns`."""
    return sorted(tuple(text(row[name]) for name in columns) for row in rows)


def both(runs: Runs, table: str) -> list[dict[str, Any]]:
    """Fetch a published table of both runs."""
    return [row for run in runs for row in rows_of(getattr(run, table))]


def expected(table: str, *, without: Sequence[str] = ()) -> tuple[list[str], list[tuple[str, ...]]]:
    """Read the hand-written rows of a table."""
    rows = tiny_rows(f"expected_{table}")
    columns = [name for name in rows[0] if name not in without]
    return columns, as_texts(rows, columns)


@pytest.mark.parametrize("table", ["margin", "statutory"])
def test_exact_tables_are_those_reasoned_by_hand(tiny_runs: Runs, table: str) -> None:
    """Margins and the statutory table of the tiny office equal the hand-written rows."""
    columns, rows = expected(table)
    assert as_texts(both(tiny_runs, table), columns) == rows


def test_groups_are_those_reasoned_by_hand(tiny_runs: Runs) -> None:
    """Groups of the tiny office equal the hand-written rows in every published column."""
    columns, rows = expected("case_group", without=("group", "trace"))
    assert as_texts(both(tiny_runs, "case_group"), columns) == rows


def test_groups_show_a_trace_only_where_the_hand_does(tiny_runs: Runs) -> None:
    """Exactly the groups with a hand-written trace carry a trace key."""
    shown = {(row["release_id"], row["rung_number"]) for row in both(tiny_runs, "case_group") if row["trace_key"]}
    by_hand = {(row["release_id"], int(row["rung_number"])) for row in tiny_rows("expected_case_group") if row["trace"]}
    assert shown == by_hand


def test_steps_are_those_reasoned_by_hand(tiny_runs: Runs) -> None:
    """Steps of groups equal the hand-written rows; groups are matched by release and rung."""
    groups = {row["group_key"]: (row["release_id"], row["rung_number"]) for row in both(tiny_runs, "case_group")}
    labels = {row["group"]: (row["release_id"], int(row["rung_number"])) for row in tiny_rows("expected_case_group")}
    columns, _ = expected("case_group_step", without=("group",))
    by_hand = [row | {"place": labels[row["group"]]} for row in tiny_rows("expected_case_group_step")]
    given = [row | {"place": groups[row["group_key"]]} for row in both(tiny_runs, "case_group_step")]
    assert as_texts(given, ["place", *columns]) == as_texts(by_hand, ["place", *columns])


def test_a_trace_is_written_once_per_run(tiny_runs: Runs) -> None:
    """Each run writes the one published trace out once, step by step."""
    columns, rows = expected("trace_step", without=("trace",))
    for run in tiny_runs:
        assert as_texts(rows_of(run.trace_step), columns) == rows


def test_cadence_is_taken_from_the_first_extraction(tiny_runs: Runs) -> None:
    """The first run fixes a month, a season and a year cadence; the second keeps them."""
    by_hand = {"alef": {"foi": "month"}, "be": {"foi": "year", "service": "season"}}
    assert [run.cadence_bootstrap for run in tiny_runs] == [by_hand, by_hand]


def test_a_late_case_waits_and_is_counted(tiny_runs: Runs) -> None:
    """The late case has one placement without a group, in the release that first saw it."""
    late = [row for row in rows_of(tiny_runs[1].placement) if row["case_key"] == "L01"]
    assert {(row["population_code"], row["group_key"], row["release_id"]) for row in late} == {
        ("registered", None, "1404-01"),
        ("finished", None, "1404-01"),
    }


def test_the_second_run_places_no_case_again(tiny_runs: Runs) -> None:
    """No case is counted or grouped twice over both runs."""
    rows = both(tiny_runs, "placement")
    for is_grouped in (False, True):
        keys = [
            (row["population_code"], row["case_key"]) for row in rows if (row["group_key"] is not None) == is_grouped
        ]
        assert len(keys) == len(set(keys))
