"""Static files: the built site of the current release and the downloads; exact names, ranges, validators, cache rules.

Which names exist is decided by an allow-list before the disk is asked: no hidden file, no stage, nothing beside what a
release's manifest lists. Range requests, ETag and Last-Modified are Starlette's.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from portal.serving.pointers import RELEASE_ID, Stamp, stamp

_NAME: Final = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.~-]*$")
_ATTESTED: Final = re.compile(r"^attested/\d{4}-\d{2}\.json$")
_DATABASE: Final = re.compile(r"^portal-\d{4}-\d{2}\.db$")
FOREVER: Final = "public, max-age=31536000, immutable"
SOON: Final = "public, max-age=60"
_TYPES: Final = {
    ".csv.gz": "application/gzip",
    ".parquet": "application/vnd.apache.parquet",
    ".db": "application/vnd.sqlite3",
    ".yml": "application/yaml; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}


def is_safe(path: str) -> bool:
    """Say whether every part of a relative path is an ordinary, visible ASCII name.

    >>> is_safe("fa/body/index.html"), is_safe("../var/secret"), is_safe("fa//x"), is_safe(".staging-1405-01/a")
    (True, False, False, False)
    """
    return all(_NAME.match(part) for part in path.split("/"))


async def page_or_asset(folder: Path, path: str, scope: Scope) -> Response | None:
    """Answer a path of the built site: a file, a folder's index.html, or a redirect to the folder; None where neither."""
    is_folder = path == "" or path.endswith("/")
    name = f"{path}index.html" if is_folder else path
    if not is_safe(name):
        return None
    if not is_folder and (folder / name).is_dir():
        if not (folder / name / "index.html").is_file():
            return None
        return RedirectResponse(f"/{name}/", status_code=308, headers={"cache-control": SOON})
    return await _file(folder, name, scope, cache=SOON)


async def download(datasets: Path, path: str, scope: Scope) -> Response | None:
    """Answer a path under `/datasets/`: a listed file of a release, its staging hash, a published database, the pointer."""
    parts = path.split("/")
    if not is_safe(path):
        return None
    if len(parts) == 3 and parts[0] == "releases" and parts[2] in listed_files(datasets / "releases", parts[1]):
        return await _file(datasets, path, scope, cache=FOREVER)
    if _ATTESTED.match(path) or _DATABASE.match(path):
        return await _file(datasets, path, scope, cache=SOON)
    return await _file(datasets, path, scope, cache="no-cache") if path == "current.json" else None


def listed_files(releases: Path, release_id: str) -> frozenset[str]:
    """Name the files that a release's manifest lists, and the manifest; none where the release is not whole."""
    if not RELEASE_ID.match(release_id):
        return frozenset()
    manifest = releases / release_id / "manifest.json"
    seen = stamp(manifest)
    return frozenset() if seen is None else _listed(manifest, seen)


@lru_cache(maxsize=512)
def _listed(manifest: Path, seen: Stamp) -> frozenset[str]:
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    names = files if isinstance(files, dict) else [entry["name"] for entry in files]
    return frozenset(str(name) for name in names) | {manifest.name}


async def _file(folder: Path, name: str, scope: Scope, *, cache: str) -> Response | None:
    try:
        response = await StaticFiles(directory=folder, check_dir=False).get_response(name, scope)
    except HTTPException:
        return None
    response.headers["cache-control"] = cache
    for ending, media_type in _TYPES.items():
        if name.endswith(ending) and response.status_code != 304:
            response.headers["content-type"] = media_type
    return response


def prefers_english(scope: Scope) -> bool:
    """Say whether a browser puts English before Persian (Accept-Language, RFC 9110 §12.5.4, weights ignored)."""
    for part in Headers(scope=scope).get("accept-language", "").split(","):
        language = part.strip().partition(";")[0].partition("-")[0].lower()
        if language in ("fa", "en"):
            return language == "en"
    return False
