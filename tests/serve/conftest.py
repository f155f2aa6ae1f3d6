"""A small public instance as `run` leaves it: two releases, a database each, a built site, downloads; no pipeline."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette

from etl.engine import open_duckdb
from etl.instance import Instance
from etl.load import build_database, write_releases
from etl.metadata import load_dictionary
from etl.model.text import fold
from portal import build_site
from portal.serving import make_app
from tests.load.builder import AS_OF, Office, group
from tests.load.builder import make_instance as sample_instance

MONTHS = ("1403-01", "1403-02", "1403-03")
OUTCOMES = ("granted_full", "refused_exempt", None)
OLD, NEW = "1405-05", "1405-06"
SETTINGS = """
title: {fa: شفاف, en: Shafaf}
x-shafaf:
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}}
  bodies: [{id: karun, title: {fa: سازمان کارون, en: Karun Organisation}}]
  ladder: [{outcome: code, lateness: code}, {outcome: code}, {lateness: code}]
"""
GROUPS = 350  # more than three pages of a table
_SQL = {"integer": "INTEGER", "real": "REAL", "text": "TEXT", "date": "TEXT", "boolean": "INTEGER"}


class Client:
    """Speaks HTTP to an application in this process, over one event loop; follows no redirects, keeps no cookies."""

    def __init__(self, portal: BlockingPortal, app: Starlette) -> None:
        """Speak to an application through a loop's portal."""
        self._portal = portal
        self._transport = httpx.ASGITransport(app=app)

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request and read its answer whole; the path is sent as it stands."""

        async def send() -> httpx.Response:
            url = httpx.URL(path if path.startswith("http") else f"http://portal.test{path}")
            async with httpx.AsyncClient(transport=self._transport, timeout=30) as client:
                return await client.request(method, url, headers=headers, params=params)

        return self._portal.call(send)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """GET a path."""
        return self.request("GET", path, headers)


@contextmanager
def speak_to(app: Starlette) -> Iterator[Client]:
    """Start an application, give a client, and stop it."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield Client(portal, app)


@dataclass(frozen=True)
class Place:
    """A served instance: its folder and a client that speaks to its application."""

    instance: Instance
    client: Client


def make_database(path: Path, *, releases: tuple[str, ...]) -> None:
    """Write a published database with every table of the dictionary and rows in those that pages read."""
    with closing(sqlite3.connect(path)) as db:
        for table in load_dictionary().tables.values():
            columns = ", ".join(
                f"{c.name} {_SQL[c.kind]}{' PRIMARY KEY' if c.name == table.key else ''}" for c in table.columns
            )
            db.execute(f"create table {table.name} ({columns})")
            for column in table.index:
                db.execute(f"create index {table.name}_{column} on {table.name} ({column})")
        for number, release in enumerate(releases, 1):
            _fill_release(db, number, release)
        _fill_references(db)
        db.execute(files("etl.load").joinpath("views", "case_group_as_of_v1.sql").read_text(encoding="utf-8"))
        db.execute("create view case_group_v1 as select * from case_group where not is_floor")
        db.execute(
            "create view endless_v1 as with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
        )
        db.execute("create view large_v1 as select a.case_group_id from case_group a, case_group b")
        db.commit()


def _fill_release(db: sqlite3.Connection, number: int, release: str) -> None:
    db.execute(
        "insert into release values (?, ?, 'jalali', ?, '2026-10-08', 10, 'cases', 'hash', 1)",
        (release, number, release),
    )
    outcomes = ("granted_full", "refused_exempt", None)
    for rank in range(1, GROUPS + 1):
        row = {
            "case_group_id": number * 10_000_000 + rank,
            "release_id": release,
            "body_id": "karun" if rank % 3 else "alborz",
            "case_type_code": "foi",
            "period_code": release,
            "service_id": "permit" if rank % 2 else None,
            "outcome_code": outcomes[rank % 3],
            "lateness_code": ("on_time", "late")[rank % 2],
            "rung_number": 1 + rank % 4,
            "is_floor": 0,
            "case_count": 10 + rank % 7,  # many ties, so that paging by it can lose rows
            "wait_median_days": rank % 12 if rank % 5 else None,
        }
        names = ", ".join(row)
        db.execute(f"insert into case_group ({names}) values ({', '.join('?' * len(row))})", tuple(row.values()))


def _fill_references(db: sqlite3.Connection) -> None:
    bodies = [
        ("karun", "سازمان کارون", "Karun Organisation", None, None, ""),
        ("alborz", "اداره البرز", "Alborz", None, None, ""),
    ]
    bodies += [(f"body_{n:03}", f"دستگاه {n % 9}", f"Body {n % 9}", None, None, "") for n in range(150)]
    db.executemany("insert into body values (?, ?, ?, ?, ?, ?)", bodies)
    db.execute(
        "insert into service values ('permit', null, 0, 'گواهی پایان کار', 'Completion permit', 'پروانه', null, null)"
    )
    found = [("body", body[0], body[1], body[2], "") for body in bodies]
    found.append(("service", "permit", "گواهی پایان کار", "Completion permit", "پروانه"))
    db.executemany(
        "insert into search values (?, ?, ?, ?, ?, ?)",
        [(n, kind, key, fa, en, fold(f"{fa} {en} {more}")) for n, (kind, key, fa, en, more) in enumerate(found, 1)],
    )
    db.execute("create virtual table search_fts using fts5 (text_folded, content='search')")
    db.execute("insert into search_fts (rowid, text_folded) select rowid, text_folded from search")


def put_release(root: Path, release: str, *, releases: tuple[str, ...]) -> None:
    """Put a release in place as `run` does: files, database, site, each pointer last and by a rename."""
    datasets, public = root / "datasets", root / "public"
    folder = datasets / "releases" / release
    folder.mkdir(parents=True)
    (folder / "case_group.csv.gz").write_bytes(gzip.compress(b"case_group_id\n" * 2_000, mtime=0))
    (folder / "notes.private").write_text("not listed in the manifest")
    (folder / "manifest.json").write_text(json.dumps({"files": [{"name": "case_group.csv.gz"}]}))
    make_database(datasets / f"portal-{release}.db", releases=releases)
    _point(datasets, {"release_id": release, "database": f"portal-{release}.db", "as_of_on": "2026-10-08"})
    for language, direction in (("fa", "rtl"), ("en", "ltr")):
        page = public / release / language / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(
            f'<!DOCTYPE html><html lang="{language}" dir="{direction}"><head><title>{release}</title></head>'
            f"<body><main><h1>{release}</h1></main></body></html>"
        )
        (page.parent / "find.html").write_text(
            f'<!DOCTYPE html><html lang="{language}" dir="{direction}"><head><title>find</title></head>'
            '<body><input name="q" value=""><!--found--></body></html>'
        )
        for path in ("body/karun/index.html", "service/permit.html"):
            shown = page.parent / path
            shown.parent.mkdir(parents=True)
            shown.write_text("<!DOCTYPE html><title>shown</title>")
    static = public / release / "static"
    static.mkdir()
    (static / "portal.css").write_text("body { color: #17222c }")
    (public / release / ".hidden").write_text("hidden")
    _point(public, {"release_id": release, "as_of_on": "2026-10-08"})


def _point(folder: Path, pointer: dict[str, str]) -> None:
    staged = folder / ".current.json"
    staged.write_text(json.dumps(pointer))
    staged.rename(folder / "current.json")


def make_instance(root: Path) -> Instance:
    """Make the public folders of an instance with its first release."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "metadata.yml").write_text(SETTINGS, encoding="utf-8")
    put_release(root, OLD, releases=(OLD,))
    return Instance(root)


def make_office() -> Office:
    """Make some two hundred groups with many equal values and empty cells."""
    groups = [
        group(
            month,
            10 + number % 3,
            outcome_code=OUTCOMES[number % 3],
            lateness_code=("on_time", "late", None)[number // 3 % 3],
            duration_band_code=("00_02", "03_05")[number % 2],
            channel_code=("web", "desk", "post", "phone")[number // 9 % 4],
            service_id=("build", "shop")[number // 36],
            service_level="leaf",
        )
        for month in MONTHS
        for number in range(60)
    ]
    return Office(MONTHS, groups)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Serve an instance whose database `etl.load` built and whose pages `build_site` wrote."""
    root = tmp_path_factory.mktemp("loaded")
    instance: Instance = sample_instance(root / "instance")
    backend = open_duckdb(root / "spill", threads=1)
    office = make_office()
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    backend.disconnect()
    build_database(instance)
    build_site(instance)
    with speak_to(make_app(instance, demo=False)) as client:
        yield Place(instance, client)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Serve one instance that no test changes."""
    instance = make_instance(tmp_path_factory.mktemp("served"))
    with speak_to(make_app(instance, demo=False)) as client:
        yield Place(instance, client)


@pytest.fixture
def speak() -> Callable[[Starlette], AbstractContextManager[Client]]:
    """Give the way to speak to an application that the test makes itself."""
    return speak_to


@pytest.fixture
def anyio_run() -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Give the way to run a coroutine function to its end."""
    return anyio.run


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """Serve an instance that the test may change."""
    instance = make_instance(tmp_path)
    with speak_to(make_app(instance, demo=False)) as client:
        yield Place(instance, client)
