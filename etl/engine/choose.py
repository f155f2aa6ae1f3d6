"""The engine of anonymisation, as the policy names it; Spark is loaded only where it is asked for (it is no small package)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from etl.engine.duck import open_duckdb
from etl.errors import SettingsError
from etl.metadata.settings import ENGINES, Policy

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

__all__ = ["ENGINES", "open_engine"]


@contextmanager
def open_engine(policy: Policy, temp: Path) -> Iterator[BaseBackend]:
    """Open the engine that `policy.engine` names, as an Ibis backend; it ends with the block and spills only to `temp`.

    Errors: SettingsError where the packages of Spark are missing or it does not start.
    """
    backend = (
        _open_spark(policy, temp) if policy.engine == "spark" else open_duckdb(temp, memory_limit=policy.memory_limit)
    )
    try:
        yield backend
    finally:
        backend.disconnect()


def _open_spark(policy: Policy, temp: Path) -> BaseBackend:
    try:
        spark = import_module("etl.engine.spark")
    except ModuleNotFoundError:
        raise SettingsError(
            "spark-missing",
            found="engine: spark in metadata.yml, but no package pyspark",
            expected="the packages of requirements-spark.txt",
            todo="Install them (`make spark-env`), or write engine: duckdb.",
        ) from None
    backend: BaseBackend = spark.open_spark(temp, master=policy.spark_master, memory_limit=policy.memory_limit)
    return backend
