"""The released database as the site reads it: facts, labels and query results; opened read-only, nothing else is touched.

Reads `datasets/current.json` and the database it names. Labels are data: bodies, units, services and codes bring their
Persian and English titles; where the source's own name stands in for a title, its language comes with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from etl.errors import ReleaseError
from portal.catalogue import load_queries

Row = Mapping[str, Any]
_LABELS = {
    "body": "select body_id as id, title_fa, title_en, title_source, lang from body",
    "unit": "select unit_id as id, title_fa, title_en, null as title_source, null as lang from unit",
    "service": "select service_id as id, title_fa, title_en, null as title_source, null as lang from service",
}
_CODES = "select list_code, code, title_fa, title_en, title_source, lang from code order by list_code, position"


@dataclass(frozen=True)
class Label:
    """A title in one language; `lang` is set where the source's name stands in for it (shown with dir=auto)."""

    text: str
    lang: str | None = None


@dataclass(frozen=True)
class Release:
    """A release: its id (the month), number and the civil date up to which data were read."""

    release_id: str
    number: int
    as_of_on: date


@dataclass(frozen=True)
class Figure:
    """A number with the address of the query that makes it, and its basis (exact or interval)."""

    value: int | float | None
    address: str
    basis: str = "exact"


class Released:
    """A released database, open for reading."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        file_name: str = "",
        byte_count: int = 0,
        seals: frozenset[str] = frozenset(),
    ) -> None:
        """Keep the connection; rows come as mappings. The file's name and size are for who downloads it.

        seals: releases beside which the salted hash of their staging stands (releases older than that have none).
        """
        self.file_name = file_name
        self.byte_count = byte_count
        self._seals = seals
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._queries = load_queries()

    def ask(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        """Run a shipped query and give its rows; KeyError where there is no such query."""
        query = self._queries[name]
        named = {key: parameters[key] for key in query.parameters}
        return [dict(row) for row in self._connection.execute(query.sql, named)]

    def address(self, name: str, **parameters: object) -> str:
        """Give the address at which a reader sees a query and its answer."""
        return self._queries[name].address(parameters)

    def seal(self, release_id: str) -> str | None:
        """Give the address of the salted hash of what a release was made from; None where it has none."""
        return f"/datasets/attested/{release_id}.json" if release_id in self._seals else None

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run SQL that makes no published figure (labels, lists)."""
        return [dict(row) for row in self._connection.execute(sql)]

    @cached_property
    def meta(self) -> Mapping[str, str]:
        """The keys and values of table `meta`."""
        return {row["key"]: row["value"] for row in self.rows("select key, value from meta")}

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """Every release, the oldest first."""
        rows = self.rows("select release_id, release_number, as_of_on from release order by release_number")
        return tuple(
            Release(row["release_id"], row["release_number"], date.fromisoformat(row["as_of_on"])) for row in rows
        )

    @property
    def newest(self) -> Release:
        """The newest release."""
        return self.releases[-1]

    def since(self, release_id: str, *, months: int) -> str:
        """Give the release that begins a window of so many releases ending with `release_id` (or the first one)."""
        ids = [release.release_id for release in self.releases]
        return ids[max(0, ids.index(release_id) - months + 1)]

    def label(self, kind: str, code: str | None, *, lang: str) -> Label:
        """Give the title of a body, unit, service or code (`kind` is the list of the code); the code where unknown."""
        if code is None:
            return Label("")
        titles = self._labels.get((kind, code))
        return titles[lang] if titles else Label(code)

    def activity(self, code: str, *, lang: str) -> Label:
        """Give the title of a step: an activity of the source or a milestone."""
        kind = "activity" if ("activity", code) in self._labels else "milestone"
        return self.label(kind, code, lang=lang)

    @cached_property
    def _labels(self) -> Mapping[tuple[str, str], Mapping[str, Label]]:
        titles = {(kind, row["id"]): _titles(row) for kind, sql in _LABELS.items() for row in self.rows(sql)}
        return titles | {(row["list_code"], row["code"]): _titles(row) for row in self.rows(_CODES)}


def _titles(row: Row) -> Mapping[str, Label]:
    labels = {}
    for lang in ("fa", "en"):
        text = row[f"title_{lang}"] or row["title_source"] or ""
        is_source = bool(row["lang"]) and text == row["title_source"]
        labels[lang] = Label(text, row["lang"] if is_source else None)
    return labels


@contextmanager
def open_released(datasets: Path) -> Iterator[Released]:
    """Open the database that `current.json` names, read-only; ReleaseError where nothing is released yet."""
    path = current_database(datasets)
    connection = sqlite3.connect(f"file:{path.as_posix()}?mode=ro&immutable=1", uri=True)
    try:
        seals = frozenset(each.stem for each in (datasets / "attested").glob("*.json"))
        yield Released(connection, file_name=path.name, byte_count=path.stat().st_size, seals=seals)
    finally:
        connection.close()


def current_database(datasets: Path) -> Path:
    """Give the path of the database in place; ReleaseError where there is none."""
    try:
        current = json.loads((datasets / "current.json").read_text(encoding="utf-8"))
        path = datasets / str(current["database"])
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        path = None
    if path is None or not path.is_file():
        raise ReleaseError(
            "no-database",
            found="no released database in datasets/",
            expected="datasets/current.json and the database that it names",
            todo="Run `shafaf run` first.",
        )
    return path
