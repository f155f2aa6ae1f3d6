"""What is published beside the tables: CSV twins, the database, documents, pages and their figures; none may say more.

A CSV file holds the rows of its Parquet twin, cell by cell, and a database no row that is not there. A report says
sums of its release's own tables, and no count from 1 to k - 1; other documents say what `KEYS` names, and no number of cases
either. Pages and the figures beside them, which machines read, say such a number only where `etl.audit.counts` allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from etl.audit.candidates import COLUMNS
from etl.audit.counts import COUNTED, Figure, Known, Small, of_figures, of_page
from etl.audit.evidence import GROUPS, Evidence, Release, open_database, own_rows, read_json, read_table, read_text
from etl.audit.finding import Attack, Tally
from etl.audit.kinds import unknown_files
from etl.audit.words import load_words
from etl.metadata import load_dictionary
from etl.model.report import report_faults
from etl.model.text import latin_digits

NAME = "pages"
REPORT = "report.json"
# the exact counts that pages draw month by month: sums of columns of `margin`
MONTHLY = (
    ("registered_count", "late_registered_count"),
    ("finished_count", "late_finished_count"),
    ("open_count",),
    ("open_overdue_count",),
)
ROWS_AT_ONCE = 20_000
LABELS = ("code", "unit", "service", "body")
PLAIN = (".yml", ".css", ".svg", ".js")  # read line by line
# documents, by name or folder: the keys that stand in them, at any depth
KEYS: Mapping[str, frozenset[str]] = {
    "attested": frozenset({"schema_version", "release_id", "origin_sha256"}),
    "current.json": frozenset({"release_id", "database", "as_of_on"}),
    "manifest.json": frozenset(
        {"schema_version", "release_id", "release_number", "files", "name", "bytes", "rows", "sha256"}
    ),
    "audit.json": frozenset(
        {
            *("schema_version", "release_id", "release_count", "k", "policy_sha256", "form", "seed", "attempts_asked"),
            *("attempt_count", "hit_count", "attackers", "attacker", "hits", "limits"),
        }
    ),
}
FIGURE = frozenset({"data", "layout"})
TRACE = frozenset({"name", "hovertext", "hovertemplate", "type", "mode", "orientation", "x", "y", "marker", "line"})


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
    for path in evidence.databases:
        _database(path, evidence, tally)
    if evidence.files:
        unknown = unknown_files(evidence)  # a hit of `side_channels` already
        _read(evidence, [evidence.root / name for name in evidence.files if name not in unknown], tally)
    return tally.done()


def attack_site(evidence: Evidence, site: Path) -> Attack:
    """Look at every page of a site that was built and is not yet in place, and at the figures beside them."""
    tally = Tally(NAME)
    _read(evidence, sorted(path for path in site.rglob("*") if path.is_file()), tally)
    return tally.done()


def _read(evidence: Evidence, paths: Iterable[Path], tally: Tally) -> None:
    """Read every file that holds words."""
    titles, months = _titles(evidence), _months(evidence)
    names = sorted(filter(COUNTED.search, titles), key=len, reverse=True)  # of two that overlap the longer one first
    known = Known(evidence.k, names, frozenset(filter(str.isdigit, titles)))
    for path in paths:
        about = replace(known, months=months.get(path.parent.name, ()))
        if path.suffix == ".html":
            _page(path, about, tally)
        elif path.suffix == ".json" and path.name != REPORT:
            _document(path, about, tally)
        elif path.suffix in PLAIN:
            lines = read_text(path).splitlines()
            _tell(path, (small for line in lines for small in about.small(line)), tally, tried=len(lines))


def _page(path: Path, known: Known, tally: Tally) -> None:
    page, beside = read_text(path), path.with_suffix(".json")
    figures = _figures(read_json(beside)) if beside.is_file() else {}
    _tell(path, of_page(page, known, figures or {}), tally, tried=len(COUNTED.findall(page)))


def _document(path: Path, known: Known, tally: Tally) -> None:
    """A document says what its kind says, a figure what it draws; no sentence of either says a small number of cases."""
    document, allowed = read_json(path), KEYS.get(path.parent.name, KEYS.get(path.name))
    is_more = allowed is not None and not set(_keys(document)) <= allowed | load_words()["limit"].keys()
    if path.with_suffix(".html").is_file():
        figures = _figures(document)
        is_more = figures is None
        _tell(path, of_figures(figures or {}, known), tally, tried=len(figures or {}))
    if is_more:
        tally.hit("file_more", tables=(), where=_where(path))
    texts = list(_texts(document))
    _tell(path, (small for text in texts for small in known.small(text)), tally, tried=len(texts))


def _figures(document: Any) -> Mapping[str, Figure] | None:
    """Give the charts of a page by name; None where the document is anything else, or holds more."""
    if not isinstance(document, dict) or set(document) != {"title", "charts"}:
        return None
    figures: dict[str, Figure] = document["charts"]
    traces = [trace for figure in figures.values() for trace in figure.get("data", ())]
    is_known = all(set(figure) == FIGURE for figure in figures.values())
    return figures if is_known and all({"x", "y"} <= set(trace) <= TRACE for trace in traces) else None


def _tell(path: Path, found: Iterable[Small], tally: Tally, *, tried: int) -> None:
    tally.tried(tried)
    for _, text in found:
        tally.hit("small_count", tables=(), where=f"{_where(path)}: {text[:120]}")


def _where(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in _inside(value):
        yield from _keys(inner)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in _inside(value):
        yield from _texts(inner)


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _titles(evidence: Evidence) -> set[str]:
    """List what codes, units, services and bodies are called."""
    return {
        latin_digits(" ".join(title.split()))
        for table in LABELS
        for column in ("title_fa", "title_en")
        for title in evidence.table(table)[column].to_pylist()
        if title is not None
    }


def _months(evidence: Evidence) -> dict[str, list[str]]:
    """Write the exact monthly counts of each body, a text for each case type and kind of count."""
    series: dict[tuple[str, str, int], list[int]] = {}
    for row in evidence.table("margin").sort_by("month_code").to_pylist():
        for place, columns in enumerate(MONTHLY):
            count = sum(row[column] or 0 for column in columns)
            series.setdefault((row["body_id"], row["case_type_code"], place), []).append(count)
    months: dict[str, list[str]] = {}
    for (body, *_), counts in series.items():
        months.setdefault(body, []).append(f",{','.join(map(str, counts))},")
    return months


def _database(path: Path, evidence: Evidence, tally: Tally) -> None:
    """Every row of a database is one of its releases'; what it says of itself holds no number of cases."""
    own = {release.release_id: release for release in evidence.releases}[path.stem.removeprefix("portal-")]
    known = Known(evidence.k)
    with open_database(path) as connection:
        there = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        for spec in load_dictionary().tables.values():
            if spec.name not in there or spec.scope == "database":
                continue
            tally.tried()
            table = evidence.table(spec.name) if spec.scope == "release" else read_table(own, spec)
            columns = {row[1] for row in connection.execute(f'pragma table_info("{spec.name}")')}
            names = [name for name in spec.names if name in columns]
            listed = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f'select {listed} from "{spec.name}" order by "{spec.key}"')
            released = _rows(table.sort_by(spec.key).select(names))
            if not all(row in released for row in rows):  # in an iterator: one after the other
                tally.hit("file_more", tables=(spec.name,), where=path.name)
        said = [str(value) for (value,) in connection.execute("select value from meta")] if "meta" in there else []
        _tell(path, (small for text in said for small in known.small(latin_digits(text))), tally, tried=len(said))


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(_as_stored(column).to_pylist() for column in batch.columns), strict=True)


def _as_stored(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return pc.cast(column, pa.int8())
    return pc.cast(column, pa.string()) if pa.types.is_date(column.type) else column


def _twin(path: Path, name: str, table: pa.Table, tally: Tally) -> None:
    if not path.exists():
        return
    tally.tried()
    types = {column: pa.string() for column in table.column_names}
    options = pcsv.ConvertOptions(column_types=types, strings_can_be_null=False)
    read = pcsv.read_csv(path, convert_options=options, parse_options=pcsv.ParseOptions(newlines_in_values=True))
    is_same = read.column_names == table.column_names and read.num_rows == table.num_rows
    if not is_same or any(not read[column].equals(_as_text(table[column])) for column in table.column_names):
        tally.hit("file_more", tables=(name,), where=_where(path))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    plain = pc.cast(column, pa.int8()) if pa.types.is_boolean(column.type) else column
    return pc.fill_null(pc.cast(plain, pa.string()), "")


def _report(release: Release, tables: dict[str, pa.Table], tally: Tally) -> None:
    path = release.folder / REPORT if release.folder else Path()
    if not path.is_file():
        return
    group = own_rows(tables[GROUPS])
    sizes = {name: _cases(group.filter(pc.is_valid(group[name]))) for name, _ in COLUMNS.values()}
    counted = {
        "case_count": _cases(group),
        "floor_count": _cases(group.filter(group["is_floor"])),
        "awaiting_count": pc.sum(tables["margin"]["awaiting_count"]).as_py() or 0,
    }
    report: dict[str, Any] = read_json(path)
    tally.tried(len(report))
    for fault in report_faults(report, counted=counted, kept={**sizes, "trace_key": sizes["trace_id"]}, k=release.k):
        tally.hit("report_more", tables=(), where=f"{_where(path)}: {fault}")


def _cases(group: pa.Table) -> int:
    return int(pc.sum(group["case_count"]).as_py() or 0)
