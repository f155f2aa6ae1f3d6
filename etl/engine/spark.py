"""Spark as the engine of anonymisation: a session whose scratch tables lie in a folder of its own under var/tmp.

For bodies whose staging lies on a cluster or outgrows a machine (`engine: spark`, DESIGN §4 "Engine"). It shows no web
page, speaks UTC, and with a local master binds to loopback only. Needs requirements-spark.txt and Java 17 or newer.
What it deliberately does not do: anything that DuckDB does not; `etl.anonymise` asks both the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from ibis.backends.pyspark import Backend
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from etl.errors import SettingsError

if TYPE_CHECKING:
    from ibis.expr.types import Expr, Table

_LOOPBACK = "127.0.0.1"
_DATABASE = "default"


class SparkBackend(Backend):
    """Ibis' Spark backend with what an engine must have here: temporary tables, lists of files, Arrow without pandas."""

    def create_table(self, name: str, /, obj: Any = None, *, temp: bool | None = None, **options: Any) -> Table:
        """Create a table in the session's warehouse, which is removed with the session: all tables are temporary."""
        if isinstance(obj, pa.Table):
            self._session.createDataFrame(obj).createOrReplaceTempView(f"given_{name}")
            obj = self.table(f"given_{name}")
        return super().create_table(name, obj, **options)

    def read_parquet(self, path: str | Sequence[str], /, *, table_name: str, **options: Any) -> Table:
        """Read one Parquet file or several as one relation."""
        paths = [path] if isinstance(path, str) else list(path)
        self._session.read.parquet(*paths, **options).createOrReplaceTempView(table_name)
        return self.table(table_name)

    def to_pyarrow(self, expr: Expr, /, **options: Any) -> pa.Table | pa.ChunkedArray | pa.Scalar:
        """Fetch an expression as Arrow in its own types; all of it is in memory then."""
        self._run_pre_execute_hooks(expr)
        schema = expr.as_table().schema().to_pyarrow()
        found = self._session.sql(self.compile(expr.as_table(), **options)).toArrow()
        return expr.__pyarrow_result__(found.select(schema.names).cast(schema))

    def disconnect(self) -> None:
        """End the session and what it wrote; the Java process ends with this one."""
        self._session.catalog.clearCache()
        for table in self._session.catalog.listTables():
            if table.tableType == "MANAGED":
                self._session.sql(f"drop table `{table.name}`")
        super().disconnect()


def open_spark(temp: Path, *, master: str, memory_limit: str) -> SparkBackend:
    """Open a Spark session on `master` with scratch and warehouse under `temp` (private).

    memory_limit: as for DuckDB (`1500MB`), here the heap of the driver. SettingsError where Spark or Java does not start.
    """
    if master.startswith("local"):
        os.environ["SPARK_LOCAL_IP"] = _LOOPBACK
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": memory_limit.lower().replace("mb", "m").replace("gb", "g"),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={files('etl.engine') / 'log4j2.properties'}",
        "spark.local.dir": str(temp / "spark"),
        "spark.sql.warehouse.dir": str(temp / "spark-warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.enabled": "true",
    }
    if master.startswith("local"):
        options |= {"spark.driver.host": _LOOPBACK, "spark.driver.bindAddress": _LOOPBACK}
    builder = SparkSession.builder.master(master).appName("shafaf")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        backend = SparkBackend(builder.getOrCreate())
        backend.reconnect()
    except (PySparkException, OSError) as error:
        raise SettingsError(
            "spark-start",
            found=f"a Spark session that does not start ({type(error).__name__})",
            expected="Java 17 or newer on the path, and a master that answers",
            todo="Install Java (Debian: openjdk-17-jre-headless), check x-shafaf.spark_master, or use engine: duckdb.",
        ) from None
    return backend
