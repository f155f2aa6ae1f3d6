"""A sheet of a workbook is a source like a CSV file: the same rows give the same cases."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from etl.errors import PortalError
from etl.extract import extract
from etl.instance import Instance

Make = Callable[..., Instance]
Read = Callable[[Instance], list[dict[str, Any]]]

NAMES = ("id", "class", "org", "channel", "registered", "closed", "result", "score")
IN_SHEET = [('path = "rows.csv"', 'path = "rows.xlsx"\nsheet = "پرونده‌ها"\nheader_row = 3')]


def _write(path: Path, rows: list[tuple[Any, ...]], *, sheet: str = "پرونده‌ها") -> None:
    """Write a workbook as an office does: another sheet first, a title, a gap, the names, rows, a blank row between."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("راهنما").write(0, 0, "CANARY-0012345678")
        page = book.add_worksheet(sheet)
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        page.write(0, 2, "گزارش سالانه")
        for place, name in enumerate(NAMES):
            page.write(2, place, name)
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, datetime):
                    page.write_datetime(3 + 2 * number, place, value, date)
                else:
                    page.write(3 + 2 * number, place, value)


GOOD = (7, "عادی", 3002, "وب", "1404/05/01", "1404/05/11", "انجام شد", 4)


def test_a_sheet_gives_the_cases_of_the_same_rows_in_csv(make_instance: Make, cases: Read) -> None:
    """Whole numbers have no ".0", Jalali dates as text are read, blank rows and other sheets are not."""
    instance = make_instance("7,عادی,3002,وب,1404/05/01,1404/05/11,انجام شد,4,x")
    extract(instance)
    plain = cases(instance)
    in_sheet = make_instance(edits=IN_SHEET)
    _write(in_sheet.root / "rows.xlsx", [GOOD])
    report = extract(in_sheet)
    assert (report.read, report.unchanged, report.staged) == (1, 1, 0)
    assert cases(in_sheet) == plain


def test_a_true_date_needs_no_format(make_instance: Make, cases: Read) -> None:
    """A date cell is its day, whatever calendar the texts of the source follow; with a time it is an instant."""
    instance = make_instance(edits=IN_SHEET)
    row = (*GOOD[:4], datetime(2025, 7, 23), datetime(2025, 8, 2, 14, 30), *GOOD[6:])
    _write(instance.root / "rows.xlsx", [row])
    extract(instance)
    (case,) = cases(instance)
    assert (str(case["registered_on"]), str(case["closed_on"])) == ("2025-07-23", "2025-08-02")


def test_a_bad_cell_is_quarantined_by_its_row(make_instance: Make, quarantine: Callable[[Instance], Any]) -> None:
    """Rows are counted below the header, blank ones left out; the value is in no message."""
    instance = make_instance(edits=IN_SHEET)
    _write(instance.root / "rows.xlsx", [GOOD, (8, *GOOD[1:4], "1404/13/01", *GOOD[5:])])
    assert extract(instance).quarantined == 1
    assert quarantine(instance) == [("case", 2, "registered_on", "impossible_date")]


def test_rows_under_merged_titles_have_the_names_of_both(make_instance: Make, cases: Read) -> None:
    """A title over two columns names each of them, one over two rows once; totals at the end are no case."""
    names = {
        f'column = "{name}"': f'column = "{group} date"' for name, group in (("registered", "in"), ("closed", "out"))
    }
    edits = [
        ('path = "rows.csv"', 'path = "rows.xlsx"\nheader_row = [2, 3]'),
        ("[limits]", '[leave_out]\ncolumn = "in id"\nvalues = ["total"]\n\n[limits]'),
        ('case_ref = "id"', 'case_ref = "in id"'),
        *names.items(),
    ]
    instance = make_instance(edits=edits)
    with xlsxwriter.Workbook(instance.root / "rows.xlsx") as book:
        page = book.add_worksheet()
        page.write(0, 0, "CANARY monthly report")
        page.merge_range(1, 0, 1, 1, "in")
        page.write_row(2, 0, ("id", "date"))
        page.write(1, 2, "out")
        page.write(2, 2, "date")
        for place, name in enumerate(("class", "org", "channel", "result", "score"), 3):
            page.merge_range(1, place, 2, place, name)
        page.write_row(3, 0, (7, "1404/05/01", "1404/05/11", "عادی", 3002, "وب", "انجام شد", 4))
        page.write_row(4, 0, ("TOTAL", 1))
    report = extract(instance)
    assert (report.read, report.staged, report.left_out) == (1, 1, 1)
    (case,) = cases(instance)
    assert (str(case["registered_on"]), str(case["closed_on"])) == ("2025-07-23", "2025-08-02")


def test_the_only_sheet_needs_no_name(make_instance: Make) -> None:
    """Where a workbook has one sheet it is taken."""
    instance = make_instance(edits=[('path = "rows.csv"', 'path = "rows.xlsx"')])
    with xlsxwriter.Workbook(instance.root / "rows.xlsx") as book:
        page = book.add_worksheet()
        page.write_row(0, 0, NAMES)
        page.write_row(1, 0, GOOD)
    assert extract(instance).staged == 1


@pytest.mark.parametrize(
    ("edit", "slug", "word"),
    [
        (('"پرونده‌ها"', '"پرونده"'), "source-sheet-gone", 'Nearest: "پرونده‌ها"'),
        (('sheet = "پرونده‌ها"', ""), "source-sheet-gone", "2 sheets"),
        (("header_row = 3", "header_row = 2"), "source-empty", "row 2"),
        (("header_row = 3", "header_row = 0"), "source-sheet", "rows from 1"),
        (('"rows.xlsx"', '"rows.csv"'), "source-sheet", ".xlsx"),
        (
            ('channel_code = { column = "channel"', 'channel_code = { column = "chanel"'),
            "source-column-gone",
            "channel",
        ),
    ],
)
def test_a_wrong_sheet_is_told_in_words(make_instance: Make, edit: tuple[str, str], slug: str, word: str) -> None:
    """A missing sheet names the nearest, a row without names and a sheet of a CSV file say what was expected."""
    instance = make_instance(edits=[*IN_SHEET, edit])
    _write(instance.root / "rows.xlsx", [GOOD])
    with pytest.raises(PortalError) as caught:
        extract(instance)
    assert (caught.value.slug, word in str(caught.value)) == (slug, True)
    assert "CANARY" not in str(caught.value)


def test_what_is_no_workbook_is_told_in_words(make_instance: Make) -> None:
    """A text file under the name of a workbook, and half a workbook, are damaged files."""
    instance = make_instance(edits=IN_SHEET)
    path = instance.root / "rows.xlsx"
    _write(path, [GOOD])
    for content in (b"id;class\n1;2\n", path.read_bytes()[:2_000], b""):
        path.write_bytes(content)
        with pytest.raises(PortalError) as caught:
            extract(instance)
        assert caught.value.slug == "source-damaged"


def test_a_workbook_that_would_fill_the_memory_is_refused(make_instance: Make) -> None:
    """What it would grow to stands in its directory: nothing is unpacked."""
    instance = make_instance(edits=IN_SHEET)
    with zipfile.ZipFile(instance.root / "rows.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"<c/>" * 2_000_000)
    with pytest.raises(PortalError) as caught:
        extract(instance)
    assert caught.value.slug == "source-bomb"
