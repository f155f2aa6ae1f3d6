"""What the tests of loading share: an engine and a sample instance, each fresh."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.instance import Instance
from etl.load import build_database, write_releases
from tests.load.builder import AS_OF, Office, make_instance


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """An instance with two bodies and nothing released."""
    return make_instance(tmp_path / "instance")


@pytest.fixture
def release(instance: Instance, backend: Any) -> Callable[[Office], Any]:
    """Write the releases of an office into the instance."""
    return lambda office: write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)


@pytest.fixture
def database(instance: Instance, release: Callable[[Office], Any]) -> Iterator[Callable[[Office], sqlite3.Connection]]:
    """Release an office, build the database and open it."""
    opened: list[sqlite3.Connection] = []

    def open_database(office: Office) -> sqlite3.Connection:
        release(office)
        connection = sqlite3.connect(build_database(instance))
        connection.row_factory = sqlite3.Row
        opened.append(connection)
        return connection

    yield open_database
    for connection in opened:
        connection.close()
