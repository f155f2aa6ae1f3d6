"""The dictionary describes every published column once, in both languages."""

from __future__ import annotations

import re

import pytest

from etl.load.labels import code_list
from etl.load.totals import view_sources
from etl.metadata import Policy, TableSpec, load_dictionary

TABLES = list(load_dictionary().tables.values())
PERSIAN = re.compile(r"[\u0600-\u06ff]")
SUFFIXES = ("_id", "_code", "_on", "_days", "_count", "_level", "_number", "_fa", "_en", "_source", "_sha256")
PLAIN = {
    *("k", "schema_version", "code", "position", "lang", "name", "sha256", "key", "value", "text_folded"),
    *("calendar_year", "calendar_month", "calendar_day", "holiday_name", "at_least", "at_most", "not_shown", "total"),
}


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_every_column_has_labels_in_both_languages(spec: TableSpec) -> None:
    """A Persian label has Persian letters (or is a name like SHA-256), an English one has none."""
    for column in spec.columns:
        assert PERSIAN.search(column.title["fa"]), column.name
        assert not PERSIAN.search(column.title["en"]), column.name
        if column.caveat:
            assert PERSIAN.search(column.caveat["fa"])
            assert not PERSIAN.search(column.caveat["en"])
    assert PERSIAN.search(spec.title["fa"])
    assert PERSIAN.search(spec.text["fa"])


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_names_follow_the_grammar_of_suffixes(spec: TableSpec) -> None:
    """A column ends in a known suffix, is a flag, or is one of a few plain names."""
    for name in spec.names:
        assert name.endswith(SUFFIXES) or name.startswith(("is_", "has_")) or name in PLAIN, name


def test_every_code_list_of_a_column_exists() -> None:
    """The list that a column names holds codes; references name tables."""
    lists = {row.list_code for row in code_list(Policy(), ())}
    for spec in TABLES:
        for column in spec.columns:
            assert column.codes is None or column.codes in lists, column.name
            assert column.references is None or column.references in load_dictionary().tables


def test_every_code_column_names_its_list_or_is_open() -> None:
    """Only periods, ids of the source's world and generic columns may hold codes without a list."""
    open_columns = {
        *("month_code", "period_code", "late_for_code", "year_code", "season_code"),
        *("value_code", "province_code", "applicant_province_code", "list_code", "parent_code", "reason_code"),
        *("kind_code", "scope_code", "column_code"),
    }
    for spec in TABLES:
        for column in spec.columns:
            if column.name.endswith("_code") and column.codes is None:
                assert column.name in open_columns, f"{spec.name}.{column.name}"


def test_every_view_says_what_it_is() -> None:
    """A view begins with a comment and creates what its file is named after."""
    for name, text in view_sources().items():
        assert text.startswith("-- ")
        assert f"create view {name} as" in text
