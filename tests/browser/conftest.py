"""A demo made by the whole pipeline, served by a real process, looked at by Chromium.

`SHAFAF_INSTANCE` names an instance that is built already (then none is made); `SHAFAF_SCREENSHOTS` a folder for pictures.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from etl.demo import make_office
from etl.instance import Instance
from etl.pipeline import run

ROOT = Path(__file__).parents[2]
LANGUAGES = ("fa", "en")
WIDTHS = (360, 1280)
TWINS = (
    "home",
    "body",
    "type",
    "service",
    "letter",
    "data",
    "methodology",
    "privacy",
    "quality",
    "find",
    "nothing",
)
BOTH = ("choose", "tables", "table", "row", "query", "error")  # one page for both languages
PAGES = (*((kind, language) for kind in TWINS for language in LANGUAGES), *((kind, "fa") for kind in BOTH))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)
PROGRAM = """
import logging, sys
from pathlib import Path
from etl.instance import Instance
from portal.serving import serve
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
serve(Instance(Path(sys.argv[1])), port=0, demo=True)
"""


@dataclass(frozen=True)
class Site:
    """A served site: its address and the folder it was built into."""

    address: str
    folder: Path

    def url(self, kind: str, language: str) -> str | None:
        """Give the address of a page of a kind; None where this site has none."""
        fixed = {
            "choose": "/",
            "find": f"/{language}/find?q=a",
            "nothing": f"/{language}/nothing.html",
            "tables": "/data/portal",
            "table": "/data/portal/case_group?_sort=case_count",
            "row": "/data/portal/body/shahrdari",
            "query": "/data/portal/bodies",
            "error": "/data/portal/nothing",
        }
        if kind in fixed:
            return self.address + fixed[kind]
        pages = {
            "home": "index.html",
            "body": "body/*/index.html",
            "type": "body/*/[!i]*.html",
            "service": "service/*.html",
        }
        found = sorted(
            (self.folder / language).glob(pages.get(kind, f"{kind}.html")), key=lambda page: page.stat().st_size
        )
        return f"{self.address}/{found[-1].relative_to(self.folder)}" if found else None


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """Give a built demo: the one that SHAFAF_INSTANCE names, else a small one made here by the whole pipeline."""
    named = os.environ.get("SHAFAF_INSTANCE")
    if named:
        return Instance(Path(named))
    root = tmp_path_factory.mktemp("demo")
    for name in ("metadata.yml", "services.csv", "units.csv"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "sources", root / "sources")
    demo = Instance(root)
    demo.secret(create=True)
    make_office(demo.office, months=15, cases=9_000)
    run(demo)
    return demo


@pytest.fixture(scope="session")
def site(instance: Instance) -> Iterator[Site]:
    """Serve the demo by a process of its own on a free port of the loopback."""
    command = [sys.executable, "-c", PROGRAM, str(instance.root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ)) as process:
        assert process.stderr is not None
        found = next((m for line in process.stderr if (m := re.search(r"serving at (http://\S+)/", line))), None)
        assert found, "the server did not start"
        newest = max(path for path in instance.public.iterdir() if re.fullmatch(r"\d{4}-\d{2}", path.name))
        yield Site(found[1], newest)
        process.terminate()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; a machine without it skips these tests and says so."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine; .ci/install installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> Mapping[tuple[int, bool], BrowserContext]:
    """Give a browser window for each width, without and with JavaScript."""
    return {
        (width, scripts): chromium.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
        for width in WIDTHS
        for scripts in (False, True)
    }


@pytest.fixture
def bare(contexts: Mapping[tuple[int, bool], BrowserContext], width: int) -> Iterator[BrowserContext]:
    """Give a window without JavaScript, as wide as the test asks; its pages are closed after the test."""
    yield from _swept(contexts[width, False])


@pytest.fixture
def scripted(contexts: Mapping[tuple[int, bool], BrowserContext], width: int) -> Iterator[BrowserContext]:
    """Give a window with JavaScript, in which a test may measure; its pages are closed after the test."""
    yield from _swept(contexts[width, True])


def _swept(context: BrowserContext) -> Iterator[BrowserContext]:
    yield context
    for page in context.pages:
        page.close()
