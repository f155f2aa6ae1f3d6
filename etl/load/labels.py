"""Reference tables of a release: bodies, units, services, codes, calendar (CONTRACT "Published tables").

Labels come from the settings; where a source names hundreds of bodies, from the label files beside the staging batches
(names that the mapping declared public). A release holds these tables whole; the database shows the newest. What only a
source names stands in them from the release on that first shows it in a row (`named_codes`): a word that one case alone has
is that case's, and no list may tell it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import ReleaseError
from etl.metadata import CodeRow, Policy, TableSpec, code_rows, load_dictionary
from etl.metadata.settings import Node
from etl.model.codes import MILESTONES, NOT_RECORDED

NOT_RECORDED_TITLE = {"fa": "ثبت نشده", "en": "Not recorded"}
OWN_TABLES = ("body", "unit", "service")
DIMENSION_LISTS = {"lateness_bylaw": "lateness", "lateness_law": "lateness"}
Named = tuple[str, str]  # list or own table, code or id


@dataclass(frozen=True)
class Label:
    """A public name that a source gives to a code; `lang` is the language of the name (BCP 47)."""

    list_code: str
    code: str
    title: str
    lang: str


def read_labels(staging: Path) -> list[Label]:
    """Read the public names that extraction kept beside its batches, the newest for each code; none is fine.

    Errors: ReleaseError where a label file that a manifest names cannot be read.
    """
    found: dict[tuple[str, str], Label] = {}
    for manifest in sorted((staging / "batches").glob("[0-9]*.json")):
        for row in _label_rows(staging, json.loads(manifest.read_text(encoding="utf-8"))):
            found[row["list_code"], row["code"]] = Label(row["list_code"], row["code"], row["title"], row["lang"])
    return [found[key] for key in sorted(found)]


def named_codes(tables: Mapping[str, pa.Table]) -> set[Named]:
    """List the codes and ids that the rows of released tables name; tables of the scope `release` count, no others."""
    named: set[Named] = set()
    for name, table in tables.items():
        spec = load_dictionary().tables[name]
        for column in spec.columns if spec.scope == "release" else ():
            place = column.codes or (column.references if column.references in OWN_TABLES else None)
            if place is not None:
                named |= {(place, value) for value in pc.unique(table[column.name]).to_pylist() if value is not None}
    if "statutory" in tables:
        pairs = tables["statutory"].group_by(["dimension_code", "value_code"]).aggregate([]).to_pylist()
        named |= {(DIMENSION_LISTS.get(p["dimension_code"], p["dimension_code"]), p["value_code"]) for p in pairs}
    return named


def listed_codes(tables: Mapping[str, pa.Table]) -> set[Named]:
    """List the codes and ids that reference tables of a release hold."""
    code = tables["code"]
    listed: set[Named] = set(zip(code["list_code"].to_pylist(), code["code"].to_pylist(), strict=True))
    for name in OWN_TABLES:
        listed |= {(name, value) for value in tables[name][load_dictionary().tables[name].key].to_pylist()}
    return listed


def body_table(policy: Policy, labels: Sequence[Label]) -> pa.Table:
    """Make table `body`: the bodies of the settings, then those that only a source names; sorted by id."""
    rows: dict[str, dict[str, Any]] = {}
    for label in labels:
        if label.list_code == "body":
            rows[label.code] = {"body_id": label.code, **_source_titles(label)}
    for body in policy.bodies:
        rows[body.id] = {"body_id": body.id, **_titles(body.title, body.id), "province_code": body.province or None}
    return _table("body", (rows[key] for key in sorted(rows)))


def unit_table(policy: Policy, labels: Sequence[Label]) -> pa.Table:
    """Make table `unit`: the tree of the settings, units that only a source names, and `not_recorded`."""
    return _tree("unit", policy.units, labels, {})


def service_table(policy: Policy, labels: Sequence[Label]) -> pa.Table:
    """Make table `service`: the tree of the settings, services that only a source names, and `not_recorded`."""
    parents = {node.id: node.parent for node in policy.services}
    marked = set(policy.sensitive_roots)
    sensitive = {node.id: {"is_sensitive": _is_below(node.id, marked, parents)} for node in policy.services}
    return _tree("service", policy.services, labels, sensitive)


def code_list(policy: Policy, labels: Sequence[Label]) -> list[CodeRow]:
    """List every code with its labels, by list and position: shipped, of the instance, named by a source.

    Milestones stand in the list `activity` too, since a timeline of milestones has them as its activities.
    """
    rows = {(row.list_code, row.code): row for row in code_rows(policy)}
    position = len(rows) + 1000
    for label in labels:
        if label.list_code not in OWN_TABLES and (label.list_code, label.code) not in rows:
            titles = (label.title, label.title, label.title, label.lang)
            rows[label.list_code, label.code] = CodeRow(label.list_code, label.code, None, position, *titles)
            position += 1
    for number, code in enumerate(MILESTONES):
        known = rows["milestone", code]
        rows.setdefault(("activity", code), CodeRow("activity", code, None, number, known.title_fa, known.title_en))
    return sorted(rows.values(), key=lambda row: (row.list_code, row.position, row.code))


def code_table(rows: Sequence[CodeRow], *, first_id: int) -> pa.Table:
    """Make table `code` with ids counting from `first_id`, in the order of `rows`."""
    return _table("code", ({"code_id": first_id + n, **row.__dict__} for n, row in enumerate(rows)))


def _label_rows(staging: Path, manifest: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    file = manifest.get("labels")
    if not file:
        return []
    try:
        rows: list[Mapping[str, str]] = json.loads((staging / file["path"]).read_text(encoding="utf-8"))
        return rows
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        raise ReleaseError(
            "labels-unreadable",
            found="a label file of staging that cannot be read",
            expected="the file that the batch's manifest names",
            todo="Restore var/staging from the backup, or extract again into an empty one.",
        ) from None


def _tree(name: str, nodes: Sequence[Node], labels: Sequence[Label], more: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    key = load_dictionary().tables[name].key
    rows: dict[str, dict[str, Any]] = {NOT_RECORDED: {key: NOT_RECORDED, **NOT_RECORDED_ROW}}
    for label in labels:
        if label.list_code == name:
            rows[label.code] = {key: label.code, **_source_titles(label)}
    for node in nodes:
        own = {
            key: node.id,
            "parent_id": node.parent,
            "body_id": node.body,
            "keywords_fa": node.keywords_fa or None,
            "valid_from_on": node.valid_from,
            "valid_to_on": node.valid_to,
        }
        rows[node.id] = own | _titles(node.title, node.id) | dict(more.get(node.id, {}))
    if name == "service":
        for row in rows.values():
            row.setdefault("is_sensitive", False)
    return _table(name, (rows[code] for code in sorted(rows)))


NOT_RECORDED_ROW = {"title_fa": NOT_RECORDED_TITLE["fa"], "title_en": NOT_RECORDED_TITLE["en"]}


def _titles(title: Mapping[str, str], code: str) -> dict[str, Any]:
    lang, source = next(((lang, text) for lang, text in title.items() if lang not in ("fa", "en")), (None, None))
    fa = title.get("fa") or source or title.get("en") or code
    return {"title_fa": fa, "title_en": title.get("en") or source or fa, "title_source": source, "lang": lang}


def _source_titles(label: Label) -> dict[str, Any]:
    return {"title_fa": label.title, "title_en": label.title, "title_source": label.title, "lang": label.lang or None}


def _is_below(code: str, marked: set[str], parents: Mapping[str, str | None]) -> bool:
    step: str | None = code
    for _ in range(len(parents) + 1):
        if step is None or step in marked:
            break
        step = parents.get(step)
    return step in marked


def _table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    spec: TableSpec = load_dictionary().tables[name]
    return pa.Table.from_pylist([{column: row.get(column) for column in spec.names} for row in rows], schema=spec.arrow)
