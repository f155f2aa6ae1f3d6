"""A database as `etl.load` builds it, walked page by page: no sort of any table loses or repeats a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from etl.engine import open_duckdb
from etl.instance import Instance
from etl.load import build_database, view_sources, write_releases
from etl.metadata import load_dictionary
from portal.serving import make_app
from tests.load.builder import AS_OF, Office, group, make_instance

from .conftest import Client, speak_to

TABLES = sorted(load_dictionary().tables)
MONTHS = ("1403-01", "1403-02", "1403-03")
OUTCOMES = ("granted_full", "refused_exempt", None)
PAGE = 25


def make_office() -> Office:
    """Make some two hundred groups with many equal values and empty cells."""
    groups = [
        group(
            month,
            10 + number % 3,
            outcome_code=OUTCOMES[number % 3],
            lateness_code=("on_time", "late", None)[number // 3 % 3],
            duration_band_code=("00_02", "03_05")[number % 2],
            channel_code=("web", "desk", "post", "phone")[number // 9 % 4],
            service_id=("build", "shop")[number // 36],
            service_level="leaf",
        )
        for month in MONTHS
        for number in range(60)
    ]
    return Office(MONTHS, groups)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Serve the tables of an instance whose database `etl.load` built."""
    root = tmp_path_factory.mktemp("loaded")
    instance: Instance = make_instance(root / "instance")
    backend = open_duckdb(root / "spill", threads=1)
    office = make_office()
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    backend.disconnect()
    build_database(instance)
    with speak_to(make_app(instance, demo=False)) as client:
        yield client


def walk(client: Client, path: str) -> list[dict[str, Any]]:
    """Follow a JSON table from page to page and give its rows."""
    rows = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text[:200])
        rows += answer.json()["rows"]
        following = urlsplit(answer.json()["next_url"] or "")
        assert following.path in ("", path.partition("?")[0])
        path = f"{following.path}?{following.query}" if following.path else ""
    return rows


@pytest.mark.parametrize("table", TABLES)
def test_every_sort_of_a_table_walks_every_row_once(loaded, table):
    """In key order and by each column that a page offers, up and down."""
    path = f"/data/portal/{table}.json?_size={PAGE}"
    key = load_dictionary().tables[table].key
    keys = sorted(str(row[key]) for row in walk(loaded, path))
    assert len(keys) == len(set(keys)) == loaded.get(path).json()["filtered_table_rows_count"]
    for column in load_dictionary().tables[table].names:
        for order in ("_sort", "_sort_desc"):
            sorted_path = f"{path}&{order}={column}"
            if loaded.get(sorted_path).status_code == 200:
                assert sorted(str(row[key]) for row in walk(loaded, sorted_path)) == keys, (column, order)


def test_most_columns_of_the_groups_can_be_sorted(loaded):
    """All but those with an index, which the paging would lose rows by."""
    spec = load_dictionary().tables["case_group"]
    answers = {
        name: loaded.get(f"/data/portal/case_group.json?_sort={name}&_size=1").status_code for name in spec.names
    }
    assert {name for name, status in answers.items() if status == 400} == set(spec.index)


@pytest.mark.parametrize("view", sorted(view_sources()))
def test_every_view_is_walked_to_its_end(loaded, view):
    """As many rows as it counts, each page inside the time limit."""
    path = f"/data/portal/{view}.json?_size=100"
    assert len(walk(loaded, path)) == loaded.get(path).json()["filtered_table_rows_count"]


@pytest.mark.parametrize("table", TABLES)
def test_every_page_explains_its_columns_in_both_languages(loaded, table):
    """The words of the dictionary stand beside the rows."""
    spec = load_dictionary().tables[table]
    page = loaded.get(f"/data/portal/{table}").text
    assert spec.title["fa"] in page
    assert spec.columns[-1].title["fa"] in page


def test_a_table_found_by_a_label_leads_to_its_row(loaded):
    """A body's id in a group is a link to the body, under the same prefix."""
    page = loaded.get("/data/portal/case_group?_size=1").text
    assert 'href="/data/portal/body/alef"' in page
    assert loaded.get("/data/portal/body/alef").status_code == 200
