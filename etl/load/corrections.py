"""Corrections that were asked for, and how they leave with the next release (DESIGN §4, CONTRACT "Periods").

A request is a file in `var/correction`, whole and on disk before the verb says so. It is done when a release names its
groups in table `withdrawal`; nothing else marks it, so that a run that died before the rename does it again and one that
died after it does not. Requests are never removed: they are the body's record of what it took back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import SettingsError
from etl.instance import Instance
from etl.instance.durable import json_bytes, replace_durable
from etl.load.archive import Release, list_releases, read_table
from etl.load.correction import (
    STEP_TIMES,
    TIMES,
    Correction,
    Group,
    check_correction,
    dropped_with,
    first_id,
    replacement,
)
from etl.load.numbering import RELEASE, ROWS_A_RELEASE, number_rows
from etl.load.sums import rollup
from etl.metadata import Policy, load_dictionary

FOLDER = "correction"


@dataclass(frozen=True)
class Preview:
    """What a correction does: the row as released, and the row that will stand for it (None: nothing will)."""

    asked: Correction
    before: Group
    after: Group | None


@dataclass(frozen=True)
class Corrections:
    """What the next release takes back. groups, steps: the rows named, as released; gone: ids withdrawn earlier."""

    asked: tuple[Correction, ...] = ()
    groups: Mapping[int, Group] = field(default_factory=dict)
    steps: Mapping[int, Sequence[Group]] = field(default_factory=dict)
    gone: frozenset[int] = frozenset()

    def applied(
        self, tables: Mapping[str, pa.Table], *, release_id: str, number: int, policy: Policy
    ) -> dict[str, pa.Table]:
        """Add table `withdrawal` to a release and the replacing rows to its groups, steps and roll-up.

        Replacing rows come after the release's own groups, in the order of column replaces_id: the sort of published values.
        """
        made = dict(tables)
        base = number * ROWS_A_RELEASE + 1
        replaced = sorted(
            (asked for asked in self.asked if asked.drop is not None),
            key=lambda asked: first_id(self.groups[asked.case_group_id]),
        )
        news = {asked.case_group_id: base + tables["case_group"].num_rows + at for at, asked in enumerate(replaced)}
        made["withdrawal"] = _table("withdrawal", _withdrawals(self.asked, news, release_id, base))
        rows: list[dict[str, Any]] = []
        steps: list[dict[str, Any]] = []
        for asked in replaced:
            drop, new_id = dropped_with(asked.drop or (), policy), news[asked.case_group_id]
            row = replacement(self.groups[asked.case_group_id], drop)
            rows.append(row | {"case_group_id": new_id, "release_id": release_id})
            steps += _steps(self.steps.get(asked.case_group_id, ()), drop, new_id)
        if rows:
            made["case_group"] = _extended(tables["case_group"], "case_group", rows)
            made["case_group_rollup"] = _summed(made["case_group"], number)
        if steps:
            start = base + tables["case_group_step"].num_rows
            numbered = [step | {"case_group_step_id": start + place} for place, step in enumerate(steps)]
            made["case_group_step"] = _extended(tables["case_group_step"], "case_group_step", numbered)
        return made


def ask(instance: Instance, wanted: Sequence[Correction], *, dry_run: bool = False) -> list[Preview]:
    """Check corrections against all releases and all requests so far, and (unless `dry_run`) record them durably.

    All or none are recorded. Errors: UsageError for one that cannot be.
    """
    releases, policy = list_releases(instance.releases), instance.settings.policy
    groups = _groups(releases, [asked.case_group_id for asked in wanted])
    taken = set(_gone(releases)) | {asked.case_group_id for asked in read_requests(instance)}
    for asked in wanted:
        check_correction(asked, groups.get(asked.case_group_id), taken=taken, policy=policy)
        taken.add(asked.case_group_id)
    if not dry_run:
        _record(instance, wanted)
    return [_preview(asked, groups[asked.case_group_id], policy) for asked in wanted]


def read_requests(instance: Instance) -> tuple[Correction, ...]:
    """Read every request ever made, in order; SettingsError where a file cannot be read."""
    found: list[Correction] = []
    for path in sorted(instance.var.joinpath(FOLDER).glob("[0-9]*.json")):
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            found += [
                Correction(
                    row["case_group_id"], row["reason_code"], None if row["drop"] is None else tuple(row["drop"])
                )
                for row in raw["corrections"]
            ]
        except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
            raise SettingsError(
                "correction-unreadable",
                found=f"the request {path.name} in var/correction that cannot be read",
                expected="a request as `shafaf withdraw` or `shafaf correct` wrote it",
                todo="Restore it from the backup, or move it away and ask again.",
            ) from None
    return tuple(found)


def waiting_requests(instance: Instance) -> tuple[Correction, ...]:
    """Give the requests that no release has carried out yet."""
    asked = read_requests(instance)
    gone = _gone(list_releases(instance.releases)) if asked else frozenset()
    return tuple(each for each in asked if each.case_group_id not in gone)


def pending(instance: Instance, releases: Sequence[Release]) -> Corrections:
    """Collect what the release after `releases` takes back, each request checked again; UsageError else."""
    asked = read_requests(instance)
    if not asked:
        return Corrections()
    gone = _gone(releases)
    left = tuple(each for each in asked if each.case_group_id not in gone)
    groups = _groups(releases, [each.case_group_id for each in left])
    taken = set(gone)
    for each in left:
        check_correction(each, groups.get(each.case_group_id), taken=taken, policy=instance.settings.policy)
        taken.add(each.case_group_id)
    return Corrections(left, groups, _steps_of(releases, groups), gone)


def carried_out(instance: Instance, earlier: Sequence[Release], release: Release) -> Corrections:
    """Collect what `release` took back of the releases before it, for running it once more."""
    ids = read_table(release, load_dictionary().tables["withdrawal"])["case_group_id"].to_pylist()
    groups = _groups(earlier, ids)
    asked = tuple(each for each in read_requests(instance) if each.case_group_id in groups)
    return Corrections(asked, groups, _steps_of(earlier, groups), _gone(earlier))


def _record(instance: Instance, wanted: Sequence[Correction]) -> None:
    folder = instance.private_folder(FOLDER)
    newest = max((int(path.stem) for path in folder.glob("[0-9]*.json")), default=0)
    content = {"schema_version": load_dictionary().schema_version, "corrections": [asdict(asked) for asked in wanted]}
    replace_durable(folder / f"{newest + 1:06}.json", json_bytes(content), mode=0o600)


def _preview(asked: Correction, group: Group, policy: Policy) -> Preview:
    return Preview(asked, group, None if asked.drop is None else replacement(group, dropped_with(asked.drop, policy)))


def _gone(releases: Iterable[Release]) -> frozenset[int]:
    spec = load_dictionary().tables["withdrawal"]
    tables = (read_table(release, spec, columns=("case_group_id",)) for release in releases)
    return frozenset(group for table in tables for group in table["case_group_id"].to_pylist())


def _groups(releases: Sequence[Release], ids: Collection[int]) -> dict[int, Group]:
    rows = _rows("case_group", releases, ids)
    return {row["case_group_id"]: row for row in rows}


def _steps_of(releases: Sequence[Release], ids: Collection[int]) -> dict[int, list[Group]]:
    found: dict[int, list[Group]] = {}
    for row in _rows("case_group_step", releases, ids):
        found.setdefault(row["case_group_id"], []).append(row)
    return found


def _rows(name: str, releases: Sequence[Release], ids: Collection[int]) -> list[dict[str, Any]]:
    """Read the released rows of some groups: the number of their release stands in their ids."""
    numbers = {group // ROWS_A_RELEASE for group in ids}
    wanted = pa.array(sorted(ids), pa.int64())
    rows: list[dict[str, Any]] = []
    for release in releases:
        if release.release_number in numbers:
            table = read_table(release, load_dictionary().tables[name])
            rows += table.filter(pc.is_in(table["case_group_id"], wanted)).to_pylist()
    return rows


def _steps(steps: Iterable[Group], drop: Collection[str], new_id: int) -> list[dict[str, Any]]:
    if "trace" in drop:
        return []
    untimed = dict.fromkeys(STEP_TIMES) if TIMES in drop else {}
    return [dict(step) | untimed | {"case_group_id": new_id} for step in steps]


def _withdrawals(
    asked: Iterable[Correction], news: Mapping[int, int], release_id: str, base: int
) -> list[dict[str, Any]]:
    return [
        {
            "withdrawal_id": base + place,
            "release_id": release_id,
            "case_group_id": each.case_group_id,
            "reason_code": each.reason_code,
            "replaced_by_id": news.get(each.case_group_id),
        }
        for place, each in enumerate(sorted(asked, key=lambda each: each.case_group_id))
    ]


def _extended(table: pa.Table, name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.concat_tables([table, _table(name, rows)]).combine_chunks()


def _summed(group: pa.Table, number: int) -> pa.Table:
    spec = load_dictionary().tables["case_group_rollup"]
    placed = group.append_column(RELEASE, pa.array(np.zeros(group.num_rows, np.int64)))
    made = number_rows(rollup(placed).select([RELEASE, *spec.names[1:]]), spec.key, first_number=number)
    return made.select(spec.names).cast(spec.arrow).combine_chunks()


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=load_dictionary().tables[name].arrow)
