"""The page of finding: every body and service by name, so that it works from a plain web folder too.

The server puts what a question found in the place of `FOUND`, and the question into the empty value of the box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.formats import sort_key
from portal.released import Released
from portal.words import Words

FOUND = "<!--found-->"


def find_values(
    services: Sequence[str], bodies: Mapping[str, object], released: Released, words: Words
) -> dict[str, Any]:
    """Give what template `find.html` needs: services and bodies in the order of their names."""
    lists = (
        (words.say("Services"), "service", [(service, f"service/{service}.html") for service in services]),
        (words.say("Bodies"), "body", [(body, f"body/{body}/index.html") for body in bodies]),
    )
    return {
        "lists": [
            {"title": title, "rows": _rows(kind, items, released, words)} for title, kind, items in lists if items
        ]
    }


def _rows(kind: str, items: Sequence[tuple[str, str]], released: Released, words: Words) -> list[dict[str, Any]]:
    rows = [{"title": released.label(kind, item, lang=words.lang), "href": href} for item, href in items]
    return sorted(rows, key=lambda row: sort_key(row["title"].text))
