"""While runs are killed beside it, a server goes on answering the last release, and the new one once it is whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.dying.killing import kill, recover
from tests.dying.office import Scene, command

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]  # whole runs, on machines that are busy too
DEATHS = (("anonymise", 0.1), ("database", 0.05))


def test_the_last_release_is_served_through_every_death(scene: Scene, tmp_path: Path) -> None:
    """Pages and tables answer from one whole release at all times; after the next run from the new one."""
    root = scene.copy(tmp_path / "served")
    with serving(root) as client:
        before = front_page(client)
        assert before == page_of(scene.before)
        for step, delay in DEATHS:
            line = next(line for line, _ in scene.timing.starts if line.startswith(step))
            assert kill(root, scene.arguments, step=line, delay=delay)
            assert front_page(client) == before
            assert client.get("/data/portal/release.json?_shape=array").status_code == 200
        assert recover(scene, root) == []
        assert front_page(client) == page_of(scene.after)
        assert len(client.get("/data/portal/release.json?_shape=array").json()) == 7


def front_page(client: httpx.Client) -> str:
    """Ask for the release that the first page says it shows."""
    answer = client.get("/fa/")
    assert answer.status_code == 200
    return title_and_main(answer.text)


def page_of(root: Path) -> str:
    """Read the same from the newest site on disk."""
    newest = max(path for path in (root / "public").iterdir() if path.is_dir())
    return title_and_main((newest / "fa" / "index.html").read_text(encoding="utf-8"))


def title_and_main(text: str) -> str:
    """Keep the part of a page that the server does not add a banner to."""
    return "".join(re.findall(r"<main.*</main>", text, re.DOTALL))


@contextmanager
def serving(root: Path) -> Iterator[httpx.Client]:
    """Serve an instance as a program on a free port of the loopback; give a client of it."""
    with subprocess.Popen(command(root, "serve", "--demo", "--port", "0"), stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = next(line for line in server.stderr if line.startswith("serving at"))
        try:
            with httpx.Client(base_url=line.split()[-1], timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.terminate()
