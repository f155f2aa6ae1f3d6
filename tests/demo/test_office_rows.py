"""The office is a pure function of its arguments, and time only adds to it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from etl.demo import OfficeSummary, advance_office, make_office, read_summary
from etl.errors import UsageError


def test_the_same_arguments_give_the_same_rows(small: Callable) -> None:
    """Two offices of one seed hold equal rows in equal order, canaries too."""
    one, two = (small(name, until="1404-01", months=2, cases=300, seed=5) for name in ("one", "two"))
    assert one.rows() == two.rows()
    assert (one.folder / "canaries.txt").read_bytes() == (two.folder / "canaries.txt").read_bytes()


def test_another_seed_gives_other_cases(small: Callable) -> None:
    """The seed decides what happens."""
    one, two = (small(str(seed), until="1404-01", months=1, cases=100, seed=seed) for seed in (1, 2))
    assert one.rows()["desk.request"] != two.rows()["desk.request"]


def test_advancing_equals_generating_with_a_later_end(small: Callable) -> None:
    """A month later the office is what it would be had it been made a month later."""
    advanced = small("advanced", until="1404-11", months=4, cases=800)
    advance_office(advanced.folder, months=2)
    assert advanced.rows() == small("later", until="1405-01", months=6, cases=1_200).rows()


def test_cases_keep_their_numbers_when_time_passes(two_ages: tuple) -> None:
    """No request loses or changes its id, tracking code or applicant."""
    now, later = two_ages
    query = "select request_id, tracking_code, applicant_id, received_date from request"
    assert set(now.ask("desk", query)) <= set(later.ask("desk", query))
    query = "select letter_id, register_code, register_year, register_no, registered_date from letter"
    assert set(now.ask("automation", query)) <= set(later.ask("automation", query))


def test_nothing_known_lies_after_the_snapshot(office: object) -> None:
    """Every date in the databases, promises apart, lies on or before the day of the snapshot."""
    ((snapshot,),) = office.ask("desk", "select value from meta where key = 'snapshot_at'")
    assert snapshot == "2026-10-08T17:00:00Z"
    dates = [
        ("desk", "select max(day(received_date)), max(day(decided_date)), max(day(closed_date)) from request"),
        ("desk", "select max(day(step_date)) from request_step"),
        ("desk", "select max(day(entered_date)), max(day(received_date)) from request"),
        ("automation", "select max(day(referral_date)) from referral"),
        ("automation", "select max(day(registered_date)) from letter where registered_date not like '%/07/31'"),
    ]
    last_day = date(2026, 10, 8).toordinal()  # 1405-07-16, a Thursday: the office is shut
    latest = {day for database, query in dates for day in office.ask(database, query)[0]}
    assert last_day - 3 < max(latest) <= last_day


def test_the_summary_is_what_was_asked_for(office: object) -> None:
    """About the wanted number of cases, in ten bodies and 24 months; it can be read again."""
    summary = read_summary(office.folder)
    assert (summary.bodies, summary.months) == (10, 24)
    assert 0.95 < summary.cases / 15_000 < 1.08


def test_a_folder_without_an_office_has_no_summary(tmp_path: Path) -> None:
    """No office, no summary, and nothing to advance."""
    assert read_summary(tmp_path) is None
    with pytest.raises(UsageError, match="no synthetic office"):
        advance_office(tmp_path)


@pytest.mark.parametrize(
    "how",
    [{"until": "1405"}, {"until": "1405-S2"}, {"until": "x"}, {"months": 0}, {"months": 1_201}, {"cases": 0}],
)
def test_an_impossible_office_is_refused(tmp_path: Path, how: dict[str, object]) -> None:
    """An end that is no month, or no cases, is a usage error before anything is written."""
    with pytest.raises(UsageError):
        make_office(tmp_path / "none", **how)  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()


def test_an_office_can_be_tiny(small: Callable) -> None:
    """Two cases a month are an office too; it gets no older than a hundred years."""
    tiny = small("tiny", until="1404-05", months=1, cases=2)
    assert isinstance(read_summary(tiny.folder), OfficeSummary)
    with pytest.raises(UsageError, match="1200 months more than the 1"):
        advance_office(tiny.folder, months=1_200)


def test_memory_does_not_grow_with_the_number_of_cases(tmp_path: Path) -> None:
    """Three times the cases take no more memory: rows are written in batches."""
    make_office(tmp_path / "first", until="1404-05", months=1, cases=10)  # what is read once is read here
    peaks = []
    for cases in (1_000, 3_000):
        tracemalloc.start()
        make_office(tmp_path / str(cases), until="1404-05", months=1, cases=cases)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.15
