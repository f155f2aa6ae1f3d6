"""Windows, leading case types, due dates and facts that hold the pages together."""

from __future__ import annotations

import sqlite3
from datetime import date

import pytest

from etl.instance import Instance
from portal.body_facts import bands_of, interval, read_body
from portal.build import build_site
from portal.due_dates import due_dates, joined
from portal.facts import Limit, read_facts
from portal.formats import sort_key
from portal.released import open_released
from portal.scope import find_scopes, leading_order
from tests.site.maker import META, make_released


def test_window_ends_with_the_newest_closed_period(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A body whose groups came out two months ago is told by the twelve releases up to then."""
    root = tmp_path_factory.mktemp("scope")
    make_released(root / "datasets")
    path = root / "datasets" / "portal-1405-06.db"
    with sqlite3.connect(path) as connection:
        connection.execute("delete from case_group where body_id = 'archive' and release_id > '1405-04'")
    with open_released(root / "datasets") as released:
        scope = find_scopes(released)["archive"][0]
    assert (scope.first_release, scope.release) == ("1404-05", "1405-04")


def test_window_goes_back_to_where_something_was_registered(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Old cases that nobody closes are no picture of a year: the page tells the last busy months, and says so."""
    root = tmp_path_factory.mktemp("quiet")
    make_released(root / "datasets")
    with sqlite3.connect(root / "datasets" / "portal-1405-06.db") as connection:
        connection.execute(
            "update margin set registered_count = 0, late_registered_count = 0 where month_code > '1404-05'"
        )
    with open_released(root / "datasets") as released:
        scope = find_scopes(released)["archive"][0]
    assert (scope.quiet_since, scope.release) == ("1404-05", "1404-05")
    folder = build_site(Instance(root))
    for page in ("index.html", "body/archive/index.html"):
        assert "Nothing was registered after Mordad 1404" in (folder / "en" / page).read_text(encoding="utf-8"), page
    assert "silent since Mordad 1404" in (folder / "en" / "index.html").read_text(encoding="utf-8")


def test_one_registration_keeps_the_window(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever stops answering, or is asked but once, does not get an older, better year."""
    root = tmp_path_factory.mktemp("asked")
    make_released(root / "datasets")
    with sqlite3.connect(root / "datasets" / "portal-1405-06.db") as connection:
        connection.execute(
            "update margin set registered_count = 0, late_registered_count = 0 where month_code > '1404-11'"
        )
    with open_released(root / "datasets") as released:
        scopes = [scope for each in find_scopes(released).values() for scope in each]
    assert scopes
    assert all((scope.quiet_since, scope.release) == ("", "1405-06") for scope in scopes)


def test_information_requests_lead_where_they_are_a_fifth() -> None:
    """A handful of information requests does not stand for an office of services."""
    assert leading_order({"service": 700, "foi": 200, "correspondence": 5000})[0] == "foi"
    assert leading_order({"service": 900, "foi": 100, "correspondence": 5000})[0] == "service"
    assert leading_order({"correspondence": 5000}) == ["correspondence"]


def test_waits_up_to_a_band_are_what_the_query_says(site_instance: Instance) -> None:
    """The page sums waits itself; each sum is the answer of the query it links to."""
    with open_released(site_instance.datasets) as released:
        facts, bands = read_facts(released.meta), bands_of(released)
        scope = find_scopes(released)["mosharekat"][0]
        body = read_body(released, scope, facts=facts, bands=bands)
        for band in bands:
            answer = interval(released.ask("within_days", **scope.parameters, band=band.code)[0])
            assert answer.total == body.on_time.total
            summed = sum(
                row["case_count"]
                for row in released.ask("waits", **scope.parameters)
                if row["duration_band_code"] and row["duration_band_code"] <= band.code
            )
            assert answer.at_least == summed


def test_due_dates_count_working_days(site_instance: Instance) -> None:
    """Ten working days after 31 Shahrivar 1405 is two weeks later, and the law's ten days fall earlier."""
    with open_released(site_instance.datasets) as released:
        rows = due_dates(
            released,
            headline=Limit(10, "working", "registered"),
            law=Limit(10, "calendar", "received"),
            until=date(2026, 9, 22),
        )
    assert len(rows) == 30
    assert rows[0].sent_on == date(2026, 9, 22)
    assert rows[0].headline_on == date(2026, 10, 6)
    assert rows[0].law_on == date(2026, 10, 2)
    assert len(joined(rows)) == 30


def test_promised_limit_has_no_table_of_due_dates(site_instance: Instance) -> None:
    """Where each case has its own date there is nothing to count."""
    with open_released(site_instance.datasets) as released:
        assert due_dates(released, headline=Limit(0, "promised", "registered"), law=None, until=date(2026, 9, 22)) == []


def test_gregorian_instance_builds_without_iranian_articles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another country's portal shows its months and cites no Iranian law."""
    root = tmp_path_factory.mktemp("gregorian")
    meta = {key: value for key, value in META.items() if not key.startswith("law_")}
    make_released(root / "datasets", meta=meta | {"calendar_code": "gregorian", "bylaw_kind": "calendar"})
    folder = build_site(Instance(root))
    letter = (folder / "en" / "letter.html").read_text(encoding="utf-8")
    assert "foia.iran.gov.ir" not in letter
    assert "10 days from registration" in letter
    assert "ژوئن ۲۰۱۵" in (folder / "fa" / "index.html").read_text(encoding="utf-8")


def test_names_sort_as_a_persian_dictionary_does() -> None:
    """«پ» follows «ب», «گ» follows «ک», whatever their code points."""
    assert sorted(["گواهی", "واحد", "پروانه", "بیمه", "کارت"], key=sort_key) == [
        "بیمه",
        "پروانه",
        "کارت",
        "گواهی",
        "واحد",
    ]


@pytest.mark.parametrize("table", ["case_group", "margin", "calendar_day", "service"])
def test_site_is_built_where_a_table_is_empty(table: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A first release with margins only, or a source without services, still has its pages."""
    root = tmp_path_factory.mktemp("empty")
    make_released(root / "datasets")
    with sqlite3.connect(root / "datasets" / "portal-1405-06.db") as connection:
        connection.execute(f"delete from {table}")
    folder = build_site(Instance(root))
    assert "None" not in (folder / "fa" / "data.html").read_text(encoding="utf-8")
    assert (folder / "fa" / "index.html").is_file()
