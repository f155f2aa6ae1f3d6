"""From relations of many releases to numbered rows, release by release, in one pass over each relation.

Every relation of `Published` is fetched once, checked against the dictionary (allow-list: exactly its columns and
types), sorted, numbered and cut into releases. Memory: all groups and steps, never cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import PrivacyError, ReleaseError
from etl.load.archive import Release, read_tables
from etl.load.numbering import RELEASE, Content, Step, Traces, number_rows, number_traces
from etl.load.sums import sum_tables
from etl.metadata import load_dictionary
from etl.model.published import Published

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table

GROUP_KEY = "group_key"
TRACE_KEY = "trace_key"
MADE_HERE = ("replaces_id",)  # columns that corrections fill (etl.load.corrections)
NUMBERS = ("cohort_group", "open_group", "duration", "unit_time")


@dataclass(frozen=True)
class Arranged:
    """Numbered rows: table -> rows of all releases with `_release`; and the private way from group keys to ids.

    group_ids: group_key, case_group_id; in memory only, until placements carry the ids.
    """

    tables: Mapping[str, pa.Table]
    group_ids: pa.Table

    def of(self, position: int) -> dict[str, pa.Table]:
        """Cut the rows of the release at `position` out of every table, in the dictionary's columns and order."""
        cut = {}
        for name, table in self.tables.items():
            releases = table[RELEASE].to_numpy()
            first, last = np.searchsorted(releases, [position, position + 1])
            spec = load_dictionary().tables[name]
            cut[name] = table.slice(first, last - first).select(spec.names).cast(spec.arrow).combine_chunks()
        return cut


def arrange(
    published: Published,
    backend: BaseBackend,
    *,
    due: Sequence[str],
    first_number: int,
    earlier: Mapping[Content, int],
    ladder: Sequence[Mapping[str, str]],
) -> Arranged:
    """Fetch, check, number and sort all published rows of the releases in `due` (ids of the releases, in order).

    earlier: timelines that were released before. ladder: the rungs that the groups name.
    Errors: PrivacyError where a relation has other columns or types than the dictionary; ReleaseError for rows of a
    release that is not due, or groups without their timeline.
    """
    margin = _placed(_fetch(published.margin, backend, "margin"), due)
    statutory = _placed(_fetch(published.statutory, backend, "statutory"), due)
    group = _placed(
        _fetch(published.case_group, backend, "case_group", keys={"trace_id": TRACE_KEY}, own=GROUP_KEY), due
    )
    step = _fetch(published.case_group_step, backend, "case_group_step", keys={"case_group_id": GROUP_KEY})
    contents = _contents(
        _fetch(published.trace_step, backend, "trace_step", keys={"trace_id": TRACE_KEY}, own="level_code")
    )
    used = [
        (position, _content(contents, key))
        for position, key in zip(group[RELEASE].to_pylist(), group[TRACE_KEY].to_pylist(), strict=True)
        if key is not None
    ]
    traces = number_traces(used, earlier, first_number=first_number)
    numbered = _number_groups(
        group, {key: traces.id_of.get(content) for key, content in contents.items()}, first_number
    )
    tables = {
        "margin": number_rows(margin, "margin_id", first_number=first_number),
        "statutory": number_rows(statutory, "statutory_id", first_number=first_number),
        "case_group": numbered,
        "case_group_step": number_rows(_with_group(step, numbered), "case_group_step_id", first_number=first_number),
        "trace": _trace_rows(traces),
        "trace_step": number_rows(_trace_step_rows(traces), "trace_step_id", first_number=first_number),
    }
    for name in NUMBERS:
        relation = published.numbers.get(name)
        plain = _fetch(relation, backend, name) if relation is not None else _empty(name)
        tables[name] = number_rows(_placed(plain, due), load_dictionary().tables[name].key, first_number=first_number)
    for name, made in sum_tables(numbered, ladder).items():
        spec = load_dictionary().tables[name]
        tables[name] = number_rows(made.select([RELEASE, *spec.names[1:]]), spec.key, first_number=first_number)
    return Arranged(tables, numbered.select([GROUP_KEY, "case_group_id"]))


def earlier_traces(releases: Sequence[Release]) -> Mapping[Content, int]:
    """Read the timelines that were released before, by content; a run that asks again reads them once."""
    return _traces_of(tuple(releases))


@lru_cache(maxsize=1)
def _traces_of(releases: tuple[Release, ...]) -> Mapping[Content, int]:
    tables = load_dictionary().tables
    trace = read_tables(releases, tables["trace"], columns=("trace_id", "level_code"))
    step = read_tables(releases, tables["trace_step"]).sort_by(
        [("trace_id", "ascending"), ("step_number", "ascending")]
    )
    names = ("trace_id", "activity_code", "unit_id", "is_gap")
    steps: dict[int, list[Step]] = {}
    for trace_id, activity, unit, is_gap in zip(*(step[name].to_pylist() for name in names), strict=True):
        steps.setdefault(trace_id, []).append((activity, unit, bool(is_gap)))
    levels = dict(zip(*(trace[name].to_pylist() for name in trace.column_names), strict=True))
    return {(levels[trace_id], tuple(found)): trace_id for trace_id, found in steps.items()}


def _fetch(
    relation: Table, backend: BaseBackend, name: str, *, keys: Mapping[str, str] | None = None, own: str | None = None
) -> pa.Table:
    spec = load_dictionary().tables[name]
    keys = keys or {}
    fields = [spec.arrow.field(column) for column in spec.names if column not in (spec.key, *MADE_HERE)]
    fields = [pa.field(keys[f.name], pa.string()) if f.name in keys else f for f in fields]
    if own is not None:
        fields.append(pa.field(own, pa.string()))
    schema = pa.schema(fields)
    table = backend.to_pyarrow(relation)
    if set(table.column_names) != set(schema.names):
        other = sorted(set(table.column_names) ^ set(schema.names))
        raise PrivacyError(
            "release-columns",
            found=f"columns of {name} that are not exactly the dictionary's: {', '.join(other)}",
            expected="the columns of etl/metadata/dictionary.yml and nothing else",
            todo="Publish a new column by adding it to the dictionary, never by letting it through.",
        )
    for field in schema:
        if not _is_alike(table.schema.field(field.name).type, field.type):
            raise PrivacyError(
                "release-types",
                found=f"column {field.name} of {name} of another type than the dictionary's",
                expected=str(field.type),
                todo="Correct the expression that makes the column.",
            )
    return table.select(schema.names).cast(schema)


def _empty(name: str) -> pa.Table:
    spec = load_dictionary().tables[name]
    return spec.arrow.remove(spec.arrow.get_field_index(spec.key)).empty_table()


def _is_alike(given: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_null(given):
        return True
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given))
    if pa.types.is_integer(wanted):
        return bool(pa.types.is_integer(given))
    return bool(given == wanted)


def _placed(table: pa.Table, due: Sequence[str]) -> pa.Table:
    position = pc.index_in(table["release_id"], value_set=pa.array(due, pa.string()))
    if position.null_count:
        raise ReleaseError(
            "release-unknown",
            found="published rows of a release that is not being written",
            expected=f"rows of {due[0]} to {due[-1]}" if due else "no rows",
            todo="Release what is due, in order.",
        )
    return table.append_column(RELEASE, position.cast(pa.int64()))


def _contents(steps: pa.Table) -> dict[str, Content]:
    levels: dict[str, str] = {}
    found: dict[str, list[Step]] = {}
    for row in steps.sort_by("step_number").to_pylist():
        levels[row[TRACE_KEY]] = row["level_code"]
        found.setdefault(row[TRACE_KEY], []).append((row["activity_code"], row["unit_id"], bool(row["is_gap"])))
    return {key: (levels[key], tuple(found[key])) for key in found}


def _content(contents: Mapping[str, Content], key: str) -> Content:
    if key not in contents:
        raise ReleaseError(
            "trace-missing",
            found="a group that names a timeline without steps",
            expected="the steps of every timeline that groups name",
            todo="This is a fault of the program; please report it.",
        )
    return contents[key]


def _number_groups(group: pa.Table, id_of_key: Mapping[str, int | None], first_number: int) -> pa.Table:
    ids = pa.array([id_of_key.get(key) for key in group[TRACE_KEY].to_pylist()], pa.int64())
    at = group.column_names.index(TRACE_KEY)
    group = group.set_column(at, "trace_id", ids)
    # group keys are private: they follow the rows but take no part in their order
    published = group.drop_columns([GROUP_KEY]).append_column("_row", pa.array(np.arange(group.num_rows)))
    numbered = number_rows(published, "case_group_id", first_number=first_number)
    keys = group[GROUP_KEY].take(numbered["_row"])
    numbered = numbered.append_column("replaces_id", pa.nulls(numbered.num_rows, pa.int64()))
    return numbered.drop_columns(["_row"]).append_column(GROUP_KEY, keys)


def _with_group(step: pa.Table, numbered: pa.Table) -> pa.Table:
    row = pc.index_in(step[GROUP_KEY], value_set=numbered[GROUP_KEY].combine_chunks())
    if row.null_count:
        raise ReleaseError(
            "step-without-group",
            found="steps of a group that is not released",
            expected="steps of released groups only",
            todo="This is a fault of the program; please report it.",
        )
    at = step.column_names.index(GROUP_KEY)
    return step.set_column(at, "case_group_id", numbered["case_group_id"].take(row)).append_column(
        RELEASE, numbered[RELEASE].take(row)
    )


def _trace_rows(traces: Traces) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "trace_id": traces.id_of[content],
            "step_count": sum(not gap for *_, gap in content[1]),
            "level_code": content[0],
            RELEASE: position,
        }
        for position, contents in traces.new.items()
        for content in contents
    ]
    return pa.Table.from_pylist(rows, schema=_with_release("trace"))


def _trace_step_rows(traces: Traces) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "trace_id": traces.id_of[content],
            "step_number": number,
            "activity_code": activity,
            "unit_id": unit,
            "is_gap": gap,
            RELEASE: position,
        }
        for position, contents in traces.new.items()
        for content in contents
        for number, (activity, unit, gap) in enumerate(content[1], 1)
    ]
    schema = _with_release("trace_step")
    return pa.Table.from_pylist(rows, schema=schema.remove(schema.get_field_index("trace_step_id")))


def _with_release(name: str) -> pa.Schema:
    return load_dictionary().tables[name].arrow.append(pa.field(RELEASE, pa.int64()))
