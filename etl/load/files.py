"""Released bytes of a table: CSV.gz for people, Parquet for machines; equal rows give equal bytes (DESIGN §6).

CSV follows RFC 4180 with line feeds: UTF-8, a header, NULL as an empty cell, an empty text as `""`, booleans as 0 and 1,
dates in ISO 8601. gzip carries neither time nor file name.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.load.archive import ReleaseFile

_NEEDS_QUOTES = '^$|[",\r\n]'
_GZIP_LEVEL = 6


@dataclass(frozen=True)
class Encoded:
    """The bytes of one released file and its entry in the manifest."""

    content: bytes
    entry: ReleaseFile


def encode_table(name: str, table: pa.Table) -> tuple[Encoded, Encoded]:
    """Encode a table as `<name>.csv.gz` and `<name>.parquet`; rows keep their order."""
    csv = gzip_bytes(csv_bytes(table))
    return (
        encode_bytes(f"{name}.csv.gz", csv, rows=table.num_rows),
        encode_bytes(f"{name}.parquet", parquet_bytes(table), rows=table.num_rows),
    )


def encode_bytes(name: str, content: bytes, *, rows: int | None = None) -> Encoded:
    """Describe bytes as a released file; `rows` only for tables."""
    entry = ReleaseFile(name, len(content), hashlib.sha256(content).hexdigest(), rows)
    return Encoded(content, entry)


def csv_bytes(table: pa.Table) -> bytes:
    r"""Write a table as CSV, column by column and not row by row.

    >>> csv_bytes(pa.table({"a": [1, None], "b": ["x,y", ""]}))
    b'a,b\n1,"x,y"\n,""\n'
    """
    header = ",".join(table.column_names)
    if table.num_rows == 0:
        return f"{header}\n".encode()
    cells = [_cells(column) for column in table.columns]
    lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
    return "\n".join([header, *lines.to_pylist(), ""]).encode()


def gzip_bytes(content: bytes) -> bytes:
    """Compress without time or file name, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def parquet_bytes(table: pa.Table) -> bytes:
    """Write a table as one zstd-compressed Parquet file of format 2.6 (read by DuckDB, Spark and pandas alike)."""
    buffer = io.BytesIO()
    pq.write_table(table.combine_chunks(), buffer, compression="zstd", version="2.6")
    return buffer.getvalue()


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.string())
    special = pc.match_substring_regex(column, _NEEDS_QUOTES)
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(special, quoted, column)
