"""A process loads the stages that it goes through, and not what only the others need."""

from __future__ import annotations

import subprocess
import sys

import pytest

OF_OTHERS = [
    (
        "etl.cli.stages; from etl.extract import extract; from etl.load import heal",
        {"ibis", "sqlglot", "pandas", "sqlite_utils", "highspy", "jinja2", "datasette"},
    ),
    (
        "etl.cli.stages; from etl.extract import open_staging; from etl.load import write_releases;"
        " from etl.audit import Gate; from etl.anonymise import anonymise; from etl.engine import open_duckdb",
        {"sqlalchemy", "pandas", "sqlite_utils", "jinja2", "datasette"},
    ),
    ("etl.extract.reader", {"ibis", "sqlglot", "pandas", "sqlite_utils", "highspy", "jinja2", "click"}),
]


@pytest.mark.parametrize(("loaded", "unwanted"), OF_OTHERS, ids=["extract", "release", "reader"])
def test_a_stage_loads_nothing_of_the_others(loaded: str, unwanted: set[str]) -> None:
    """What a month costs on a long history is mostly what a process loads before its first row."""
    program = f"import sys; import {loaded}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert unwanted & set(done.stdout.split()) == set()


def test_an_unknown_name_of_a_late_package_is_an_attribute_error() -> None:
    """A package that loads late still says which names it does not have."""
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from etl.load import no_such_name")
