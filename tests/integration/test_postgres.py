"""A real PostgreSQL server as source: the same rows as from SQLite, one snapshot, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from etl.demo import make_office
from etl.engine import open_duckdb
from etl.errors import SettingsError, SourceError
from etl.extract import extract, open_staging
from etl.extract.mapping import SourceMap
from etl.extract.mapping_file import load_source
from etl.extract.opening import open_source
from etl.instance import Instance
from tests.integration.conftest import copy_settings
from tests.integration.postgres import Server, find_programs, load_database, run_server

pytestmark = pytest.mark.long
SOURCES = ("desk", "automation")
# what SQLite says in its own way, and PostgreSQL's: a truth is no number there
DIALECT = {"(r.decided_date is not null)": "(r.decided_date is not null)::int"}
DIALECT |= {"(r.closed_date is not null)": "(r.closed_date is not null)::int"}
# the instant, only if the transaction is what docs/how-to/add-a-source.md promises
SNAPSHOT = """snapshot_query = '''select value from meta where key = 'snapshot_at'
  and current_setting('transaction_isolation') = 'repeatable read'
  and current_setting('transaction_read_only') = 'on' '''"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases of a small synthetic office."""
    folder = tmp_path_factory.mktemp("office")
    make_office(folder, until="1405-06", months=3, cases=1500)
    return folder


@pytest.fixture(scope="module")
def server(office: Path) -> Iterator[Server]:
    """A server that holds the office in two schemas; skipped, with the reason, where PostgreSQL is not installed."""
    programs = find_programs()
    if programs is None:
        if os.environ.get("REQUIRE_POSTGRESQL"):
            pytest.fail("REQUIRE_POSTGRESQL is set and no PostgreSQL server is installed")
        pytest.skip("no PostgreSQL server: Debian's package postgresql brings it (.ci/install)")
    with run_server(programs) as running:
        for name in SOURCES:
            tables = files("etl.demo").joinpath(f"{name}.sql").read_text(encoding="utf-8")
            load_database(running, name, tables=tables, database=office / f"{name}.db")
        yield running


@pytest.fixture
def instance(project: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """The demo's instance with both sources on PostgreSQL, their addresses in the environment."""
    monkeypatch.setenv("SHAFAF_SECRET_FILE", str(_secret(tmp_path)))
    root = copy_settings(project, _folder(tmp_path / "postgres"))
    for name in SOURCES:
        monkeypatch.setenv(f"{name.upper()}_URL", server.address(name))
        mapping = root / "sources" / name / "source.toml"
        lines = mapping.read_text(encoding="utf-8").splitlines()
        lines = [f'url = "env:{name.upper()}_URL"' if line.startswith("url =") else line for line in lines]
        lines = [SNAPSHOT if line.startswith("snapshot_query =") else line for line in lines]
        mapping.write_text("\n".join(lines), encoding="utf-8")
        query = root / "sources" / name / "case.sql"
        query.write_text(_translate(query.read_text(encoding="utf-8")), encoding="utf-8")
    return Instance(root)


def test_postgresql_gives_the_rows_that_sqlite_gives(
    project: Path, office: Path, instance: Instance, tmp_path: Path
) -> None:
    """Every cell of staging is the same, keys included, whichever server holds the office."""
    other = Instance(copy_settings(project, _folder(tmp_path / "sqlite")))
    (other.root / "office").symlink_to(office)
    report, expected = extract(instance), extract(other)
    assert report.staged > 1000
    assert (report.read, report.staged, report.quarantined) == (expected.read, expected.staged, expected.quarantined)
    assert _staged(instance) == _staged(other)


def test_what_changed_on_a_server_is_read_alone(instance: Instance, server: Server) -> None:
    """A run over changes finds an edit, and stages what a whole run would."""
    read = extract(instance).read
    with server.connect() as other:
        other.execute("update desk.meta set value = '2026-10-20T17:00:00Z' where key = 'snapshot_at'")
        other.execute(
            """update desk.request set promised_date = null, changed_at = '2026-10-20'
               where request_id = (select min(request_id) from desk.request where promised_date is not null)"""
        )
    report = extract(instance)
    assert (report.is_window, report.read) == (True, read)
    assert report.staged == extract(instance, full=True, dry_run=True).unchanged - report.unchanged == 1


def test_a_source_is_read_in_one_snapshot(instance: Instance, server: Server) -> None:
    """What another program commits while a source is read is not seen."""
    source = _source(instance, "desk")
    count = "select count(*) from survey"
    with open_source(source, instance.root) as rows, server.connect() as other:
        before = rows.snapshot_text(count)
        other.execute("insert into desk.survey select request_id, 5, null from desk.request limit 1")
        assert rows.snapshot_text(count) == before
    with open_source(source, instance.root) as rows:
        assert rows.snapshot_text(count) == int(str(before)) + 1
    with server.connect() as other:
        other.execute("delete from desk.survey where ctid = (select max(ctid) from desk.survey)")


def test_a_source_cannot_be_written_to(instance: Instance, server: Server) -> None:
    """A query that changes rows is refused by the server, even for an account that may."""
    with pytest.raises(SourceError), open_source(_source(instance, "desk"), instance.root) as rows:
        rows.snapshot_text("delete from survey returning 1")
    with server.connect() as other:
        (left,) = other.execute("select count(*) from desk.survey").fetchone() or (0,)
    assert left > 0


def test_a_server_that_is_gone_is_a_source_error(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is exit code 21, and neither address nor account stands in the message."""
    monkeypatch.setenv("DESK_URL", "postgresql://somebody:s3cret@127.0.0.1:1/office")
    with pytest.raises(SourceError) as caught:
        extract(instance)
    assert "somebody" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_unknown_kind_of_database_is_a_settings_error(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address whose driver is not there is told as a setting, not as a traceback."""
    for address in ("nonesuch://127.0.0.1/office", "oracle://127.0.0.1/office"):
        monkeypatch.setenv("DESK_URL", address)
        with pytest.raises(SettingsError) as caught:
            extract(instance)
        assert caught.value.slug == "source-url"


def _staged(instance: Instance) -> dict[str, list[dict[str, object]]]:
    backend = open_duckdb(instance.private_folder("tmp"), memory_limit="500MB")
    staging = open_staging(backend, instance.staging)
    assert staging is not None
    tables = {"case": staging.case, "event": staging.event, "case_exemption": staging.case_exemption}
    try:
        return {
            name: sorted((row for row in table.to_pyarrow().to_pylist()), key=str) for name, table in tables.items()
        }
    finally:
        backend.disconnect()


def _source(instance: Instance, name: str) -> SourceMap:
    return load_source(instance.sources / name, instance.settings)


def _translate(query: str) -> str:
    for ours, theirs in DIALECT.items():
        query = query.replace(ours, theirs)
    return query


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _secret(folder: Path) -> Path:
    path = folder / "secret"
    path.write_text("00112233445566778899aabbccddeeff" * 2, encoding="ascii")
    path.chmod(0o600)
    return path
