"""A Spark session beside a DuckDB; with REQUIRE_SPARK=1 their absence fails, else the tests are skipped with a word."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from etl.engine import open_engine
from tests.fixtures.tiny_office import tiny_policy


@dataclass(frozen=True)
class Pair:
    """The same policy's two engines."""

    duckdb: Any
    spark: Any


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both engines, opened by the settings that choose them, each with a folder of its own."""
    missing = [
        word
        for word, there in (
            ("the packages of requirements-spark.txt", importlib.util.find_spec("pyspark")),
            ("Java", shutil.which("java")),
        )
        if not there
    ]
    if missing and not os.environ.get("REQUIRE_SPARK"):
        pytest.skip(f"Spark was NOT tested: {' and '.join(missing)} not found (`make engines`)")
    assert not missing
    with ExitStack() as opened:
        policies = [replace(tiny_policy(), engine=name, memory_limit="1000MB") for name in ("duckdb", "spark")]
        yield Pair(
            *(opened.enter_context(open_engine(policy, tmp_path_factory.mktemp(policy.engine))) for policy in policies)
        )
