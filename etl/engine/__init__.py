"""The one opener of query engines."""

from etl.engine.duck import open_duckdb

__all__ = ["open_duckdb"]
