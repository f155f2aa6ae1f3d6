"""The queries that readers see: one `.sql` file a figure or series, run by the pages and served as named queries.

The head of a file is its documentation: `-- fa: title`, `-- en: title`, `-- topic: code`, then comment lines that say what
is counted, in English and after them in Persian, and `-- column name: English | Persian` for each column of the answer
that is no column of a published table. Parameters are `:name`. Files named `reading_N_wrong` and
`reading_N_right` are the pairs of the box "how to read these data".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from etl.errors import SettingsError

TOPICS: Final[Mapping[str, Mapping[str, str]]] = {  # in the order in which a reader asks
    "volume": {"en": "How many came in, went out, wait", "fa": "چند پرونده آمد، رفت و ماند"},
    "time": {"en": "In time or late, and how many days", "fa": "در مهلت یا دیر، و چند روز"},
    "ending": {"en": "How they ended", "fa": "چگونه پایان یافت"},
    "stage": {"en": "Where they wait: stages and units", "fa": "کجا می‌ماند: مرحله‌ها و واحدها"},
    "service": {"en": "One service", "fa": "یک خدمت"},
    "trust": {"en": "How far the figures can be trusted", "fa": "تا کجا می‌توان به عددها اعتماد کرد"},
    "reading": {"en": "Pairs of a wrong and a right question", "fa": "جفت‌های پرسش نادرست و درست"},
}
_HEAD = re.compile(r"^-- (fa|en|topic): (.+)$")
_COLUMN = re.compile(r"^-- column (\w+): (.+) \| (.+)$")
_PERSIAN = re.compile(r"[\u0600-\u06ff]")
_PARAMETER = re.compile(r"(?<![\w:]):([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """A named query: titles and descriptions by language, SQL without its head, its parameters in order of use, a topic."""

    name: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    sql: str
    parameters: tuple[str, ...]
    topic: str = "trust"
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of its own; others are the dictionary's

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


def queries_by_topic() -> Mapping[str, list[Query]]:
    """Give the queries of each topic in the order of their names, topics in the order in which a reader asks."""
    return {topic: [query for query in load_queries().values() if query.topic == topic] for topic in TOPICS}


def _read(name: str, text: str) -> Query:
    head: dict[str, str] = {}
    columns: dict[str, Mapping[str, str]] = {}
    about: dict[str, list[str]] = {"en": [], "fa": []}
    lines = text.splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)
        match = _HEAD.match(line)
        if match:
            head[match[1]] = match[2]
        elif column := _COLUMN.match(line):
            columns[column[1]] = {"en": column[2], "fa": column[3]}
        else:
            lang = "fa" if about["fa"] or _PERSIAN.search(line) else "en"
            about[lang].append(line[2:].strip())
    topic = head.pop("topic", "")
    if set(head) != {"fa", "en"} or topic not in TOPICS:
        raise SettingsError(
            "query-title",
            found=f"the query {name!r} without its titles or its topic",
            expected=f"first lines '-- fa: …', '-- en: …' and '-- topic: …' ({', '.join(TOPICS)})",
            todo="Write both titles and one of the topics at the head of the file.",
        )
    sql = "\n".join(lines).strip()
    told = {lang: " ".join(said) for lang, said in about.items()}
    return Query(name, head, told, sql, tuple(dict.fromkeys(_PARAMETER.findall(sql))), topic, columns)
