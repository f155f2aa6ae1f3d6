"""A sheet of a workbook (Excel, OpenDocument) as a header and rows of cells.

Where it stands: beside the CSV reader, between the disk and the encoded columns. python-calamine holds one sheet in memory
(docs/reference/source-toml.md says how much); rows leave here a batch at a time. A cell that is a true date stays one, a
number that is whole has no ".0", a formula gives the value it was saved with, and a cell with an error gives nothing.
Rows without any text are not rows. No other sheet is read, and macros are never run.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from etl.errors import SourceError, nearest
from etl.extract.mapping import SourceMap

LARGEST_BYTES = 2 << 30  # unpacked: a sheet is read whole
_NO_RATIO_BELOW = 1 << 20
_TEXTS = {True: "true", False: "false"}

Cells = list[Any]  # text, date, datetime or None


class Sheet:
    """One sheet, open: the names in its header rows, and the rows below.

    A merged cell names every column that it covers; names of several rows are joined from top to bottom by a space.
    """

    def __init__(self, path: Path, source: SourceMap) -> None:
        """Open the sheet that the mapping names; SourceError where it is not there or is no sheet."""
        _check_size(path, source)
        self._header_row = source.header_row[-1]
        self._sheet = _sheet_of(path, source)
        self.names = self._read_names(source)

    def batches(self, size: int) -> Iterator[list[Cells]]:
        """Give rows of cells in the order of the sheet, `size` at a time."""
        part: list[Cells] = []
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            if number > self._header_row and any(not _is_blank(cell) for cell in row):
                part.append([_plain(cell) for cell in row])
            if len(part) == size:
                yield part
                part = []
        if part:
            yield part

    def _read_names(self, source: SourceMap) -> list[str]:
        head = [list(row) for row in islice(self._sheet.iter_rows(), self._header_row)]
        for (top, left), (bottom, right) in self._sheet.merged_cell_ranges or ():
            for row in head[top : bottom + 1]:
                row[left : right + 1] = head[top][left : left + 1] * len(row[left : right + 1])
        named = [[_name(cell) for cell in head[number - 1]] for number in source.header_row if number <= len(head)]
        found = [" ".join(dict.fromkeys(filter(None, parts))) for parts in zip_longest(*named)]
        if not any(found):
            raise SourceError(
                "source-empty",
                found=f"no names in row {self._header_row} of the sheet of source {source.name!r}",
                expected="the row that names the columns",
                todo="Look at the sheet; header_row in source.toml counts from 1.",
            )
        return found


def _sheet_of(path: Path, source: SourceMap) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if not source.sheet and len(names) == 1:
            return book.get_sheet_by_index(0)
        if source.sheet in names:
            return book.get_sheet_by_name(source.sheet)
    except PasswordError:
        raise _damaged(
            source, "a workbook with a password", "Save it without one, in a folder that is guarded."
        ) from None
    except (CalamineError, OSError, ValueError):
        raise _damaged(source, "a file that cannot be read as a workbook", "Open it and save it again.") from None
    raise SourceError(
        "source-sheet-gone",
        found=f"no sheet {source.sheet!r} in the workbook of source {source.name!r}"
        if source.sheet
        else f"{len(names)} sheets in the workbook of source {source.name!r}, and no word which one",
        expected="the name of one of its sheets",
        todo=f'Nearest: "{nearest(source.sheet, names)}". Write sheet = … in source.toml.',
    )


def _check_size(path: Path, source: SourceMap) -> None:
    """Refuse a packed workbook that would grow beyond its limits, by what its directory says."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError):
        return  # an .xls is not packed; what is broken is found on opening
    limit = min(source.limits.unpacked_bytes, LARGEST_BYTES)
    ratio = source.limits.unpack_ratio
    is_bomb = size > max(_NO_RATIO_BELOW, ratio * path.stat().st_size)
    if is_bomb or size > limit:
        raise SourceError(
            "source-bomb" if is_bomb else "source-too-large",
            found=f"a workbook of source {source.name!r} that grows to {size:,} bytes",
            expected=f"at most {limit:,} bytes and {ratio} times its size",
            todo="Look at the file. A table of this size belongs in CSV, which is read in bounded memory.",
        )


def _damaged(source: SourceMap, found: str, todo: str) -> SourceError:
    return SourceError(
        "source-damaged", found=f"{found}, source {source.name!r}", expected="an .xlsx, .xlsb, .xls or .ods", todo=todo
    )


def _name(cell: object) -> str:
    return "" if (plain := _plain(cell)) is None else str(plain).strip()


def _is_blank(cell: object) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _plain(cell: object) -> str | date | None:
    """Give a cell as text as it is seen, or as a date.

    >>> [_plain(cell) for cell in (12.0, 1.5, True, " a ", "")]
    ['12', '1.5', 'true', ' a ', None]
    """
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return _TEXTS[cell]
    if isinstance(cell, date | datetime):
        return cell
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
