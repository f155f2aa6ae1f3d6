"""An answer of `/data/` as a workbook: what a spreadsheet opens whole by a double click (Office Open XML, ECMA-376).

A CSV opened that way takes the encoding and the separator of the reader's system: Persian turns to garbage, or every row falls
into one cell. Here each code has its names in both languages beside it, a text is never taken for a formula or a link, and a
second sheet says what the columns mean. Holds the rows of the answer, no more: whole tables are files of a release.
"""

from __future__ import annotations

import asyncio
import datetime
import io
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from datasette import Response
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.serving.choices import Labels, label_of

EXTENSION: Final = "xlsx"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PLAIN: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_ROWS: Final = "rows · ردیف‌ها"
_ABOUT: Final = "about · راهنما"
_WIDTH: Final = 40  # characters, at most, of a column of the first sheet
_NOTE: Final = ("An empty cell means: not shown at this detail.", "خانهٔ خالی یعنی: در این سطح نشان داده نمی‌شود.")
_SEVERAL: Final = ("The first rows only; whole tables are files.", "تنها ردیف‌های نخست؛ کل جدول‌ها به شکل فایل است.")


async def render(
    datasette: Any,
    database: str,
    columns: Sequence[str],
    rows: Sequence[sqlite3.Row],
    request: Any,
    query_name: str | None,
    table: str | None,
    data: Mapping[str, Any],
) -> Any:
    """Answer a request for rows as a workbook; the arguments are those that Datasette gives to an output format."""
    if data.get("error"):
        return Response.text(str(data["error"]), status=400)
    name = query_name or table or database
    kind = "queries" if query_name else "tables"
    told = datasette.metadata(kind, database=database).get(name, {})
    about = [
        (told.get("title", name), told.get("title_fa", "")),
        (told.get("description", ""), told.get("description_fa", "")),
    ]
    page = datasette.urls.path(request.full_path.replace(f".{EXTENSION}", "", 1))
    about += [(str(page), ""), _NOTE, *([_SEVERAL] if data.get("truncated") or data.get("next") else [])]
    meanings = (told.get("columns") or {}, told.get("columns_fa") or {})
    explained = [(column, *(meaning.get(column, "") for meaning in meanings)) for column in columns]
    labels = datasette.metadata("labels", database=database)
    body = await asyncio.to_thread(write_workbook, columns, rows, labels=labels, about=about, explained=explained)
    named = {"content-disposition": f'attachment; filename="{name}.{EXTENSION}"'}
    return Response(body, headers=named, content_type=_TYPE)


def write_workbook(
    columns: Sequence[str],
    rows: Sequence[sqlite3.Row],
    *,
    labels: Mapping[str, Labels],
    about: Sequence[tuple[str, str]],
    explained: Sequence[tuple[str, str, str]],
) -> bytes:
    """Write rows, with the names of codes beside them, and a sheet that explains them: the bytes of one .xlsx.

    about: sentences, English and Persian; explained: each column with its meaning in both. Same rows, same bytes.
    """
    file = io.BytesIO()
    with Workbook(file, _PLAIN) as book:
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})
        head = book.add_format({"bold": True})
        _fill(book.add_worksheet(_ROWS), _with_names(columns, rows, labels), head)
        sheet = book.add_worksheet(_ABOUT)
        for number, line in enumerate([*about, ("", ""), *explained]):
            sheet.write_row(number, 0, line)
        sheet.set_column(0, 2, _WIDTH)
    return file.getvalue()


def _fill(sheet: Worksheet, lines: Sequence[Sequence[Any]], head: Any) -> None:
    for number, line in enumerate(lines):
        sheet.write_row(number, 0, line, head if number == 0 else None)
    for place, cells in enumerate(zip(*lines, strict=True)):
        sheet.set_column(place, place, min(_WIDTH, 2 + max(len(str(cell or "")) for cell in cells)))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(lines) - 1), max(0, len(lines[0]) - 1))


def _with_names(
    columns: Sequence[str], rows: Sequence[sqlite3.Row], labels: Mapping[str, Labels]
) -> list[tuple[Any, ...]]:
    """Give the head and every row; a column whose codes have names is followed by both of them."""
    plain = [{column: _code(row[column]) for column in columns} for row in rows]
    named = [{column: label_of(labels, row, column) for column in columns} for row in plain]
    has_names = {column for names in named for column, label in names.items() if label}
    head = [name for column in columns for name in _head(column, has_names)]
    lines = [
        [cell for column in columns for cell in _cells(row[column], names[column], column in has_names)]
        for row, names in zip(plain, named, strict=True)
    ]
    return [tuple(head), *map(tuple, lines)]


def _code(value: Any) -> Any:
    """Undo what Datasette makes of a foreign key that has a label: the value alone."""
    return value["value"] if isinstance(value, dict) else value


def _head(column: str, has_names: set[str]) -> tuple[str, ...]:
    return (column, f"{column}: en", f"{column}: fa") if column in has_names else (column,)


def _cells(value: object, label: tuple[str, str] | None, is_named: bool) -> tuple[object, ...]:
    return (value, *(label or ("", ""))) if is_named else (value,)
