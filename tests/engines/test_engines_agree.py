"""Law 7: DuckDB and Spark give equal rows, for every table, with a memory of earlier releases and without."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise import History, anonymise
from etl.demo import make_office
from etl.model.published import Published
from tests.dying.office import SETTINGS, command, differences, fingerprints
from tests.engines.conftest import Pair
from tests.fixtures.tiny_office import tiny_calendar, tiny_due, tiny_policy, tiny_staging
from tests.property.conftest import Engine
from tests.reference.offices import snapshots
from tests.reference.runs import next_history
from tests.reference.surges import emptied

pytestmark = [
    pytest.mark.spark,
    pytest.mark.timeout(900),
    # py4j leaves its loopback sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

Bags = dict[str, Counter[tuple[Any, ...]]]


def bags(published: Published) -> Bags:
    """Count the rows of every relation of a run, in no order, and keep what is no relation as it is."""
    made: Bags = {}
    parts = {part.name: getattr(published, part.name) for part in fields(published) if part.name != "numbers"}
    for name, relation in {**parts, **published.numbers}.items():
        if hasattr(relation, "to_pyarrow"):
            rows = relation.to_pyarrow().to_pylist()
            made[name] = Counter(tuple(sorted(row.items())) for row in rows)
        else:
            made[name] = Counter([(repr(relation),)])
    return made


def tiny_bags(backend: Any) -> list[Bags]:
    """Run the tiny office twice on an engine, the second time with the memory of the first."""
    policy, calendar = tiny_policy(), tiny_calendar(backend)
    history = History(due=tiny_due(1), first_month=tiny_due(1)[0])
    first = anonymise(tiny_staging(backend, batch=1), calendar=calendar, policy=policy, history=history)
    later = next_history(backend, history, first, due=tiny_due(2))
    second = anonymise(tiny_staging(backend, batch=2), calendar=calendar, policy=policy, history=later)
    return [bags(first), bags(second)]


def random_bags(backend: Any) -> list[Bags]:
    """Run a random office three times on an engine, with late, withdrawn and reopened cases; and two that stand back."""
    engine = Engine(backend)
    offices = (emptied(late=0), emptied(late=1), snapshots(1))
    return [bags(published) for office in offices for published in engine.run(office)]


def assert_equal(ours: list[Bags], theirs: list[Bags]) -> None:
    """Compare run by run and table by table, so that a difference names its place."""
    assert [set(run) for run in ours] == [set(run) for run in theirs]
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        for table in one:
            assert one[table] == other[table], f"run {number}, {table}"
            assert "placement" not in table or one[table].total() > 0


def test_the_tiny_office_is_the_same_on_both_engines(pair: Pair) -> None:
    """The hand-written office gives equal rows in every table and both runs."""
    assert_equal(tiny_bags(pair.duckdb), tiny_bags(pair.spark))


def test_a_random_office_is_the_same_on_both_engines(pair: Pair) -> None:
    """Late, reopened and vanished cases, and groups that stand back, give equal rows in every table and all runs."""
    assert_equal(random_bags(pair.duckdb), random_bags(pair.spark))


@pytest.mark.parametrize("name", ["duckdb", "spark"])
def test_an_engine_creates_overwrites_and_drops_temporary_tables(pair: Pair, name: str) -> None:
    """The smoke test of FINDINGS: a table is made, overwritten, read as Arrow with its types, listed and dropped."""
    backend = getattr(pair, name)
    rows = pa.table({"key": ["NA", "", None], "n": pa.array([1, None, 2**40], pa.int64())})
    backend.create_table("smoke", rows, temp=True)
    table = backend.create_table("smoke", rows.slice(1), temp=True, overwrite=True)
    found = backend.to_pyarrow(table.order_by("n"))
    assert found["key"].to_pylist() == [None, ""]
    assert found.schema.field("n").type == pa.int64()
    assert "smoke" in backend.list_tables()
    place = table.op()
    backend.drop_table("smoke", database=(place.namespace.catalog, place.namespace.database))
    assert "smoke" not in backend.list_tables()


def test_a_whole_run_on_spark_releases_the_same_bytes(tmp_path: Path, project: Path, pair: Pair) -> None:
    """The main job of an instance with `engine: spark` gives every file of every release as DuckDB gives it."""
    roots = [tmp_path / name for name in ("duckdb", "spark")]
    make_office(tmp_path / "office", cases=500, months=3)
    for root in roots:
        root.mkdir()
        for name in SETTINGS:
            shutil.copy(project / name, root)
        for name in ("sources", "office"):
            shutil.copytree((tmp_path if name == "office" else project) / name, root / name)
        with (root / "metadata.yml").open("a", encoding="utf-8") as settings:
            settings.write(f"  engine: {root.name}\n")
        for verb in ("extract", "release"):  # processes of their own: a process has one Spark session
            subprocess.run(command(root, verb), check=True, timeout=600)
    ours, theirs = (fingerprints(root, ("datasets/releases",)) for root in roots)
    assert len(ours) > 3
    assert differences(ours, theirs) == []
