"""What earlier releases mean for the next one: who was placed, what was counted, which cadence holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from etl.calendars import Period, period_of
from etl.errors import ReleaseError
from etl.instance import Instance
from etl.load.archive import Release, list_releases, read_release, read_table, read_tables
from etl.load.arrange import earlier_traces
from etl.load.identity import released_cells
from etl.metadata import Promises, load_dictionary, promises_of
from etl.model.identity import Cell, first_year
from etl.model.plain_yaml import parse_yaml

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table

POLICY = "policy.yml"
Decisive = Mapping[str, Any]  # what decided the values of a release: key `policy` of its policy.yml
CadenceBootstrap = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Past:
    """Released ids in order, all placements and margins (lazy), the first release's cadences, what policies promised.

    placement: the columns of `etl.load.PLACEMENT`. margin: the columns of table `margin` without its id. Both are None,
    and the rest is empty, before the first release.
    """

    released: tuple[str, ...] = ()
    placement: Table | None = None
    margin: Table | None = None
    cadence_bootstrap: CadenceBootstrap = field(default_factory=dict)
    promises: Promises = field(default_factory=Promises)


def read_history(instance: Instance, backend: BaseBackend, *, before: str | None = None) -> Past:
    """Read what all releases (or those before the release `before`) mean for the next one.

    Errors: ReleaseError where a manifest or a policy cannot be read.
    """
    releases = _releases(instance, before)
    if not releases:
        return Past()
    ids = tuple(release.release_id for release in releases)
    placement = backend.read_parquet(
        [str(instance.placement / f"{name}.parquet") for name in ids], table_name="earlier_placement"
    )
    margin = backend.read_parquet(
        [str(release.folder / "margin.parquet") for release in releases], table_name="earlier_margin"
    )
    first: CadenceBootstrap = _read_policy(releases[0]).get("cadence_bootstrap") or {}
    return Past(ids, placement, margin.drop("margin_id"), first, promises_of(_decisive(releases)))


def released_groups(instance: Instance, backend: BaseBackend, *, due: Sequence[Period]) -> Table | None:
    """Give the rows of `case_group`, as first placed, of every year that ends with a due month; None where there are none."""
    system = instance.settings.policy.calendar.system
    ends = [period_of(system, "year", month.last_on) for month in due]
    years = {year.code for year, month in zip(ends, due, strict=True) if year.last_on == month.last_on}
    releases = [release for release in _releases(instance, due[0].code) if release.release_id[:4] in years]
    if not releases:
        return None
    files = [str(release.folder / "case_group.parquet") for release in releases]
    group = backend.read_parquet(files, table_name="earlier_group")
    return group.filter(group.replaces_id.isnull())


def earlier_cells(instance: Instance, *, due: Sequence[Period]) -> list[Cell]:
    """Say what earlier releases of the first due month's year, and of the two before, show by service and channel."""
    releases = _releases(instance, due[0].code)
    return released_cells(releases, instance.settings.policy, first_year=first_year(due[0].code))


def newest_decisive(instance: Instance) -> Decisive | None:
    """Read what decided the values of the newest release; None before the first."""
    releases = list_releases(instance.releases)
    return _read_policy(releases[-1])["policy"] if releases else None


def policy_of(instance: Instance, release_id: str) -> str:
    """Read the hash of the policy that decided a release."""
    spec = load_dictionary().tables["release"]
    row = read_table(read_release(instance.releases / release_id), spec, columns=("policy_sha256",))
    sha256: str = row["policy_sha256"][0].as_py()
    return sha256


def released_timelines(instance: Instance, *, before: str | None = None) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """Read what earlier releases say of steps without units: timelines and patterns as rows of (activity_code, is_gap)."""
    known = earlier_traces(_releases(instance, before))
    shown = (steps for level, steps in known if level in ("steps", "pattern"))
    return tuple(sorted({tuple((activity, is_gap) for activity, _, is_gap in steps) for steps in shown}))


def _releases(instance: Instance, before: str | None) -> list[Release]:
    return [each for each in list_releases(instance.releases) if before is None or each.release_id < before]


def _decisive(releases: Sequence[Release]) -> list[tuple[str, Decisive, int]]:
    """Read what decided each release, and how many cases waited after it; a policy that releases share is read once."""
    tables = load_dictionary().tables
    decided = read_tables(releases, tables["release"], columns=("policy_sha256",))["policy_sha256"].to_pylist()
    margin = read_tables(releases, tables["margin"], columns=("release_id", "awaiting_count"))
    summed = margin.group_by("release_id").aggregate([("awaiting_count", "sum")])
    waiting = dict(zip(*(summed[name].to_pylist() for name in ("release_id", "awaiting_count_sum")), strict=True))
    known: dict[str, Decisive] = {}
    for release, sha256 in zip(releases, decided, strict=True):
        if sha256 not in known:
            known[sha256] = _read_policy(release)["policy"]
    return [
        (release.release_id, known[sha256], waiting.get(release.release_id) or 0)
        for release, sha256 in zip(releases, decided, strict=True)
    ]


def _read_policy(release: Release) -> Mapping[str, Any]:
    try:
        policy: Mapping[str, Any] = parse_yaml((release.folder / POLICY).read_text(encoding="utf-8"))
        if isinstance(policy["policy"], dict):
            return policy
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        pass
    raise ReleaseError(
        "policy-unreadable",
        found=f"no policy in {POLICY} of the release {release.release_id}",
        expected="the policy that was released with it",
        todo="Restore the folder from the backup.",
    )
