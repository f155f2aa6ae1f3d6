"""Side channels: what order, ids, names, clocks and leftovers of published files tell beside the rows (research §6.3).

Row ids and file order are the sort of the published values and nothing else; a file holds no column that the dictionary
does not name, no clock of the moment it was made, no hash of anything but a file; a timeline that no group shows is the
remains of a case; free pages of a database keep what was deleted. Bytes are looked at, not trusted. A file of a kind that
is not in `etl.audit.kinds` is a hit, whatever it says: nobody reads it here, but anybody may download it.
"""

from __future__ import annotations

import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.audit.evidence import GROUPS, ROWS_A_RELEASE, Evidence, Release, open_database
from etl.audit.finding import Attack, Tally
from etl.audit.kinds import unknown_files
from etl.audit.sqlite_pages import read_pages
from etl.metadata import TableSpec, load_dictionary
from etl.model.text import fold

NAME = "side_channels"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
TEXTS = (".json", ".jsonld", ".yml", ".html", ".svg", ".js", ".xml", ".csv", ".txt")
CLOCK = re.compile(rb"(?<!\d)(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d")
HASH = re.compile(rb"(?<![0-9a-zA-Z+/])[0-9a-f]{64}(?![0-9a-zA-Z+/])")
NAMED_BY_CASE = re.compile(r"[0-9a-f]{16,}|(?:case|key)[_-]?\d+", re.I)
BY_CONTENT = ("trace", "rung")  # numbered by what lies in trace_step; by the order of the ladder


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look at every published file that is there; nothing is drawn."""
    tally = Tally(NAME)
    for release in evidence.releases:
        _rows_in_order(release, evidence, tally)
    _timelines_of_nobody(evidence, tally)
    known = _known_hashes(evidence)
    tally.tried(len(evidence.files))
    unknown = unknown_files(evidence)
    for name in evidence.files:
        if name in unknown:
            tally.hit("unknown_file", tables=(), where=name)
        if (evidence.root / name).is_file():
            _look_at(evidence.root / name, known, tally)
    for release in evidence.releases:
        if release.folder is not None:
            for spec in load_dictionary().tables.values():
                _only_known_columns(release.folder / f"{spec.name}.parquet", spec, tally)
    for path in evidence.databases:
        _database(path, known, tally)
    return tally.done()


def _rows_in_order(release: Release, evidence: Evidence, tally: Tally) -> None:
    first = release.number * ROWS_A_RELEASE + 1
    for spec in load_dictionary().tables.values():
        table = evidence.table(spec.name)
        if spec.scope != "release" or not table.num_rows or not pa.types.is_integer(table.schema.field(spec.key).type):
            continue
        number = pc.divide(table[spec.key], ROWS_A_RELEASE)
        own = table.filter(pc.equal(number, release.number))
        tally.tried()
        if not _is_sorted(own, spec, first):
            tally.hit("row_order", tables=(spec.name,), where=f"release_id = '{release.release_id}'")


def _is_sorted(table: pa.Table, spec: TableSpec, first: int) -> bool:
    """Ids count up by one, in the order of the file, and follow the sort of all other columns, NULL first."""
    if table[spec.key].to_pylist() != list(range(first, first + table.num_rows)):
        return False
    if spec.name in BY_CONTENT:
        return True
    values = table.select([name for name in spec.names if name != spec.key])
    order = pc.sort_indices(values, sort_keys=[(name, "ascending", "at_start") for name in values.column_names])
    return bool(values.take(order).equals(values))


def _timelines_of_nobody(evidence: Evidence, tally: Tally) -> None:
    group, trace, step = (evidence.table(name) for name in (GROUPS, "trace", "trace_step"))
    if not trace.num_rows:
        return
    used = pc.unique(group["trace_id"]).drop_null()
    for name, table in (("trace", trace), ("trace_step", step)):
        tally.tried(table.num_rows)
        for row in table.filter(pc.invert(pc.is_in(table["trace_id"], used)))["trace_id"].unique().to_pylist():
            tally.hit("stray_timeline", tables=(name,), where=f"trace_id = {row}")


def _look_at(path: Path, known: frozenset[bytes], tally: Tally) -> None:
    tally.tried()
    where = f"{path.parent.name}/{path.name}"
    if NAMED_BY_CASE.search(path.stem) and path.suffix not in (".js", ".css", ".woff2"):
        tally.hit("file_name", tables=(), where=where)
    if path.suffix == ".gz" and path.read_bytes()[3:8] != b"\0\0\0\0\0":
        tally.hit("clock", tables=(), where=where)  # flags (a name) and time of making, RFC 1952 §2.3
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(entry.date_time != ZIP_EPOCH for entry in archive.infolist()):
                tally.hit("clock", tables=(), where=where)
    for text in _texts(path):
        if CLOCK.search(text) and path.suffix not in (".js", ".html"):
            tally.hit("clock", tables=(), where=where)
        if set(HASH.findall(text)) - known:
            tally.hit("hash", tables=(), where=where)


def _texts(path: Path) -> Iterator[bytes]:
    """Give the text of a file in pieces that overlap nowhere a hash or a time could hide in lines."""
    if path.suffix in TEXTS and not path.name.startswith("plotly"):
        yield path.read_bytes()
    elif path.suffix == ".gz":
        yield zlib.decompress(path.read_bytes(), wbits=31)


def _known_hashes(evidence: Evidence) -> frozenset[bytes]:
    """Hashes that everybody can make again, of released files and of policies, and the salted ones of what was staged."""
    known = {release.policy_sha256.encode() for release in evidence.releases}
    for name in evidence.files:
        if name.startswith("datasets/attested/"):
            known |= set(HASH.findall((evidence.root / name).read_bytes()))
    for release in evidence.releases:
        if release.folder is not None:
            known |= set(HASH.findall((release.folder / "manifest.json").read_bytes()))
    return frozenset(known)


def _only_known_columns(path: Path, spec: TableSpec, tally: Tally) -> None:
    if not path.exists():
        return
    tally.tried()
    schema = pq.read_schema(path)
    more = set(schema.names) - set(spec.names)
    if more or schema.metadata:
        tally.hit("unknown_column", tables=(spec.name,), where=f"{path.parent.name}/{path.name}")


def _database(path: Path, known: frozenset[bytes], tally: Tally) -> None:
    pages = read_pages(path)
    tally.tried(pages.page_count)
    if pages.free_count or pages.dirty:
        tally.hit(
            "residue", tables=(), where=f"{path.name}: {pages.free_count} free pages, {len(pages.dirty)} not clean"
        )
    tables = load_dictionary().tables
    with open_database(path) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            tally.tried()
            if name in tables:
                columns = {row[1] for row in connection.execute(f'pragma table_info("{name}")')}
                if columns - set(tables[name].names):
                    tally.hit("unknown_column", tables=(name,), where=path.name)
            elif not name.startswith(("search_fts", "sqlite_")):
                tally.hit("unknown_column", tables=(name,), where=path.name)
        if "sha256" in {row[1] for row in connection.execute("pragma table_info(file)")}:
            tally.tried()
            if {row[0].encode() for row in connection.execute("select sha256 from file")} - known:
                tally.hit("hash", tables=("file",), where=path.name)
        _search_index(connection, path, tally)


def _search_index(connection: sqlite3.Connection, path: Path, tally: Tally) -> None:
    """The index of words holds nothing but the words of the table it indexes, and that the names of what is found."""
    if connection.execute("select 1 from sqlite_master where name = 'search_fts'").fetchone() is None:
        return
    tally.tried()
    orphans = connection.execute(
        "select count(*) from search_fts_docsize where id not in (select search_id from search)"
    ).fetchone()[0]
    named = {
        (kind, row[0]): _words(row)
        for kind in ("body", "service")
        for row in connection.execute(f"select {kind}_id, * from {kind}")
    }
    found = connection.execute("select kind_code, item_id, title_fa, title_en, text_folded from search")
    if orphans or any(_words(said) - named.get((kind, item), set()) for kind, item, *said in found):
        tally.hit("index_text", tables=("search",), where=path.name)


def _words(texts: Iterable[object]) -> set[str]:
    return set(fold(" ".join(text for text in texts if isinstance(text, str))).split())
