"""The shipped dictionary and codes: complete in two languages, of one grammar."""

from __future__ import annotations

import re
from pathlib import Path

from etl.metadata import code_rows, duration_bands, load_dictionary, load_settings
from etl.metadata.levels import DEFAULT_LEVELS


def test_every_table_and_column_is_named_in_both_languages() -> None:
    """Persian labels are in Persian script, English ones are not, and no text is empty."""
    persian = re.compile("[\u0600-\u06ff]")
    for table in load_dictionary().tables.values():
        for words in (
            table.title,
            table.text,
            *(c.title for c in table.columns),
            *(c.caveat for c in table.columns if c.caveat),
        ):
            assert set(words) == {"fa", "en"}, (table.name, words)  # a comma without quotes makes a key of its own
            assert all(text.strip() for text in words.values()), table.name
            assert not persian.search(words["en"]), (table.name, words)
        assert table.key in table.names
        assert set(table.index) <= set(table.names)


def test_columns_keep_the_suffix_grammar() -> None:
    """A column's suffix says its kind: _on is a date, _count an integer, is_ a boolean."""
    kinds = {"_on": "date", "_count": "integer", "_days": "integer", "_code": "text", "_number": "integer"}
    for table in load_dictionary().tables.values():
        for column in table.columns:
            for suffix, kind in kinds.items():
                if column.name.endswith(suffix):
                    assert column.kind == kind, (table.name, column.name)
            assert column.name.startswith(("is_", "has_")) == (column.kind == "boolean"), (table.name, column.name)


def test_references_lead_to_tables() -> None:
    """Each foreign key names a table of the dictionary."""
    tables = load_dictionary().tables
    for table in tables.values():
        assert {c.references for c in table.columns if c.references} <= set(tables)


def test_codes_are_ascii_and_parents_exist() -> None:
    """Codes can be typed anywhere; a coarser code stands in the same list."""
    rows = code_rows(load_settings(Path(__file__).parents[2]).policy)
    known = {(row.list_code, row.code) for row in rows}
    assert len(known) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[a-z0-9_]+", row.code), row
        assert row.parent_code is None or (row.list_code, row.parent_code) in known
        assert row.title_fa
        assert row.title_en


def test_every_level_has_a_label() -> None:
    """A ladder may show any column at any of its levels: the gate lets no level through that has no words."""
    known = {row.code for row in code_rows(load_settings(Path(__file__).parents[2]).policy) if row.list_code == "level"}
    assert {level for levels in DEFAULT_LEVELS.values() for level in levels} <= known


def test_bands_nest_on_the_legal_limit() -> None:
    """A day on an edge belongs to the band below it, so that `up to the limit` is a union of bands."""
    assert list(duration_bands((0, 2, 10, 60))) == ["00_02", "03_10", "11_60", "61_up"]


def test_persian_titles_of_bands_have_persian_digits() -> None:
    """Beside the bands of counts, which have them, and in tables, where no page turns them."""
    titles = [fa for fa, _ in duration_bands((0, 2, 5, 10)).values()]
    assert titles == ["۰ تا ۲", "۳ تا ۵", "۶ تا ۱۰", "بیش از ۱۰"]
