"""The server as a process: it refuses the wrong side of the boundary, bounds what it takes, ends when asked."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from etl.errors import SettingsError
from etl.instance import Instance
from portal.serving.server import check_boundary, serve
from tests.docs.typed import blocks

from .conftest import make_instance

PROGRAM = """
import logging, sys
from pathlib import Path
from etl.instance import Instance
from portal.serving import serve
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
serve(Instance(Path(sys.argv[1])), port=0, demo=sys.argv[2:] == ["demo"])
"""


@pytest.mark.parametrize("name", ["var", "sources"])
def test_serving_beside_private_folders_is_refused(tmp_path, name):
    """Exit 22, and the message says which folder and what to do."""
    instance = make_instance(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(SettingsError, match=f"{name}/.*--demo") as caught:
        serve(instance)
    assert (caught.value.exit_code, caught.value.slug) == (22, "serve-boundary")


def test_a_public_host_may_serve(tmp_path):
    """Nothing private is there, so nothing is in the way."""
    check_boundary(make_instance(tmp_path))


def test_a_taken_port_is_said_in_words(tmp_path):
    """Not a traceback."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(SettingsError, match="no way to listen") as caught:
            serve(Instance(tmp_path), port=holder.getsockname()[1])
    assert caught.value.slug == "serve-port"


@contextmanager
def running(root: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server as a program on a free port of the loopback; give it and its address."""
    place = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM, str(root), *more]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=place, env=dict(os.environ))
    assert program.stderr is not None
    found = None
    for line in program.stderr:
        found = re.search(r"serving at (http://127\.0\.0\.1:\d+)/", line)
        if found:
            break
    assert found, "the server did not start"
    yield program, found[1]
    if program.poll() is None:
        program.kill()
    program.wait(timeout=20)
    program.stderr.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server on a public instance."""
    root = tmp_path_factory.mktemp("process")
    make_instance(root)
    with running(root) as started:
        yield started


def raw(address: str, request: bytes) -> bytes:
    """Send bytes as they stand and read the answer to its end."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_pages_and_tables_come_over_a_real_connection(process):
    """One port for all of it, and no word about the software."""
    _, address = process
    for path in ("/fa/", "/data/portal/case_group.json?_size=1", "/status.json"):
        answer = httpx.get(address + path, timeout=20)
        assert answer.status_code == 200
        assert "server" not in answer.headers


@pytest.mark.parametrize("page", ["audit.md", "audit.fa.md"])
def test_the_copy_of_the_audit_page_is_what_is_published(loaded, project, tmp_path, page):
    """Typed as it stands, with Python alone: every release, checked against its manifest, and the database."""
    (tmp_path / "copy_portal.py").write_text(blocks(project / "docs" / "how-to" / page, "python")[0], encoding="utf-8")
    with running(loaded.instance.root, "demo") as (_, address):
        command = [sys.executable, "-I", str(tmp_path / "copy_portal.py"), address, str(tmp_path / "copy")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    datasets, copied = loaded.instance.datasets, tmp_path / "copy" / "datasets"
    releases = sorted(folder.name for folder in (datasets / "releases").iterdir())
    assert f"{len(releases)} releases" in done.stdout
    published = [path for name in releases for path in (datasets / "releases" / name).iterdir()]
    published += [datasets / "current.json", datasets / json.loads((datasets / "current.json").read_text())["database"]]
    for path in published:
        assert (copied / path.relative_to(datasets)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "target",
    [b"/../metadata.yml", b"/fa/../../metadata.yml", b"//evil.example/", b"/\\evil.example/", b"/%2e%2e/metadata.yml"],
)
def test_raw_traps_are_refused(process, target):
    """What clients tidy up before sending is sent here as it stands."""
    answer = raw(process[1], b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ")[1] in (b"400", b"404")
    assert b"location:" not in answer.lower()
    assert b"x-shafaf" not in answer


def test_an_endless_head_is_cut_off(process):
    """A head that never ends gets an answer, or a closed door, long before it fills the memory."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Y: " + b"z" * 1_000_000
    try:
        answer = raw(process[1], head)
    except (ConnectionResetError, BrokenPipeError):
        return
    assert answer.split(b" ")[1].startswith(b"4")


def test_compressed_pages_and_ranges_of_files_do_not_mix(process):
    """Pages shrink; a range of a packed file is bytes of that file."""
    _, address = process
    page = httpx.get(f"{address}/data/portal/case_group", timeout=20)
    assert page.headers["content-encoding"] == "gzip"
    part = httpx.get(f"{address}/datasets/portal-1405-05.db", headers={"range": "bytes=0-5"}, timeout=20)
    assert (part.status_code, part.content) == (206, b"SQLite")
    assert "content-encoding" not in part.headers


def test_a_proxy_with_a_certificate_is_believed(process):
    """The address of the next page keeps the scheme that the reader used."""
    path = f"{process[1]}/data/portal/case_group.json?_size=1"
    answer = httpx.get(path, headers={"x-forwarded-proto": "https"}, timeout=20)
    assert answer.json()["next_url"].startswith("https://")


def test_small_answers_are_not_held_back(process):
    """Where TCP waits to fill a packet, each answer on a kept connection costs 40 ms."""
    with httpx.Client(base_url=process[1], timeout=20) as client:
        taken = [client.get("/fa/").elapsed.total_seconds() for _ in range(20)]
    assert min(taken) < 0.03


def test_sigterm_ends_the_server(process):
    """Within the time of grace; must stand last in this file."""
    running, address = process
    assert httpx.get(f"{address}/fa/", timeout=20).status_code == 200
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
