"""What a release holds beside the numbers: its own row, the rungs, reference tables, policy and report.

What the settings name stands in the reference tables of every release; what only a source names, from the release on that
first shows it in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from etl.calendars import Period, parse_period
from etl.instance import Instance
from etl.load.labels import (
    OWN_TABLES,
    Label,
    Named,
    body_table,
    code_list,
    code_table,
    read_labels,
    service_table,
    unit_table,
)
from etl.load.numbering import ROWS_A_RELEASE
from etl.metadata import Policy, load_dictionary

CALENDAR_AHEAD = timedelta(days=92)  # the due dates of a month's last cases lie in the calendar released with it
_POLICY_HEAD = (
    "# What decided the published values of this release. Titles are left out; they change nothing.\n"
    "# policy_sha256 is the SHA-256 of `policy` written as ASCII JSON with sorted keys, on one line.\n"
)


@dataclass(frozen=True)
class RunContents:
    """The parts of releases that come from settings and labels, for one run.

    first_month: the first month ever released, where the calendar begins; last_on: last day of the last month due.
    """

    policy: Policy
    labels: tuple[Label, ...]
    as_of: date
    first_month: Period
    last_on: date

    def own_tables(self, labels: Sequence[Label]) -> dict[str, pa.Table]:
        """Make tables body, unit and service from the settings and some of the labels."""
        made = (body_table, unit_table, service_table)
        return {name: make(self.policy, labels) for name, make in zip(OWN_TABLES, made, strict=True)}

    @cached_property
    def calendar(self) -> pa.Table:
        """The calendar from the first month ever released to three months after the last due month."""
        last = self.last_on + CALENDAR_AHEAD
        return self.policy.calendar.working.days(self.first_month.first_on, last)

    @cached_property
    def codes(self) -> Mapping[str, frozenset[str]]:
        """The codes of each list, for the gates."""
        lists: dict[str, set[str]] = {}
        for row in code_list(self.policy, self.labels):
            lists.setdefault(row.list_code, set()).add(row.code)
        return {name: frozenset(codes) for name, codes in lists.items()}

    @cached_property
    def ids(self) -> Mapping[str, frozenset[str]]:
        """The ids of bodies, units and services, for the gates."""
        tables, keys = self.own_tables(self.labels), {name: load_dictionary().tables[name].key for name in OWN_TABLES}
        return {name: frozenset(tables[name][keys[name]].to_pylist()) for name in OWN_TABLES}

    def reference_tables(self, month: Period, number: int, named: Collection[Named]) -> dict[str, pa.Table]:
        """Make the reference tables of the release of `month`; named: what rows of it and of earlier releases show."""
        labels = [label for label in self.labels if (label.list_code, label.code) in named]
        spec = load_dictionary().tables["calendar_day"]
        last = pa.scalar(month.last_on + CALENDAR_AHEAD, pa.date32())
        days = self.calendar.filter(pc.less_equal(self.calendar["day_on"], last)).select(spec.names).cast(spec.arrow)
        codes = code_table(code_list(self.policy, labels), first_id=number * ROWS_A_RELEASE + 1)
        return {**self.own_tables(labels), "calendar_day": days.combine_chunks(), "code": codes}

    def release_row(self, month: Period, number: int, *, k_basis: str) -> pa.Table:
        """Make table `release`: one row; k_basis: what k counts in its groups."""
        row = {
            "release_id": month.code,
            "release_number": number,
            "calendar_code": self.policy.calendar.system,
            "month_code": month.code,
            "as_of_on": self.as_of,
            "k": self.policy.k,
            "k_basis_code": k_basis,
            "policy_sha256": self.policy.sha256,
            "schema_version": load_dictionary().schema_version,
        }
        return pa.Table.from_pylist([row], schema=load_dictionary().tables["release"].arrow)

    def rung_rows(self, number: int, *, is_new: bool) -> pa.Table:
        """Make table `rung`: the whole ladder in the first release of a policy, empty in the others."""
        spec = load_dictionary().tables["rung"]
        levels = [name for name in spec.names if name.endswith("_level")]
        rows: list[dict[str, Any]] = [
            {
                "rung_id": number * ROWS_A_RELEASE + rung_number,
                "policy_sha256": self.policy.sha256,
                "rung_number": rung_number,
                **{name: rung.get(name.removesuffix("_level")) for name in levels},
            }
            for rung_number, rung in enumerate(self.policy.ladder if is_new else (), 1)
        ]
        return pa.Table.from_pylist(rows, schema=spec.arrow)

    def policy_text(self, month: Period, bootstrap: Mapping[str, Mapping[str, str]] | None) -> str:
        """Write policy.yml; `bootstrap` (cadence by body and case type) only in the first release."""
        head = {
            "schema_version": load_dictionary().schema_version,
            "release_id": month.code,
            "policy_sha256": self.policy.sha256,
        }
        text = _POLICY_HEAD + _yaml(head) + self.policy_yaml
        if bootstrap is None:
            return text
        cadences = {body: dict(sorted(types.items())) for body, types in sorted(bootstrap.items())}
        return text + _yaml({"cadence_bootstrap": cadences})

    @cached_property
    def policy_yaml(self) -> str:
        """The policy as it stands in policy.yml; the same in every release of the run."""
        return _yaml({"policy": self.policy.decisive})


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def run_contents(instance: Instance, *, as_of: date, due: Sequence[Period], first: str | None) -> RunContents:
    """Collect what the releases of a run share; `first` is the first month ever released (None: the first due)."""
    policy = instance.settings.policy
    first_month = parse_period(policy.calendar.system, first) if first else due[0]
    return RunContents(policy, tuple(read_labels(instance.staging)), as_of, first_month, due[-1].last_on)
