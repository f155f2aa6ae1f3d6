"""The front on one port: the built site at `/`, downloads at `/datasets/`, Datasette at `/data/`, search, status.

Stands at the public side of the trust boundary: it reads `datasets/` and `public/` only. New releases appear without a
restart (`pointers`, `shelf`). It does no SQL of its own but search, and keeps no state about readers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from etl.calendars import parse_period, period_of
from etl.errors import SettingsError
from etl.instance import Instance
from portal.serving.data_door import DataDoor
from portal.serving.explorer import PREFIX
from portal.serving.files import SOON, download, page_or_asset, prefers_english
from portal.serving.find import MAX_QUESTION, find
from portal.serving.find_page import find_page
from portal.serving.layers import AccessLog, DemoBanner, Gate, SecurityHeaders
from portal.serving.pointers import Watched
from portal.serving.shelf import Shelf
from portal.serving.words import not_found, unavailable

ASSETS: Final = Path(__file__).parent / "assets"
_PACKED: Final = ("application/octet-stream", "application/vnd.apache.parquet", "application/vnd.sqlite3")


def make_app(instance: Instance, *, demo: bool) -> Starlette:
    """Make the ASGI application of an instance; `demo` writes a banner into every page.

    Reads nothing before the first request; where nothing is released yet, pages answer 503 until something is.
    """
    front = _Front(instance, Shelf(instance.datasets), Watched(instance.public / "current.json", is_site=True))
    excluded = (*DEFAULT_EXCLUDED_CONTENT_TYPES, *_PACKED)
    layers = [
        Middleware(AccessLog),
        Middleware(SecurityHeaders),
        Middleware(Gate),
        Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6, exclude_content_types=excluded),
        *([Middleware(DemoBanner)] if demo else []),
    ]
    return Starlette(routes=front.routes(), middleware=layers, lifespan=front.lifespan)


@dataclass(frozen=True)
class _Front:
    """The handlers of one instance: where its data are, the explorer of the day, the site of the day."""

    instance: Instance
    shelf: Shelf
    site: Watched

    def routes(self) -> list[Route | Mount]:
        """List the addresses, the most particular first."""
        return [
            Route("/status.json", self.status),
            Route("/{language}/find", self.search),
            Mount(f"{PREFIX}/assets", StaticFiles(directory=ASSETS)),
            Route(PREFIX, DataDoor(self.shelf)),
            Mount(PREFIX, DataDoor(self.shelf)),
            Route("/datasets/{path:path}", self.download),
            Route("/{path:path}", self.page),
        ]

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Open what is current before the first reader comes, close it after the last one left."""
        await self.shelf.pointer()
        self.site.look()
        yield
        await self.shelf.close()

    async def page(self, request: Request) -> Response:
        """Answer a path of the built site."""
        pointer = self.site.look()
        path = request.path_params["path"]
        language = path[:2] if path.startswith(("fa/", "en/")) else "en" if prefers_english(request.scope) else "fa"
        if pointer is None:
            return unavailable(language=language)
        found = await page_or_asset(pointer.target, path, request.scope)
        if found is None and path == "":
            found = RedirectResponse(f"/{language}/", status_code=302, headers={"vary": "Accept-Language"})
        return found or not_found(language=language)

    async def download(self, request: Request) -> Response:
        """Answer a download."""
        found = await download(self.instance.datasets, request.path_params["path"], request.scope)
        return found or not_found(language="en" if prefers_english(request.scope) else "fa")

    async def search(self, request: Request) -> Response:
        """Answer a search for bodies and services by a page."""
        language = request.path_params["language"]
        released, site = await self.shelf.pointer(), self.site.look()
        if language not in ("fa", "en"):
            return not_found()
        if released is None or site is None:
            return unavailable(language=language)
        pages = site.target / language
        built = pages / "find.html"
        if not built.is_file():
            return not_found(language=language)
        question = request.query_params.get("q", "")[:MAX_QUESTION]
        found = [item for item in await run_sync(find, released.target, question) if (pages / item.path).is_file()]
        html = find_page(built.read_text(encoding="utf-8"), language, question, found)
        return HTMLResponse(html, headers={"cache-control": SOON, "x-robots-tag": "noindex"})

    async def status(self, request: Request) -> Response:
        """Say which release is served, of which day its data are, and when the next one is due."""
        released, site = await self.shelf.pointer(), self.site.look()
        found: dict[str, Any] = {
            "release_id": released.release_id if released else None,
            "as_of_on": released.as_of_on if released else None,
            "site_release_id": site.release_id if site else None,
            "next": next_release(self.instance, released.release_id) if released else None,
        }
        return JSONResponse(found, status_code=200 if released and site else 503, headers={"cache-control": "no-cache"})


def next_release(instance: Instance, release_id: str) -> dict[str, str] | None:
    """Name the month after a release and the first civil date on which it can be released; None without settings."""
    try:
        policy = instance.settings.policy
    except SettingsError:
        return None
    system = policy.calendar.system
    month = period_of(system, "month", parse_period(system, release_id).last_on + timedelta(days=1))
    due = month.last_on + timedelta(days=policy.cadence.settle_days)
    return {"release_id": month.code, "due_on": due.isoformat()}
