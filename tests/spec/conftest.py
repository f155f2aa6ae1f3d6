"""One engine for all specs, DuckDB unless SPEC_ENGINE names another (`make engines`), and the tiny office's two runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.anonymise import History, anonymise
from etl.engine import open_engine
from etl.model.published import Published
from tests.fixtures.tiny_office import tiny_calendar, tiny_due, tiny_policy, tiny_staging
from tests.reference.runs import next_history


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An empty engine that spills to a folder of the tests."""
    folder: Path = tmp_path_factory.mktemp("engine")
    policy = replace(tiny_policy(), engine=os.environ.get("SPEC_ENGINE", "duckdb"), memory_limit="1000MB")
    with open_engine(policy, folder) as engine:
        yield engine


@pytest.fixture(scope="session")
def tiny_runs(backend: Any) -> tuple[Published, Published]:
    """Both runs of the tiny office: 1403-10 to 1403-12, then 1404-01 with the memory of the first."""
    policy, calendar = tiny_policy(), tiny_calendar(backend)
    history = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    first = anonymise(tiny_staging(backend, batch=1), calendar=calendar, policy=policy, history=history)
    later = next_history(backend, history, first, due=tiny_due(2))
    second = anonymise(tiny_staging(backend, batch=2), calendar=calendar, policy=policy, history=later)
    return first, second
