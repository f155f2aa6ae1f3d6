"""Which values a hidden detail can have: the code lists and trees of release day, which everybody can read.

The adversary takes the smallest list that still holds every case: for a sensitive service the coarse outcomes, for others
the fine ones; below a shown family or department only its own leaves. Timelines are not counted: nobody can list them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pyarrow.compute as pc

from etl.audit.evidence import GROUPS, Evidence, Release
from etl.model.codes import NOT_RECORDED

# ladder column -> published column, list of codes (None: a tree or a flag)
COLUMNS: Mapping[str, tuple[str, str | None]] = {
    "service": ("service_id", None),
    "unit": ("unit_id", None),
    "outcome": ("outcome_code", "outcome"),
    "lateness": ("lateness_code", "lateness"),
    "duration": ("duration_band_code", "duration_band"),
    "loop": ("is_loop", None),
    "channel": ("channel_code", "channel"),
    "trace": ("trace_id", None),
}
COARSE = {"service": "family", "unit": "department"}
ENDLESS = 10**9  # a detail whose values cannot be listed


class Candidates:
    """The values that are still possible for each ladder column of a row."""

    def __init__(self, evidence: Evidence, policy: Mapping[str, Any]) -> None:
        """Read the lists of the newest release and what `policy` marks as sensitive."""
        self._policy = policy
        self._codes: dict[str, set[str]] = {}
        self._finer: dict[str, set[str]] = {}
        for row in evidence.table("code").select(["list_code", "code", "parent_code"]).to_pylist():
            self._codes.setdefault(row["list_code"], set()).add(row["code"])
            if row["list_code"] == "outcome" and row["parent_code"] is not None:
                self._finer.setdefault(row["parent_code"], set()).add(row["code"])
        self._coarser = {fine: coarse for coarse, codes in self._finer.items() for fine in codes}
        self._service = _tree(evidence, "service")
        self._unit = _tree(evidence, "unit")
        self._paths = {
            f"{name}_id": {node: tuple(_climb(node, tree)) for node in tree}
            for name, tree in (("service", self._service), ("unit", self._unit))
        }
        self._known_nodes: dict[tuple[str, str, str | None, str | None], int] = {}
        self._known_shown: dict[tuple[str, Any], frozenset[Any]] = {}
        self._known_outcomes: dict[str | None, frozenset[str]] = {}
        marked = evidence.table("service").select(["service_id", "is_sensitive"]).to_pylist()
        self._marked = {row["service_id"] for row in marked if row["is_sensitive"]}

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The services, and families of services, whose outcome is a fact about a person."""
        named = set(self._policy.get("sensitive", {}).get("services") or ()) | self._marked
        below = {service for service in self._service if set(_climb(service, self._service)) & named}
        return frozenset(named | below)

    def is_sensitive(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row shows a service whose outcome is a fact about a person."""
        return row.get("service_id") in self.sensitive

    def count(self, column: str, level: str, row: Mapping[str, Any]) -> int:
        """Count the values that `column` can have at `level`, given what a row shows of it and of its service.

        1 where the row shows the value at that level or finer.
        """
        name, codes = COLUMNS.get(column, ("", None))
        shown = row.get(name)
        if column in COARSE:
            return self._nodes(column, level, shown, row)
        if shown is not None:
            return 1
        if column == "loop":
            return 2
        if column == "outcome":
            return len(self.outcomes(row))
        if codes is None or codes not in self._codes:
            return ENDLESS
        return max(1, len(self._codes[codes]))

    def codes(self, name: str) -> frozenset[str]:
        """List the codes of a list."""
        return frozenset(self._codes.get(name, set()))

    def outcomes(self, row: Mapping[str, Any]) -> frozenset[str]:
        """List the outcomes a case of the row can be published with."""
        service = row.get("service_id")
        if service not in self._known_outcomes:
            self._known_outcomes[service] = self._list_outcomes(row)
        return self._known_outcomes[service]

    def _list_outcomes(self, row: Mapping[str, Any]) -> frozenset[str]:
        coarsen: Mapping[str, str] = self._policy.get("sensitive", {}).get("coarsen", {}).get("outcome") or {}
        coarse, every = set(coarsen.values()), self._codes.get("outcome", set())
        if self.is_sensitive(row):
            return frozenset(every - set(coarsen) | coarse)
        return frozenset(every - coarse) if row.get("service_id") is not None else frozenset(every)

    def finer(self, outcome: str | None) -> frozenset[str]:
        """List the outcomes that a coarser one stands for."""
        return frozenset(self._finer.get(outcome or "", ()))

    def coarser(self, outcome: str) -> str:
        """Give the outcome that an outcome is one of, or itself."""
        return self._coarser.get(outcome, outcome)

    def shown_of(self, name: str, value: Any) -> frozenset[Any]:
        """List what a row can show, in the column `name`, of a case with this value: it, something coarser, nothing."""
        key = (name, value)
        if key not in self._known_shown:
            self._known_shown[key] = frozenset((None, value, *self._paths.get(name, {}).get(value, ())))
        return self._known_shown[key]

    def below(self, name: str, above: str) -> frozenset[str]:
        """List the services or units (`name`: their column) that stand below another."""
        return frozenset(node for node, path in self._paths[name].items() if node != above and above in path)

    def _nodes(self, column: str, level: str, shown: str | None, row: Mapping[str, Any]) -> int:
        key = (column, level, shown, row.get(f"{column}_level"))
        if key not in self._known_nodes:
            self._known_nodes[key] = self._count_nodes(column, level, shown, row)
        return self._known_nodes[key]

    def _count_nodes(self, column: str, level: str, shown: str | None, row: Mapping[str, Any]) -> int:
        tree = self._service if column == "service" else self._unit
        if shown is not None and (level == COARSE[column] or row.get(f"{column}_level") != COARSE[column]):
            return 1
        inside = [node for node in tree if shown is None or shown in _climb(node, tree)]
        wanted = [node for node in inside if (tree[node] is None) or level != COARSE[column]]
        return max(1, len(wanted) + (shown is None and NOT_RECORDED not in tree))


def candidates_by_policy(evidence: Evidence) -> dict[str, Candidates]:
    """Read the lists once for each policy that decided a release, by its hash."""
    policies = {release.policy_sha256: release.policy for release in evidence.releases}
    return {sha256: Candidates(evidence, policy) for sha256, policy in policies.items()}


def groups_by_release(evidence: Evidence) -> Iterator[tuple[Release, Candidates, list[dict[str, Any]]]]:
    """Give each release with what its hidden details can be, and the groups it placed."""
    group, candidates = evidence.partition(GROUPS), candidates_by_policy(evidence)
    for release in evidence.releases:
        rows = group.filter(pc.equal(group["release_id"], release.release_id)).to_pylist()
        yield release, candidates[release.policy_sha256], rows


def tree_roots(evidence: Evidence, name: str) -> dict[str, str]:
    """Give the root of every service or unit."""
    return {node: way[0] for node, way in tree_paths(evidence, name).items()}


def tree_paths(evidence: Evidence, name: str) -> dict[str, tuple[str, ...]]:
    """Give the way to every service or unit from its root, both included."""
    tree = _tree(evidence, name)
    return {node: tuple(reversed(_climb(node, tree))) for node in tree}


def _tree(evidence: Evidence, name: str) -> dict[str, str | None]:
    rows = evidence.table(name).select([f"{name}_id", "parent_id"]).to_pylist()
    return {row[f"{name}_id"]: row["parent_id"] for row in rows}


def _climb(node: str, tree: Mapping[str, str | None]) -> list[str]:
    path: list[str] = []
    step: str | None = node
    while step is not None and step not in path:
        path.append(step)
        step = tree.get(step)
    return path
