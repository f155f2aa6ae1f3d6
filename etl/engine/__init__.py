"""The one opener of query engines: DuckDB always, and for anonymisation the engine that the policy names."""

from etl.engine.choose import ENGINES, open_engine
from etl.engine.duck import open_duckdb

__all__ = ["ENGINES", "open_duckdb", "open_engine"]
