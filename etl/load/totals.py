"""Installing the views of `etl/load/views/` and the table `total` behind some of them (CONTRACT "Intervals").

`total` is filled by `views/total.sql` from whole groups only, so it can be rebuilt at any time from the release files;
it exists because the intervals of a national portal take seconds to compute and a page has milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from sqlite_utils import Database

from etl.model.codes import NOT_RECORDED

CODE_COLUMNS = ("outcome", "lateness", "channel")
TREE_COLUMNS = ("service", "unit")
TOTALS = "total.sql"


def view_sources() -> dict[str, str]:
    """Give the SQL text of every published view by its name, in the order of names."""
    folder = files("etl.load").joinpath("views")
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith("_v1.sql"))
    return {name.removesuffix(".sql"): folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def fill_totals(database: Database) -> None:
    """Fill table `total` from the loaded groups, margins and code lists."""
    connection = database.conn
    connection.executescript(
        "create temp table value_list (column_code text, body_id text, position integer, value_code text);"
        "create temp table ancestry (column_code text, ancestor_code text, value_code text);"
    )
    for name in CODE_COLUMNS:
        connection.execute(
            "insert into value_list select list_code, null, position, code from code where list_code = ?", [name]
        )
        parents = connection.execute("select code, parent_code from code where list_code = ?", [name])
        _insert_ancestry(database, name, dict(parents.fetchall()))
    for name in TREE_COLUMNS:
        body = "null" if name == "service" else "body_id"
        connection.execute(
            f"insert into value_list select '{name}', {body}, {name}_id = '{NOT_RECORDED}', {name}_id from {name}"
        )
        parents = connection.execute(f"select {name}_id, parent_id from {name}")
        _insert_ancestry(database, name, dict(parents.fetchall()))
    connection.executescript(files("etl.load").joinpath("views", TOTALS).read_text(encoding="utf-8"))


def create_views(database: Database) -> None:
    """Create the published views."""
    for text in view_sources().values():
        database.conn.execute(text)


def ancestry(parents: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """List (coarser value, value) for every value and each of its ancestors, itself included.

    >>> ancestry({"granted_full": "positive", "positive": None})
    [('granted_full', 'granted_full'), ('positive', 'granted_full'), ('positive', 'positive')]
    """
    pairs = []
    for value in parents:
        seen: list[str] = []
        step: str | None = value
        while step is not None and step not in seen:
            seen.append(step)
            pairs.append((step, value))
            step = parents.get(step)
    return pairs


def _insert_ancestry(database: Database, name: str, parents: Mapping[str, str | None]) -> None:
    rows = [(name, ancestor, value) for ancestor, value in ancestry(parents)]
    database.conn.executemany("insert into ancestry values (?, ?, ?)", rows)
