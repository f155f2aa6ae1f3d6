"""Synthetic offices for the tests of this folder, made once each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from persiantools.jdatetime import JalaliDate

from etl.demo import advance_office, make_office
from etl.model.text import latin_digits


def jalali_day(text: str | None) -> int | None:
    """Read a Jalali date in any of the office's three spellings as an ordinal; None for an impossible one."""
    if text is None:
        return None
    year, month, day = (int(part) for part in latin_digits(text).split("/"))
    try:
        return JalaliDate(year, month, day).to_gregorian().toordinal()
    except ValueError:
        return None


def jalali_month(text: str) -> str:
    """Give the month code of a Jalali date text."""
    year, month, _ = latin_digits(text).split("/")
    return f"{int(year):04}-{int(month):02}"


@dataclass(frozen=True)
class OfficeFolder:
    """A folder with an office; `ask` runs SQL on one of its databases (functions `day`, `month` read Jalali texts)."""

    folder: Path

    def ask(self, database: str, query: str) -> list[tuple[object, ...]]:
        """Run a query on `desk` or `automation`; the other one is attached as `other`."""
        other = "automation" if database == "desk" else "desk"
        with closing(sqlite3.connect(self.folder / f"{database}.db")) as connection:
            connection.create_function("day", 1, jalali_day, deterministic=True)
            connection.create_function("month", 1, jalali_month, deterministic=True)
            connection.execute("attach ? as other", (str(self.folder / f"{other}.db"),))
            return connection.execute(query).fetchall()

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Give every row of both databases but `meta`, by table."""
        found = {}
        for database in ("desk", "automation"):
            for (table,) in self.ask(
                database, "select name from sqlite_schema where type = 'table' and name <> 'meta'"
            ):
                found[f"{database}.{table}"] = self.ask(database, f"select * from {table}")
        return found


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> OfficeFolder:
    """An office of 24 months and about 15,000 cases: large enough for its story."""
    folder = tmp_path_factory.mktemp("office")
    make_office(folder, cases=15_000)
    return OfficeFolder(folder)


@pytest.fixture(scope="session")
def two_ages(tmp_path_factory: pytest.TempPathFactory) -> tuple[OfficeFolder, OfficeFolder]:
    """The same office of six months as it stands, and a month later."""
    now, later = tmp_path_factory.mktemp("now"), tmp_path_factory.mktemp("later")
    for folder in (now, later):
        make_office(folder, until="1404-08", months=6, cases=3_000)
    advance_office(later)
    return OfficeFolder(now), OfficeFolder(later)


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., OfficeFolder]:
    """Make small offices, each in a folder of its own."""

    def make(name: str, **how: object) -> OfficeFolder:
        make_office(tmp_path / name, **how)  # type: ignore[arg-type]
        return OfficeFolder(tmp_path / name)

    return make
