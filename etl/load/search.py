"""The search index of the database: bodies and services under one folded spelling (FINDINGS: FTS5 does not match ي/ی).

Table `search` is public and small; `search_fts` indexes its `text_folded`. Ask with a query that went through
`etl.model.text.fold` too, else Persian and Arabic letter variants do not meet.
"""

from __future__ import annotations

from sqlite_utils import Database

from etl.load.tables import insert_rows
from etl.metadata import load_dictionary
from etl.model.codes import NOT_RECORDED
from etl.model.text import fold

_BODIES = "select 'body', body_id, title_fa, title_en, coalesce(title_source, '') from body order by body_id"
_SERVICES = (
    "select 'service', service_id, title_fa, title_en, coalesce(keywords_fa, '') from service"
    f" where service_id <> '{NOT_RECORDED}' order by service_id"
)


def fill_search(database: Database) -> None:
    """Fill `search` with bodies and services and index it for full text."""
    found = database.conn.execute(_BODIES).fetchall() + database.conn.execute(_SERVICES).fetchall()
    rows = [
        (number, kind, item, fa, en, fold(f"{fa} {en} {more}"))
        for number, (kind, item, fa, en, more) in enumerate(found, 1)
    ]
    insert_rows(database, load_dictionary().tables["search"], rows)
    database.table("search").enable_fts(["text_folded"], fts_version="FTS5", tokenize="unicode61")
