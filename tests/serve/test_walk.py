"""A database as `etl.load` builds it, walked page by page: no sort of any table loses or repeats a row."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from etl.load import view_sources
from etl.metadata import load_dictionary

from .conftest import Client

TABLES = sorted(load_dictionary().tables)
PAGE = 25


@pytest.fixture(scope="module")
def tables(loaded) -> Client:
    """Give the client of the instance whose database `etl.load` built."""
    return loaded.client


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
def test_every_sort_of_a_table_walks_every_row_once(tables, table):
    """In key order and by each column that a page offers, up and down."""
    path = f"/data/portal/{table}.json?_size={PAGE}"
    key = load_dictionary().tables[table].key
    keys = sorted(str(row[key]) for row in walk(tables, path))
    assert len(keys) == len(set(keys)) == tables.get(path).json()["filtered_table_rows_count"]
    for column in load_dictionary().tables[table].names:
        for order in ("_sort", "_sort_desc"):
            sorted_path = f"{path}&{order}={column}"
            if tables.get(sorted_path).status_code == 200:
                assert sorted(str(row[key]) for row in walk(tables, sorted_path)) == keys, (column, order)


def test_most_columns_of_the_groups_can_be_sorted(tables):
    """All but those with an index, which the paging would lose rows by."""
    spec = load_dictionary().tables["case_group"]
    answers = {
        name: tables.get(f"/data/portal/case_group.json?_sort={name}&_size=1").status_code for name in spec.names
    }
    assert {name for name, status in answers.items() if status == 400} == set(spec.index)


@pytest.mark.parametrize("view", sorted(view_sources()))
def test_every_view_is_walked_to_its_end(tables, view):
    """As many rows as it counts, each page inside the time limit."""
    path = f"/data/portal/{view}.json?_size=100"
    assert len(walk(tables, path)) == tables.get(path).json()["filtered_table_rows_count"]


@pytest.mark.parametrize("table", TABLES)
def test_every_page_explains_its_columns_in_both_languages(tables, table):
    """The words of the dictionary stand beside the rows."""
    spec = load_dictionary().tables[table]
    page = tables.get(f"/data/portal/{table}").text
    assert spec.title["fa"] in page
    assert spec.columns[-1].title["fa"] in page


def test_a_table_found_by_a_label_leads_to_its_row(tables):
    """A body's id in a group is a link to the body, under the same prefix."""
    page = tables.get("/data/portal/case_group?_size=1").text
    assert 'href="/data/portal/body/alef"' in page
    assert tables.get("/data/portal/body/alef").status_code == 200
