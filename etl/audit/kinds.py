"""Every kind of file that is published; docs/how-to/audit.md says of each who reads it.

What is of no such kind, a link or a file that a run left half-written included, is read by nobody here, and may be
downloaded by anybody.
"""

from __future__ import annotations

import re

from etl.audit.evidence import Evidence
from etl.metadata import load_dictionary

IN_SITE = re.compile(r"public/[^/]+/")
KINDS = (
    "datasets/current.json",
    "datasets/datasette.json",
    "datasets/portal-{release}.db",
    "datasets/attested/{release}.json",
    "datasets/releases/{release}/{table}.parquet",
    "datasets/releases/{release}/{table}.csv.gz",
    "datasets/releases/{release}/policy.yml",
    "datasets/releases/{release}/report.json",
    "datasets/releases/{release}/audit.json",
    "datasets/releases/{release}/manifest.json",
    "public/current.json",
    "public/{release}/index.html",
    "public/{release}/{lang}/{page}.html",
    "public/{release}/{lang}/{page}.json",
    "public/{release}/static/site.css",
    "public/{release}/static/icon.svg",
    "public/{release}/static/chart-{hash}.js",
    "public/{release}/static/plotly-{hash}.js",
)


def unknown_files(evidence: Evidence) -> frozenset[str]:
    """Name the published files of no known kind: of no known release, table or place, and figures without their page."""
    kind, there = _any_kind(evidence), frozenset(evidence.files)
    pages = {f"{name.removesuffix('.html')}.json" for name in there if name.endswith(".html")}
    return frozenset(
        name
        for name in there
        if not kind.fullmatch(name)
        or (evidence.root / name).is_symlink()
        or (IN_SITE.match(name) and name.endswith(".json") and name not in pages)
    )


def _any_kind(evidence: Evidence) -> re.Pattern[str]:
    parts = {
        "release": "|".join(release.release_id for release in evidence.releases),
        "table": "|".join(spec.name for spec in load_dictionary().tables.values() if spec.scope != "database"),
        "lang": "fa|en",
        "page": r"(?:[\w~-]+/)*[\w~-]+",
        "hash": "[0-9a-f]{12}",
    }
    kinds = "|".join(re.escape(kind).replace(r"\{", "{").replace(r"\}", "}") for kind in KINDS)
    return re.compile(kinds.format(**{name: f"(?:{part})" for name, part in parts.items()}))
