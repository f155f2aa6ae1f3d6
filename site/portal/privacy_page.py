"""The privacy page: the ladder in words, with how many cases stayed on each rung; the rest of the page is text.

Reads the released rungs, so that the page says what was really used and not what the settings say today.
"""

from __future__ import annotations

from typing import Any

from portal.released import Released
from portal.words import Words

COLUMNS = ("service", "unit", "outcome", "lateness", "duration", "loop", "channel", "trace")
PLAIN = frozenset({"leaf", "code", "band", "flag"})  # the finest level of a column is called as the column itself


def privacy_values(released: Released, words: Words) -> dict[str, Any]:
    """Give the page's values: `rungs`, each with its number, the words of what it shows, and its cases."""
    last = released.newest.release_id
    return {
        "rungs": [
            {
                "number": row["rung_number"],
                "shown": [
                    _word(released, column, row[f"{column}_level"], words)
                    for column in COLUMNS
                    if row[f"{column}_level"] is not None
                ],
                "case_count": row["case_count"],
            }
            for row in released.ask("ladder", release=last)
        ],
        "ladder_address": released.address("ladder", release=last),
    }


def _word(released: Released, column: str, level: str, words: Words) -> Any:
    kind, code = ("ladder_column", column) if level in PLAIN else ("level", level)
    return released.label(kind, code, lang=words.lang)
