"""Search of services and bodies on the server: `/fa/find?q=…`, `/en/find?q=…` (no JavaScript).

Asks the full-text table `search` of the published database with the reader's words folded as the table's are
(`etl.model.text.fold`), so that ي and ی, ۱۴۰۳ and 1403 are the same; each word may be the beginning of a longer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.model.text import fold
from portal.serving.guard import open_reading

MAX_QUESTION: Final = 100  # characters
MAX_WORDS: Final = 8
MAX_FOUND: Final = 50
TIME_STEPS: Final = 2_000_000  # steps of SQLite's machine, some hundred milliseconds

_FOUND: Final = """
select search.kind_code, search.item_id, search.title_fa, search.title_en, body.title_source, body.lang
from search_fts join search on search.rowid = search_fts.rowid
left join body on search.kind_code = 'body' and body.body_id = search.item_id
where search_fts match ? order by search_fts.rank, search.item_id limit ?
"""


@dataclass(frozen=True)
class Found:
    """A body or service that answers a question; `lang` is of the source's own title, which may stand in for ours."""

    kind: str  # body, service
    id: str
    title_fa: str
    title_en: str
    title_source: str | None = None
    lang: str | None = None

    def title(self, language: str) -> str:
        """Give the title in a language, else the source's own name, else the id."""
        own = self.title_fa if language == "fa" else self.title_en
        return own or self.title_source or self.id

    @property
    def path(self) -> str:
        """Give the page that shows it, relative to a language's folder of the built site."""
        return f"body/{self.id}/index.html" if self.kind == "body" else f"service/{self.id}.html"


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
    match = " ".join(f'"{word}"*' for word in words)
    with open_reading(database) as connection:
        connection.set_progress_handler(lambda: 1, TIME_STEPS)
        rows = connection.execute(_FOUND, (match, MAX_FOUND)).fetchall()
        return [Found(kind, key, fa or "", en or "", source, lang) for kind, key, fa, en, source, lang in rows]
