"""Datasette's metadata, made from the dictionary and the views: written beside the database as `datasette.json`.

The portal may not import `etl.load`, so the descriptions travel as a public file. Units stand in the texts of the
columns, not under Datasette's `units`, which knows no cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etl.load.totals import view_sources
from etl.metadata import Column, Settings, TableSpec, load_dictionary

DATABASE = "portal"  # the stable name under which the newest file is served, so that links never change
FACETS = {
    "margin": ["body_id", "case_type_code", "month_code"],
    "case_group": ["body_id", "case_type_code", "outcome_code"],
    "statutory": ["body_id", "dimension_code", "year_code"],
    "code": ["list_code"],
}
LABELS = {"body": "title_fa", "service": "title_fa", "unit": "title_fa", "release": "release_id"}


def datasette_metadata(settings: Settings) -> dict[str, Any]:
    """Describe the database for Datasette: titles, licence, columns in both languages, sortable columns, facets."""
    tables: dict[str, Any] = {name: _table_metadata(spec) for name, spec in load_dictionary().tables.items()}
    for name, text in view_sources().items():
        about = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
        tables[name] = {"description": " ".join(about)}
    return {
        "title": f"{settings.title.get('fa', '')} · {settings.title.get('en', '')}",
        "license": settings.license,
        "source": " · ".join(dict.fromkeys(filter(None, (settings.source.get(lang) for lang in ("en", "fa"))))),
        "databases": {DATABASE: {"title": settings.title.get("en", DATABASE), "tables": tables}},
    }


def _table_metadata(spec: TableSpec) -> dict[str, Any]:
    described: dict[str, Any] = {
        "title": _both(spec.title),
        "description": _both(spec.text),
        "columns": {column.name: _column_text(column) for column in spec.columns},
        "sortable_columns": [name for name in spec.names if name not in spec.index],
    }
    if spec.name in FACETS:
        described["facets"] = FACETS[spec.name]
    if spec.name in LABELS:
        described["label_column"] = LABELS[spec.name]
    return described


def _column_text(column: Column) -> str:
    parts = [_both(column.title)]
    if column.unit:
        parts.append(f"[{column.unit}]")
    if column.caveat:
        parts.append(_both(column.caveat))
    return " · ".join(parts)


def _both(text: Mapping[str, str]) -> str:
    return f"{text['fa']} · {text['en']}"
