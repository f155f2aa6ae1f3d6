"""The mapping is data: what it may say, and how it is told when it says something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etl.errors import SettingsError, SourceError
from etl.extract import extract
from etl.instance import Instance

Make = Callable[..., Instance]


@pytest.mark.parametrize(
    ("old", "new", "slug", "word"),
    [
        ('shape = "case_row"', 'shap = "case_row"', "source-unknown-key", "shape"),
        ("channel_code = {", "chanel_code = {", "source-unknown-key", "channel_code"),
        ('map = "channel"', 'map = "chanel"', "source-map", "channel"),
        ('shape = "case_row"', 'shape = "rows"', "source-value", "case_row"),
        ('snapshot_on = "2026-03-20"', "", "source-snapshot", "snapshot_query"),
        ('body_id = { column = "org", map = "org" }', "", "source-needs", "body_id"),
        ('score = "score"', 'score = { column = "score", constant = "4" }', "source-column", "one of"),
        ('constant = "permit"', 'constant = "permitt"', "source-unknown-code", "permit"),
        ('"وب" = "web"', '"وب" = "wep"', "source-unknown-code", "web"),
        ('milestone = "closed"', 'milestone = "ended"', "source-unknown-code", "milestone"),
        ('missing = ["-"]', 'zone = "Asia/Teheran"', "source-zone", "IANA"),
        ('kind = "table"', "kind = table", "source-syntax", "TOML"),
    ],
)
def test_a_wrong_mapping_is_an_error_that_names_the_key_and_the_nearest_known(
    make_instance: Make, old: str, new: str, slug: str, word: str
) -> None:
    """Each mistake in source.toml stops the run with exit 22 and a word that helps."""
    with pytest.raises(SettingsError) as caught:
        extract(make_instance(edits=[(old, new)]))
    assert caught.value.slug == slug
    assert word in str(caught.value)


@pytest.mark.parametrize(
    "secrecy",
    ["", 'constant = "normal"', 'column = "class"', 'column = "class"\nmap = { "محرمانه" = "other" }'],
)
def test_secrecy_must_be_stated(make_instance: Make, secrecy: str) -> None:
    """A mapping that does not say how the secrecy class is known, or says normal without why, does not run."""
    stated = 'column = "class"\nmap = { "عادی" = "normal" }\n'
    with pytest.raises(SettingsError):
        extract(make_instance(edits=[(stated, secrecy + "\n")]))


def test_a_mapping_without_secrecy_does_not_run(make_instance: Make) -> None:
    """The table [secrecy] is mandatory."""
    with pytest.raises(SettingsError):
        extract(make_instance(edits=[('[secrecy]\ncolumn = "class"\nmap = { "عادی" = "normal" }\n', "")]))


def test_a_vanished_column_stops_the_run_naming_the_nearest(make_instance: Make) -> None:
    """A column gone from the source is drift: exit 21 and the nearest name of the source."""
    instance = make_instance("r-1", header="id,klass")
    with pytest.raises(SourceError) as caught:
        extract(instance)
    assert (caught.value.slug, caught.value.exit_code) == ("source-column-gone", 21)


def test_an_absent_file_stops_the_run(make_instance: Make) -> None:
    """A source that is not where its mapping says is an error of the source."""
    instance = make_instance()
    (instance.root / "rows.csv").unlink()
    with pytest.raises(SourceError) as caught:
        extract(instance)
    assert caught.value.slug == "source-absent"


def test_an_unknown_source_is_named_with_the_nearest(make_instance: Make) -> None:
    """`only` takes names of sources."""
    with pytest.raises(SettingsError, match="Nearest: desk"):
        extract(make_instance(), only=["dest"])


def test_a_folder_without_sources_says_so(make_instance: Make) -> None:
    """An instance needs at least one mapping."""
    instance = make_instance()
    (instance.sources / "desk" / "source.toml").unlink()
    with pytest.raises(SettingsError) as caught:
        extract(instance)
    assert caught.value.slug == "no-sources"
