"""Opens a source: a CSV file or a sheet here, a database by `etl.extract.database`; gives raw rows in bounded batches.

Where it stands: first step inside extraction. Only columns that the mapping names are kept. It writes nothing and
understands no value.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.csv as pa_csv

from etl.errors import SourceError
from etl.extract.database import engine_of, is_file, open_database, unreachable
from etl.extract.file_bytes import BoundedBytes, open_bytes, read_header, wrong_encoding
from etl.extract.mapping import SourceMap, is_workbook
from etl.extract.rows import BATCH_ROWS, Batch, Encoded, Marks, OpenSource, encode, encode_arrow, find_columns
from etl.extract.sheet import Sheet
from etl.extract.spelling import leave_out, map_rule

_BLOCK_BYTES = 4 << 20
_OPEN_IN_EXCEL = "~$"  # the file by which Excel says that another one is open


@contextmanager
def open_source(source: SourceMap, root: Path) -> Iterator[OpenSource]:
    """Open a source for reading; SourceError (exit 21) where it cannot be reached, SettingsError where it is misnamed."""
    if source.kind == "table":
        opened = _SheetSource if is_workbook(source) else _CsvSource
        yield opened(source, _files_of(source, root))
        return
    with open_database(source, root) as rows:
        yield rows


def size_of(source: SourceMap, root: Path) -> int:
    """Say how many bytes a source has, as far as its address tells: a database on a server counts as endless."""
    if source.kind == "table":
        return sum(path.stat().st_size for path in _files_of(source, root))
    url = engine_of(source, root).url
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return sys.maxsize
    return Path(unquote(url.database.removeprefix("file://"))).stat().st_size


class _FileSource(OpenSource):
    """The files of a source one after the other; rows are counted on."""

    def __init__(self, source: SourceMap, paths: Sequence[Path]) -> None:
        self._source = source
        self._paths = paths

    def batches(self, table: str, columns: Sequence[str], since: Marks | None = None) -> Iterator[Batch]:
        """Read the named columns of every file."""
        row, first_rows = 1, dict[str, int]()
        self.first_rows = first_rows
        is_none = map_rule(dict.fromkeys(self._source.leave_out.values, ""))
        for path in self._paths:
            if len(self._paths) > 1:
                first_rows[path.name] = row
            try:
                for size, encoded in self._parts(path, columns):
                    batch = leave_out(
                        Batch(pa.arange(row, row + size), encoded), self._source.leave_out.column, is_none
                    )
                    self.left_out += size - batch.size
                    if batch.size:
                        yield batch
                    row += size
            except SourceError as error:
                error.found += f" ({path.name})" if len(self._paths) > 1 else ""
                raise

    def _parts(self, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Encoded]]]:
        """Give the rows of one file in bounded parts: how many, and their columns."""
        raise NotImplementedError


class _CsvSource(_FileSource):
    def _parts(self, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Encoded]]]:
        """Read a file's named columns as text; the names are pushed into the reader."""
        header = read_header(path, self._source)
        names = {name: header[place] for name, place in find_columns(columns, header, self._source.name).items()}
        try:
            with open_bytes(path, self._source) as stream:
                for batch in self._open(stream, list(dict.fromkeys(names.values()))):
                    yield batch.num_rows, {name: encode_arrow(batch.column(own)) for name, own in names.items()}
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise _explain_csv(self._source, str(error)) from None

    def _open(self, stream: BoundedBytes, columns: Sequence[str]) -> pa_csv.CSVStreamingReader:
        return pa_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pa_csv.ReadOptions(block_size=max(_BLOCK_BYTES, self._source.limits.line_bytes)),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, delimiter=self._source.delimiter),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(columns),
                column_types={name: pa.string() for name in columns},
                strings_can_be_null=False,
            ),
        )


def _explain_csv(source: SourceMap, message: str) -> SourceError:
    """Say what the CSV reader met, without the row's text that its message ends with."""
    if "UTF8" in message:
        return wrong_encoding(source)
    lengths = re.match(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message)
    found = "rows that cannot be told apart"
    if lengths:
        place = f" (row {int(lengths[1]) - 1:,})" if lengths[1] else ""
        found = f"a row of {int(lengths[3]):,} cells under {int(lengths[2]):,} names{place}"
    return SourceError(
        "source-table",
        found=f"{found} in the file of source {source.name!r}",
        expected="rows of equal length under one header line",
        todo="Look at that row: a delimiter or a quote in a cell that is not quoted, or a row cut off.",
    )


class _SheetSource(_FileSource):
    def _parts(self, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Encoded]]]:
        """Read a sheet's named columns, 20,000 rows at a time."""
        sheet = Sheet(path, self._source)
        places = find_columns(columns, sheet.names, self._source.name)
        for part in sheet.batches(BATCH_ROWS):
            yield len(part), {name: encode([cells[place] for cells in part]) for name, place in places.items()}


def _files_of(source: SourceMap, root: Path) -> list[Path]:
    """List the files of a source, by name where its path is a pattern such as `desk/*.xlsx`."""
    text = source.path
    if "${SHAFAF_DATA}" in text:
        text = text.replace("${SHAFAF_DATA}", str(_data_folder(root)))
    path = root / text
    named = sorted(path.parent.glob(path.name)) if "*" in path.name else [path]
    paths = [each for each in named if is_file(each) and not each.name.startswith(_OPEN_IN_EXCEL)]
    if not paths:
        raise unreachable(source, "file")
    return paths


def _data_folder(root: Path) -> Path:
    """Find the folder of real input: SHAFAF_DATA, else the nearest `../shared/data` walking up from the instance."""
    named = os.environ.get("SHAFAF_DATA")
    if named:
        return Path(named)
    root = root.resolve()
    candidates = [folder.parent / "shared" / "data" for folder in (root, *root.parents)]
    return next((folder for folder in candidates if folder.is_dir()), candidates[0])
