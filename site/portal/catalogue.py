"""The queries that readers see: one `.sql` file a figure or series, run by the pages and served as named queries.

The head of a file is its documentation: `-- fa: title`, `-- en: title`, then comment lines that say what is counted, in
English and after them in Persian. Parameters are `:name`. Files named `reading_N_wrong` and `reading_N_right` are the
pairs of the box "how to read these data".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from urllib.parse import urlencode

from etl.errors import SettingsError

_TITLE = re.compile(r"^-- (fa|en): (.+)$")
_PERSIAN = re.compile(r"[\u0600-\u06ff]")
_PARAMETER = re.compile(r"(?<![\w:]):([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """A named query: titles and descriptions by language, SQL without its head, and its parameters in order of use."""

    name: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    sql: str
    parameters: tuple[str, ...]

    def address(self, parameters: Mapping[str, object], *, data: str = "/data/portal") -> str:
        """Give the address at which Datasette answers the query for these parameters.

        >>> Query("q", {}, {}, "select :release", ("release",)).address({"release": "1405-06", "other": 1})
        '/data/portal/q?release=1405-06'
        """
        named = [(name, str(parameters[name])) for name in self.parameters if name in parameters]
        return f"{data}/{self.name}?{urlencode(named)}" if named else f"{data}/{self.name}"


@lru_cache(maxsize=1)
def load_queries() -> Mapping[str, Query]:
    """Read every shipped query, by name; SettingsError where a file lacks its two titles."""
    folder = files("portal").joinpath("queries")
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".sql")), key=lambda p: p.name)
    return {path.name[:-4]: _read(path.name[:-4], path.read_text(encoding="utf-8")) for path in paths}


def _read(name: str, text: str) -> Query:
    titles: dict[str, str] = {}
    about: dict[str, list[str]] = {"en": [], "fa": []}
    lines = text.splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)
        match = _TITLE.match(line)
        if match:
            titles[match[1]] = match[2]
        else:
            lang = "fa" if about["fa"] or _PERSIAN.search(line) else "en"
            about[lang].append(line[2:].strip())
    if set(titles) != {"fa", "en"}:
        raise SettingsError(
            "query-title",
            found=f"the query {name!r} without its titles",
            expected="first lines '-- fa: …' and '-- en: …'",
            todo="Write both titles at the head of the file.",
        )
    sql = "\n".join(lines).strip()
    told = {lang: " ".join(said) for lang, said in about.items()}
    return Query(name, titles, told, sql, tuple(dict.fromkeys(_PARAMETER.findall(sql))))
