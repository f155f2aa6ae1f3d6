"""Search of services and bodies on the server: `/fa/find?q=…`, `/en/find?q=…` (no JavaScript).

Asks the full-text table `search` of the published database with the reader's words folded as the table's are
(`etl.model.text.fold`), so that ي and ی, ۱۴۰۳ and 1403 are the same; each word may be the beginning of a longer one.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.model.text import fold
from portal.serving.guard import open_reading

MAX_QUESTION: Final = 100  # characters
MAX_WORDS: Final = 8
MAX_FOUND: Final = 50
TIME_STEPS: Final = 2_000_000  # steps of SQLite's machine, some hundred milliseconds

_WITH_INDEX: Final = "select kind, id from search where search match ? order by rank limit ?"
_BODIES: Final = "select body_id, title_fa, title_en, title_source, lang from body"
_SERVICES: Final = """
select s.service_id, s.title_fa, s.title_en, null, null, s.keywords_fa, group_concat(distinct g.body_id)
from service s left join case_group g on g.service_id = s.service_id
group by s.service_id
"""


@dataclass(frozen=True)
class Found:
    """A body or service that answers a question; `body_ids` name the bodies in which a service is published."""

    kind: str  # body, service
    id: str
    title_fa: str
    title_en: str
    title_source: str | None = None
    lang: str | None = None
    body_ids: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        """Give the title in a language, else the source's own name, else the id."""
        own = self.title_fa if language == "fa" else self.title_en
        return own or self.title_source or self.id

    def addresses(self, language: str) -> list[str]:
        """Give the pages of the site that show it: the body's, or the service's in each body that has it."""
        if self.kind == "body":
            return [f"/{language}/body/{self.id}/"]
        return [f"/{language}/body/{body}/service/{self.id}/" for body in self.body_ids]


def words_of(question: str) -> list[str]:
    """Split a reader's question into folded words, few and short enough to ask.

    >>> words_of('  گواهي  "OR" ۱۴۰۳ ')
    ['گواهی', 'or', '1403']
    """
    letters = "".join(c if c.isalnum() else " " for c in fold(question[:MAX_QUESTION]))
    return letters.split()[:MAX_WORDS]


def find(database: Path, question: str) -> list[Found]:
    """Find bodies and services whose title or search words hold every word of a question; best first, at most 50."""
    words = words_of(question)
    if not words:
        return []
    with open_reading(database) as connection:
        connection.set_progress_handler(lambda: 1, TIME_STEPS)
        try:
            known = _known(connection)
            ranked = _ranked(connection, words)
        except sqlite3.OperationalError:
            return []
    if ranked is None:
        ranked = [key for key, (_, text) in known.items() if all(word in text for word in words)]
    return [known[key][0] for key in ranked if key in known][:MAX_FOUND]


def _ranked(connection: sqlite3.Connection, words: list[str]) -> list[tuple[str, str]] | None:
    if connection.execute("select 1 from sqlite_master where name = 'search'").fetchone() is None:
        return None
    match = " ".join(f'"{word}"*' for word in words)
    rows = connection.execute(_WITH_INDEX, (match, 2 * MAX_FOUND)).fetchall()
    return [(str(kind), str(key)) for kind, key in rows]


def _known(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[Found, str]]:
    """Read every body and service with its folded text: some hundreds of rows, so a scan is cheap enough."""
    known: dict[tuple[str, str], tuple[Found, str]] = {}
    for key, title_fa, title_en, source, lang in connection.execute(_BODIES):
        text = fold(" ".join(filter(None, (title_fa, title_en, source))))
        known["body", key] = Found("body", key, title_fa or "", title_en or "", source, lang), text
    for key, title_fa, title_en, source, lang, keywords, bodies in connection.execute(_SERVICES):
        text = fold(" ".join(filter(None, (title_fa, title_en, keywords))))
        body_ids = tuple(sorted((bodies or "").split(","))) if bodies else ()
        known["service", key] = Found("service", key, title_fa or "", title_en or "", source, lang, body_ids), text
    return known
