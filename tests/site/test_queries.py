"""Queries that readers see: named, documented, run on the release they name, honest about what is not shown."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import pytest

from etl.errors import SettingsError
from etl.instance import Instance
from etl.metadata import load_dictionary
from portal.catalogue import Query, load_queries
from portal.catalogue import _read as read_query
from portal.released import open_released
from tests.site.maker import make_released

LADDER = (
    "service_id",
    "unit_id",
    "outcome_code",
    "lateness_code",
    "duration_band_code",
    "is_loop",
    "channel_code",
    "trace_id",
    "cohort_state_code",
    "applicant_kind_code",
    "applicant_province_code",
    "stage_code",
    "age_band_code",
)
KNOWN_ONLY = re.compile(
    rf"where[^)]*\b({'|'.join(LADDER)})\s+is\s+not\s+null|({'|'.join(LADDER)})\s+is\s+not\s+null\s+and", re.I
)
UNBOUND = {"reading_6_wrong"}  # shows what happens without a release
VALUES = {
    "release": "1405-06",
    "first_release": "1404-07",
    "body": "mosharekat",
    "case_type": "foi",
    "service": "shop",
    "band": "06_10",
    "above": "11_15",
}
BUDGET = 0.25  # seconds; a loose bound against a query that walks the whole database per row


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Released data of which some groups show the outcome only coarsely, beside groups that show it finely."""
    datasets = tmp_path / "datasets"
    make_released(datasets)
    with sqlite3.connect(datasets / "portal-1405-06.db") as connection:
        coarse = "outcome_code = 'granted_full' and case_group_id % 2 = 0"
        connection.execute(f"update case_group set outcome_code = 'positive' where {coarse}")
    return datasets


def refuses(sql: str) -> bool:
    """Say whether the lint refuses a query: a rate over rows whose ladder column is known."""
    return bool(KNOWN_ONLY.search(re.sub(r"\s+", " ", sql)))


@pytest.mark.parametrize("query", load_queries().values(), ids=lambda q: q.name)
def test_every_query_runs_and_answers(query: Query, site_instance: Instance) -> None:
    """A query runs with the parameters of a page, gives at least one row, and is quick."""
    with open_released(site_instance.datasets) as released:
        begun = time.process_time()
        rows = released.ask(query.name, **VALUES)
        assert time.process_time() - begun < BUDGET
    assert rows


@pytest.mark.parametrize("query", load_queries().values(), ids=lambda q: q.name)
def test_every_query_names_its_release(query: Query) -> None:
    """A figure is a permalink only if its query names the release."""
    assert query.name in UNBOUND or "release" in query.parameters or "first_release" in query.parameters


@pytest.mark.parametrize("query", load_queries().values(), ids=lambda q: q.name)
def test_every_query_is_documented_in_both_languages(query: Query) -> None:
    """Titles in Persian and English, a description, no Latin title in Persian."""
    assert re.search("[ا-ی]", query.title["fa"])
    assert query.title["en"]
    assert all(query.text[lang].endswith(".") for lang in ("fa", "en"))


@pytest.mark.parametrize("query", load_queries().values(), ids=lambda q: q.name)
def test_every_column_of_an_answer_is_told(query: Query, site_instance: Instance) -> None:
    """By the dictionary of published columns or, where it is the query's own, in the head of its file; nothing else is."""
    published = {column.name for table in load_dictionary().tables.values() for column in table.columns}
    with open_released(site_instance.datasets) as released:
        answered = set(released.ask(query.name, **VALUES)[0])
    assert answered - published <= set(query.columns) <= answered
    assert all(re.search("[ا-ی]", told["fa"]) and told["en"] for told in query.columns.values())


@pytest.mark.parametrize("query", load_queries().values(), ids=lambda q: q.name)
def test_no_rate_leaves_out_what_is_not_shown(query: Query) -> None:
    """A query never drops the rows that do not show a ladder column; only the wrong examples do."""
    is_example = re.fullmatch(r"reading_[24]_wrong", query.name) is not None
    assert refuses(query.sql) == is_example


def test_lint_sees_a_planted_rate() -> None:
    """The lint is not blind."""
    assert refuses("select avg(x) from case_group\nwhere body_id = :b and outcome_code is not null")
    assert not refuses("select sum(case when outcome_code is null then 1 end) from case_group where body_id = :b")


def test_address_quotes_its_parameters() -> None:
    """A body whose id needs quoting gets a working link."""
    query = load_queries()["on_time"]
    address = query.address(VALUES | {"body": "a b&c"})
    assert address.startswith("/data/portal/on_time?")
    assert "body=a+b%26c" in address
    assert "service" not in address


def test_query_without_titles_is_an_error() -> None:
    """A file without its head is refused, not shown without a name."""
    with pytest.raises(SettingsError, match="nameless"):
        read_query("nameless", "select 1")
    with pytest.raises(SettingsError, match="its topic"):
        read_query("nameless", "-- fa: الف\n-- en: A\n-- topic: weather\nselect 1")


def test_intervals_agree_with_a_plain_recount(site_instance: Instance) -> None:
    """at_least, not_shown and total are what counting the rows one by one gives."""
    with open_released(site_instance.datasets) as released:
        groups = released.rows(
            "select * from case_group where body_id = 'mosharekat' and case_type_code = 'foi' and release_id >= '1404-07'"
        )
        margin = released.rows(
            "select * from margin where body_id = 'mosharekat' and case_type_code = 'foi' and release_id = '1405-06'"
        )[0]
        answer = released.ask("on_time", **VALUES)[0]
    known = sum(g["case_count"] for g in groups if g["lateness_code"] == "on_time")
    hidden = sum(g["case_count"] for g in groups if g["lateness_code"] is None) + margin["awaiting_count"]
    total = sum(g["case_count"] for g in groups) + margin["awaiting_count"] + margin["open_count"]
    assert answer == {"at_least": known, "not_shown": hidden, "at_most": known + hidden, "total": total}


def test_coarse_outcome_holds_the_finer_ones_of_it(mixed: Path) -> None:
    """Whatever is granted in full is positive for certain, and what is shown as positive only may be granted in full."""
    with open_released(mixed) as released:
        rows = {row["outcome_code"]: row for row in released.ask("outcomes", **VALUES)}
        groups = released.rows(
            "select * from case_group where body_id = 'mosharekat' and case_type_code = 'foi' and release_id >= '1404-07'"
        )
        awaiting = 7  # of every month of the maker
    known = dict.fromkeys(("positive", "granted_full", None), 0)
    for group in groups:
        known[group["outcome_code"]] = known.get(group["outcome_code"], 0) + group["case_count"]
    assert min(known.values()) > 0
    positive, full = rows["positive"], rows["granted_full"]
    assert positive["at_least"] == known["positive"] + known["granted_full"]
    assert positive["at_most"] == positive["at_least"] + known[None] + awaiting
    assert full["at_least"] == known["granted_full"]
    assert full["at_most"] == full["at_least"] + known["positive"] + known[None] + awaiting
    assert full["parent_code"] == "positive"


def test_bodies_side_by_side_are_each_body_by_itself(site_instance: Instance) -> None:
    """The row of a body is the answer of on_time for it, and no body with cases is left out."""
    with open_released(site_instance.datasets) as released:
        beside = {row.pop("body_id"): row for row in map(dict, released.ask("on_time_of_bodies", **VALUES))}
        bodies = [row["body_id"] for row in released.rows("select body_id from body")]
        alone = {body: dict(released.ask("on_time", **VALUES | {"body": body})[0]) for body in bodies}
    assert beside == {body: row for body, row in alone.items() if row["total"]}
    assert beside


def test_refusals_are_those_of_the_statutory_table(site_instance: Instance) -> None:
    """Year by year, out of all outcomes of the body."""
    with open_released(site_instance.datasets) as released:
        rows = released.rows("select * from statutory where dimension_code = 'outcome'")
        told = released.ask("refused_each_year", **VALUES)
    assert sum(row["total"] for row in told) == sum(row["case_count"] for row in rows)
    for column, code in (("refused_exempt_count", "refused_exempt"), ("rejected_unclear_count", "rejected_unclear")):
        assert sum(row[column] for row in told) == sum(row["case_count"] for row in rows if row["value_code"] == code)


def test_late_answers_are_those_of_the_statutory_table(site_instance: Instance) -> None:
    """On either clock, out of all outcomes of the body; the articles are those that were cited, each by itself."""
    with open_released(site_instance.datasets) as released:
        late = [dict(row) for row in released.ask("late_each_year", **VALUES)]
        cited = {row["value_code"]: row["case_count"] for row in released.ask("exemptions_each_year", **VALUES)}
    named = {"year_code": "1404", "body_id": "mosharekat", "case_type_code": "foi"}
    assert late == [named | {"late_bylaw_count": 41, "late_law_count": 53, "total": 731}]
    assert cited == {"ir_13": 20, "ir_14": 14}


def test_days_that_nobody_recorded_stand_last(site_instance: Instance) -> None:
    """The bands of days stand by length, and what is no length after them."""
    with open_released(site_instance.datasets) as released:
        codes = list(dict.fromkeys(row["age_band_code"] for row in released.ask("open_by_age", **VALUES)))
    bands = [code for code in codes if code != "not_recorded"]
    assert codes == [*sorted(bands), "not_recorded"]


def test_services_side_by_side_are_each_service_by_itself(site_instance: Instance) -> None:
    """The row of a service is the answer of service_on_time for it, and no service that is shown is left out."""
    with open_released(site_instance.datasets) as released:
        beside = {row.pop("service_id"): row for row in map(dict, released.ask("services_on_time", **VALUES))}
        shown = [
            row["service_id"] for row in released.ask("services_of_body", **VALUES) if row["service_level"] == "leaf"
        ]
        alone = {each: dict(released.ask("service_on_time", **VALUES | {"service": each})[0]) for each in shown}
    assert beside == alone
    assert beside


@pytest.mark.parametrize("query", ["service_on_time", "services_on_time", "service_cohort"])
def test_a_case_of_any_family_above_may_be_of_the_service(tmp_path: Path, query: str) -> None:
    """In a tree of three levels, too: a row that shows the root alone may hold cases of a service two levels below it."""
    datasets = tmp_path / "datasets"
    make_released(datasets)

    def possible() -> int:
        with open_released(datasets) as released:
            rows = [dict(row) for row in released.ask(query, **VALUES)]
        [row] = [row for row in rows if row.get("service_id", "shop") == "shop"]
        return int(row["possible"])

    before = possible()
    with sqlite3.connect(datasets / "portal-1405-06.db") as connection:
        connection.row_factory = sqlite3.Row
        between = dict(connection.execute("select * from service where service_id = 'shop'").fetchone())
        between["service_id"] = "trade"
        connection.execute(
            f"insert into service ({', '.join(between)}) values ({', '.join('?' * len(between))})", [*between.values()]
        )
        connection.execute("update service set parent_id = 'trade' where service_id = 'shop'")
        for table in ("case_group", "cohort_group"):
            connection.execute(f"update {table} set service_id = 'permits' where service_id is null")
    assert possible() == before > 0


def test_service_share_holds_for_every_way_to_fill_what_is_hidden(site_instance: Instance) -> None:
    """However many hidden cases belong to the service, its share in time lies inside the interval."""
    with open_released(site_instance.datasets) as released:
        row = released.ask("service_on_time", **VALUES)[0]
    late_hidden = row["possible"] - row["possible_on_time"] - row["possible_unclear"]
    for on in (0, row["possible_on_time"]):
        for late in (0, late_hidden):
            for unclear, as_on in ((0, 0), (row["possible_unclear"], 0), (row["possible_unclear"],) * 2):
                for own in (0, row["unclear"]):
                    share = (row["on_time"] + own + on + as_on) / (row["shown"] + on + late + unclear)
                    assert row["low_share"] - 1e-9 <= share <= row["high_share"] + 1e-9


def test_queries_have_no_side_effect(site_instance: Instance) -> None:
    """Reading leaves the database as it was."""
    path: Path = site_instance.datasets / "portal-1405-06.db"
    before = path.read_bytes()
    with open_released(site_instance.datasets) as released:
        for name in load_queries():
            released.ask(name, **VALUES)
    assert path.read_bytes() == before
