"""What stands around every answer: a gate for odd requests, security headers, the demo's banner, the access log.

Each is an ASGI layer of its own. Headers follow the OWASP secure headers list; HSTS is left to the proxy that holds the
certificate. The log holds method, path, status, bytes and time, never a query string: what people search is theirs.
"""

from __future__ import annotations

import logging
import re
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.serving.words import BANNER, direction_of, refused

_ACCESS = logging.getLogger("shafaf.access")
MAX_ADDRESS: Final = 4_096  # bytes of path and query string
_ODD: Final = re.compile(rb"[\\\x00-\x20\x7f-\xff]|^//|%(?:2f|5c|00|0a|0d)", re.IGNORECASE)
SECURITY: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
        "frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
}
_OPEN: Final = ("/data/", "/datasets/", "/status.json")  # machine-readable and public: any site may read it
_BODY: Final = re.compile(rb"<body[^>]*>")
_LANG: Final = re.compile(rb"<html[^>]*\blang=[\"']?(fa|en)")
_BOTH: Final = re.compile(rb"<html[^>]*\bdata-languages=")  # a page that speaks both languages says so


class Gate:
    """Refuses what no reader's browser sends: other methods, long addresses, backslashes, control characters."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8")
        if scope["method"] not in ("GET", "HEAD"):
            answer = refused(405, "Only GET and HEAD.")
            answer.headers["allow"] = "GET, HEAD"
        elif len(raw) + len(scope["query_string"]) > MAX_ADDRESS:
            answer = refused(414, "The address is too long.")
        elif _ODD.search(raw):
            answer = refused(400, "The address holds a character that has no place there.")
        else:
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)


class SecurityHeaders:
    """Adds the security headers to every answer, and permission to read public data from other sites."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def outer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers[name] = value
                if scope["path"].startswith(_OPEN):
                    headers["access-control-allow-origin"] = "*"
            await send(message)

        await self._app(scope, receive, outer)


class DemoBanner:
    """Writes into every HTML page that this is a demonstration, in the page's language."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request, collect an HTML answer whole and mark it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        dropped = (b"if-none-match", b"if-modified-since", b"range") if _is_page(scope["path"]) else ()
        scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}
        start: Message | None = None
        body = bytearray()

        async def outer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    marked = with_banner(bytes(body)) if scope["method"] != "HEAD" else b""
                    await send(_with_length(start, marked, is_head=scope["method"] == "HEAD"))
                    await send({"type": "http.response.body", "body": marked})

        await self._app(scope, receive, outer)


class AccessLog:
    """Writes one line per answer; the query string never."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request and write its line when the answer ends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status, size = 0, 0

        async def outer(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, outer)
        finally:
            path = (scope.get("raw_path") or b"").partition(b"?")[0][:200].decode("ascii", "replace")
            _ACCESS.info(
                "%s %s %d %d %.0f ms", scope["method"], path, status, size, 1e3 * (time.perf_counter() - begun)
            )


def with_banner(page: bytes) -> bytes:
    """Put the banner after the body tag of a page, in its language (English where it says none), or in both."""
    found = _LANG.search(page)
    first = found[1].decode() if found else "en"
    languages = sorted(BANNER, key=lambda each: each != first) if _BOTH.search(page) else [first]
    said = "".join(
        f'<span lang="{each}" dir="{direction_of(each)}" style="display:block">{BANNER[each]}</span>'
        for each in languages
    )
    style = (
        "margin:0;padding:.4rem 1rem;background:#fff3d6;color:#3d2a00;border-bottom:1px solid #c26a12;font-size:.9rem"
    )
    banner = f'<aside class="demo-banner" style="{style}">{said}</aside>'
    return _BODY.sub(lambda tag: tag[0] + banner.encode(), page, count=1)


def _is_page(path: str) -> bool:
    return path.endswith(("/", ".html")) or "." not in path.rpartition("/")[2]


def _is_html(message: Message) -> bool:
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/html")


def _with_length(start: Message, body: bytes, *, is_head: bool) -> Message:
    headers = MutableHeaders(raw=list(start["headers"]))
    for name in ("etag", "last-modified", "accept-ranges", "content-length"):
        del headers[name]
    if not is_head:
        headers["content-length"] = str(len(body))
    return {**start, "headers": headers.raw}
