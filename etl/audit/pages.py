"""What is published beside the tables: CSV twins, `report.json`, pages. None may say more than the tables do.

A CSV file holds the rows of its Parquet twin, cell by cell. A report says sums of its release's own tables, and no count
from 1 to k - 1. On pages every number of cases stands in a sentence that carries its query: a number from 1 to k - 1 is
allowed where the query counts what the law makes exact (months, open stock), all cases of a selection, or what is not shown;
anywhere else it is somebody's. Figures as JSON are the drawings of a page once more and are not read again.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from etl.audit.candidates import COLUMNS
from etl.audit.evidence import Evidence, Release, own_rows, read_table
from etl.audit.finding import Attack, Tally
from etl.metadata import load_dictionary
from etl.model.report import report_faults
from etl.model.text import latin_digits

NAME = "pages"
REPORT = "report.json"
# queries whose answers hold small numbers by law: counts of months, whole selections, what is not shown
EXACT = frozenset(
    {
        *("monthly_flow", "stock", "stock_everywhere", "late_entries", "statutory_year", "nothing_lost"),
        *("waits", "waits_everywhere", "on_time", "on_time_everywhere", "cohort_states", "cohort_periods"),
        *("service_cohort", "open_by_age", "open_by_stage", "open_stage_age"),
    }
)
HIDDEN = ("not shown", "نشان داده نمی‌شود")
ELEMENT = re.compile(r"<(p|li|h1|h2|td|dd)\b[^>]*>(.*?)</\1>", re.DOTALL)
LINK = re.compile(r'href="/data/portal/(\w+)')
TAG = re.compile(r"<[^>]+>")
COUNTED = re.compile(
    r"(?<![\w.,٫٬–-])(\d+)(?![\d.,٫٬%٪])\s*"
    r"(?:cases?|requests?|complaints?|letters?|people|persons?|پرونده|درخواست|شکایت|نامه|نفر|مورد)\b"
)


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look at every file and page that is there; nothing is drawn."""
    tally = Tally(NAME)
    specs = [spec for spec in load_dictionary().tables.values() if spec.scope != "database"]
    for release in evidence.releases:
        if release.folder is not None:
            tables = {spec.name: read_table(release, spec) for spec in specs}
            for name, table in tables.items():
                _twin(release.folder / f"{name}.csv.gz", name, table, tally)
            _report(release, tables, tally)
    called = _names(evidence) if evidence.site else ()
    for path in sorted(evidence.site.rglob("*.html")) if evidence.site else ():
        _page(path, evidence.k, called, tally)
    return tally.done()


def small_counts(page: str, k: int, *, names: Collection[str] = ()) -> Iterator[tuple[int, str]]:
    """Give the numbers of cases from 1 to k - 1 that a page says where it may not, with their sentence.

    names: what steps, units, services and bodies are called, where that reads like a number of cases.

    >>> list(small_counts('<p>3 cases refused. <a href="/data/portal/outcomes?body=x">Count</a></p>', 10))
    [(3, '3 cases refused. Count')]
    >>> list(small_counts('<p>3 cases open. <a href="/data/portal/stock?body=x">Count</a></p><p>In 3 days</p>', 10))
    []
    """
    for _, inside in ELEMENT.findall(page):
        text = latin_digits(" ".join(html.unescape(TAG.sub("", inside)).split()))
        for name in names:
            text = text.replace(name, "")
        is_allowed = bool(EXACT & set(LINK.findall(inside))) or any(words in text for words in HIDDEN)
        for number in COUNTED.findall(text):
            if 0 < int(number) < k and not is_allowed:
                yield int(number), text


def _names(evidence: Evidence) -> list[str]:
    titles = {
        latin_digits(" ".join(title.split()))
        for table in ("code", "unit", "service", "body")
        for column in ("title_fa", "title_en")
        for title in evidence.table(table)[column].to_pylist()
        if title is not None
    }
    return sorted((title for title in titles if COUNTED.search(title)), key=len, reverse=True)


def _page(path: Path, k: int, names: Collection[str], tally: Tally) -> None:
    page = path.read_text(encoding="utf-8")
    tally.tried(len(COUNTED.findall(latin_digits(page))))
    for _, text in small_counts(page, k, names=names):
        tally.hit("small_count", tables=(), where=f"{path.parent.name}/{path.name}: {text[:120]}")


def _twin(path: Path, name: str, table: pa.Table, tally: Tally) -> None:
    if not path.exists():
        return
    tally.tried()
    types = {column: pa.string() for column in table.column_names}
    options = pcsv.ConvertOptions(column_types=types, strings_can_be_null=False)
    read = pcsv.read_csv(path, convert_options=options, parse_options=pcsv.ParseOptions(newlines_in_values=True))
    is_same = read.column_names == table.column_names and read.num_rows == table.num_rows
    if not is_same or any(not read[column].equals(_as_text(table[column])) for column in table.column_names):
        tally.hit("file_more", tables=(name,), where=f"{path.parent.name}/{path.name}")


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = pc.cast(column, pa.int8()) if pa.types.is_boolean(column.type) else column
    return pc.fill_null(pc.cast(plain, pa.string()), "")


def _report(release: Release, tables: dict[str, pa.Table], tally: Tally) -> None:
    path = release.folder / REPORT if release.folder else Path()
    if not path.is_file():
        return
    group = own_rows(tables["case_group"])
    sizes = {name: _cases(group.filter(pc.is_valid(group[name]))) for name, _ in COLUMNS.values()}
    counted = {
        "case_count": _cases(group),
        "floor_count": _cases(group.filter(group["is_floor"])),
        "awaiting_count": pc.sum(tables["margin"]["awaiting_count"]).as_py() or 0,
    }
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    tally.tried(len(report))
    for fault in report_faults(report, counted=counted, kept={**sizes, "trace_key": sizes["trace_id"]}, k=release.k):
        tally.hit("report_more", tables=(), where=f"{path.parent.name}/{path.name}: {fault}")


def _cases(group: pa.Table) -> int:
    return int(pc.sum(group["case_count"]).as_py() or 0)
