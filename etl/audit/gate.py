"""The audit of a release before it leaves: the same attackers on that release, bounded, and its report `audit.json`.

It attacks the release alone, its margins with those of a year before, and its differences from all releases so far; the
whole history in every depth is what `shafaf audit` does. Equal releases give equal reports: nothing depends on the run,
so that a backfill publishes what month after month would have published. Cost: linear in the release, plus five columns of
the groups before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit import differencing, times
from etl.audit.evidence import GROUPS, ROWS_A_RELEASE, Evidence, Release, list_published, read_table, release_of
from etl.audit.finding import Attack
from etl.audit.run import ATTACKERS, Audit, attack_with, audit_document
from etl.errors import PrivacyError
from etl.instance.durable import json_bytes, make_folder_durable, replace_durable
from etl.metadata import TableSpec, load_dictionary
from etl.model.plain_yaml import parse_yaml

ATTEMPTS = 500
MONTHS = 13  # of margins: the flows of a year and the stock before it
FORM = "gate"
DURATION = "duration"


class Gate:
    """Attacks the releases of a run one after the other; what it has passed counts as published for the next."""

    def __init__(self, releases: Path, *, private: Path) -> None:
        """Read what is published in `releases`; reports of what was stopped go to the folder `private`."""
        self._private = private
        self._policies: dict[str, Mapping[str, Any]] = {}
        self._releases: dict[int, Release] = {}
        self._passed: dict[int, Mapping[str, pa.Table]] = {}
        self._kept: dict[str, list[pa.Table]] = {}
        for release in list_published(releases):
            self._releases[release.number] = release
            for spec in _kept_tables():
                columns = _key_columns(spec)
                self._kept.setdefault(spec.name, []).append(read_table(release, spec, columns=columns))

    def review(self, tables: Mapping[str, pa.Table], policy: bytes) -> bytes:
        """Attack one release and give the bytes of its `audit.json`.

        tables: its numbered rows, all tables of its files. policy: its policy.yml. PrivacyError where something can be
        learnt: the message names attackers and tables, a report in the private folder names the places.
        """
        sha256 = tables["release"]["policy_sha256"][0].as_py()
        if sha256 not in self._policies:
            self._policies[sha256] = parse_yaml(policy.decode())
        release = release_of(tables, self._policies[sha256])
        report = self._attack(release, tables)
        document = {**audit_document(report), "form": FORM}
        if report.hit_count:
            make_folder_durable(self._private, mode=0o700)
            replace_durable(self._private / f"{release.release_id}.json", json_bytes(document), mode=0o600)
            raise _refused(report)
        self._passed[release.number] = tables
        self._keep(tables)
        return json_bytes(document)

    def _attack(self, release: Release, tables: Mapping[str, pa.Table]) -> Audit:
        whole = {
            spec.name: pa.concat_tables([*self._kept.get(spec.name, ()), tables[spec.name].select(_key_columns(spec))])
            for spec in _kept_tables()
        }
        margins = self._kept.get("margin", [])[-(MONTHS - 1) :]
        own = {**tables, "margin": pa.concat_tables([*margins, tables["margin"]])}
        evidence = Evidence((release,), own)
        seed = int(release.policy_sha256[:8], 16)
        attacks: list[Attack] = []
        for name in ATTACKERS:
            if name == differencing.NAME:
                whole[GROUPS] = self._with_withdrawn(whole[GROUPS], tables)
                attacks.append(differencing.attack_release(evidence, whole, seed=seed, attempts=ATTEMPTS))
            elif name == times.NAME and tables[DURATION].num_rows:
                of_year = replace(evidence, tables={**own, GROUPS: self._of_year(tables)})
                attacks.append(times.attack(of_year, seed=seed, attempts=ATTEMPTS))
            else:
                attacks.append(attack_with(name, evidence, seed=seed, attempts=ATTEMPTS))
        return Audit(
            release.release_id, release.number, release.k, release.policy_sha256, seed, ATTEMPTS, tuple(attacks)
        )

    def _keep(self, tables: Mapping[str, pa.Table]) -> None:
        for spec in _kept_tables():
            self._kept.setdefault(spec.name, []).append(tables[spec.name].select(_key_columns(spec)))

    def _with_withdrawn(self, keys: pa.Table, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Give the whole rows of groups that this release withdraws, and its own, beside the keys of all others."""
        withdrawn = tables["withdrawal"]["case_group_id"].to_pylist()
        if not withdrawn:
            return keys
        numbers = sorted({group // ROWS_A_RELEASE for group in withdrawn} & {*self._releases, *self._passed})
        rows = [self._groups_of(number) for number in numbers]
        found = [table.filter(pc.is_in(table["case_group_id"], pa.array(withdrawn, pa.int64()))) for table in rows]
        others = keys.filter(pc.not_equal(keys["release_id"], tables["release"]["release_id"][0]))
        return pa.concat_tables([tables[GROUPS], *found, others], promote_options="default")

    def _of_year(self, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Give the groups of every release of the year that ends with this one: the closed sets of `duration`."""
        year = tables["release"]["release_id"][0].as_py()[:4]
        earlier = {number: release.release_id for number, release in self._releases.items()}
        earlier |= {number: passed["release"]["release_id"][0].as_py() for number, passed in self._passed.items()}
        numbers = sorted(number for number, release_id in earlier.items() if release_id[:4] == year)
        return pa.concat_tables([*(self._groups_of(number) for number in numbers), tables[GROUPS]])

    def _groups_of(self, number: int) -> pa.Table:
        if number in self._passed:
            return self._passed[number][GROUPS]
        return read_table(self._releases[number], load_dictionary().tables[GROUPS])


def _kept_tables() -> list[TableSpec]:
    """List what later releases are compared with: every partition, and the margins."""
    tables = load_dictionary().tables
    return [*(spec for spec in tables.values() if {"case_count", "is_floor"} <= set(spec.names)), tables["margin"]]


def _key_columns(spec: TableSpec) -> list[str]:
    return [name for name in spec.names if spec.name == "margin" or name in differencing.KEPT]


def _refused(report: Audit) -> PrivacyError:
    attackers: dict[str, Any] = {attack.attacker: attack for attack in report.attacks if attack.hit_count}
    tables = sorted({table for attack in attackers.values() for hit in attack.findings for table in hit.tables})
    return PrivacyError(
        "audit-stopped",
        found=f"{report.hit_count} hits of {', '.join(attackers)} in {', '.join(tables) or 'files'} of {report.release_id}",
        expected="nothing to be learnt of fewer than k cases",
        todo=f"Nothing was released. var/audit/{report.release_id}.json names the places; see docs/how-to/audit.md.",
    )
