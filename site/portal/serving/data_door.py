"""The door `/data/`: which addresses reach Datasette, and in which shape requests and answers pass.

Only the published database passes: Datasette's information pages, downloads, other formats and cookies do not. The
prefix is stripped as Datasette 0.65 needs it (path and raw path without, root path empty, base_url with), redirects are
brought back under the prefix, and JSON is always a list of objects unless the reader asks otherwise.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from portal.serving.explorer import PREFIX, Explorer
from portal.serving.plugin import DATABASE
from portal.serving.shelf import Shelf
from portal.serving.words import not_found, refused, unavailable

_SEGMENT: Final = r"[A-Za-z0-9_~,+:-]+"
_ROW: Final = r"[A-Za-z0-9_~,+:.-]+"
ALLOWED: Final = re.compile(
    rf"^/{DATABASE}(?:\.json)?$|^/{DATABASE}/{_SEGMENT}(?:\.json|\.csv|\.xlsx)?$|^/{DATABASE}/{_SEGMENT}/{_ROW}$"
)
_QUERY: Final = re.compile(rf"^/{DATABASE}/(\w+)(\.json|\.csv|\.xlsx)?$")
_DROPPED: Final = frozenset({"_ttl", "_trace", "_context", "_stream"})
_HIDDEN: Final = (b"cookie", b"authorization", b"x-forwarded-prefix")
CACHE: Final = "public, max-age=60"


class DataDoor:
    """ASGI application mounted at `/data/`; lends the current explorer to each request."""

    def __init__(self, shelf: Shelf) -> None:
        """Serve the explorers of a shelf."""
        self._shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request under the prefix."""
        refusal = refuse(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        async with self._shelf.lend() as explorer:
            if explorer is None:
                await unavailable()(scope, receive, send)
                return
            unanswered = unanswerable(explorer, scope)
            if unanswered is not None:
                await unanswered(scope, receive, send)
            else:
                await explorer.app(inner_scope(scope), receive, _outer_send(send))


def refuse(scope: Scope) -> Response | None:
    """Give the answer to a request that Datasette must not see; None where it may."""
    path = _inner_path(scope)
    if path in ("", "/"):
        return RedirectResponse(f"{PREFIX}/{DATABASE}", status_code=302)
    if len(path) > 1 and path.endswith("/") and ALLOWED.match(path[:-1]):
        query = scope["query_string"].decode("ascii", "replace")
        return RedirectResponse(f"{PREFIX}{path[:-1]}{'?' if query else ''}{query}", status_code=308)
    return None if ALLOWED.match(path) else not_found()


def unanswerable(explorer: Explorer, scope: Scope) -> Response | None:
    """Refuse what would be answered with zeros that are no figures: a query without its values, a column that is not there.

    The page of a query shows its form instead.
    """
    asked = _QUERY.match(_inner_path(scope))
    if asked is None:
        return None
    pairs = parse_qsl(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
    given = dict(reversed(pairs))  # of two values Datasette takes the first
    is_machine = bool(asked[2]) or "_format" in given
    error = explorer.refuse(asked[1], given) if is_machine or not explorer.is_query(asked[1]) else None
    if error is None:
        return None
    if not is_machine:
        return refused(400, error)
    told = {"ok": False, "error": error, "status": 400, "title": None}
    return JSONResponse(told, status_code=400, headers={"cache-control": "no-store"})


def inner_scope(scope: Scope) -> Scope:
    """Give the request as Datasette must see it: no prefix, no cookies, JSON as objects."""
    path = _inner_path(scope)
    return {
        **scope,
        "path": path,
        "raw_path": path.encode("ascii"),
        "root_path": "",
        "query_string": inner_query(scope["query_string"], is_json=path.endswith(".json")),
        "headers": [(name, value) for name, value in scope["headers"] if name.lower() not in _HIDDEN],
    }


def inner_query(query: bytes, *, is_json: bool) -> bytes:
    """Drop what would steer caches or streams from a query string and ask for objects where it is JSON."""
    pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name not in _DROPPED]
    if is_json and not any(name == "_shape" for name, _ in kept):
        kept.append(("_shape", "objects"))
    return urlencode(kept).encode("ascii") if kept != pairs else query


def _inner_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
    return raw.partition(b"?")[0].decode("latin-1").removeprefix(PREFIX)


def _outer_send(send: Send) -> Send:
    async def outer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [(name.lower(), value) for name, value in message["headers"]]  # as ASGI asks
            headers = MutableHeaders(scope=message)
            del headers["set-cookie"]
            location = headers.get("location")
            if location is not None and not location.startswith(f"{PREFIX}/"):
                headers["location"] = f"{PREFIX}/" + location.lstrip("/\\")
            headers["cache-control"] = CACHE if message["status"] == 200 else "no-store"
        await send(message)

    return outer
