"""What earlier releases mean for the next one: who was placed, what was counted, which cadence holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from etl.errors import ReleaseError
from etl.instance import Instance
from etl.load.archive import list_releases
from etl.load.arrange import earlier_traces

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.expr.types import Table

POLICY = "policy.yml"
CadenceBootstrap = Mapping[str, Mapping[str, str]]
Past = tuple[tuple[str, ...], "Table | None", "Table | None", CadenceBootstrap]


def read_history(instance: Instance, backend: BaseBackend) -> Past:
    """Give released ids in order, all placements, all margins (lazy relations), and the first release's cadences.

    placement: the columns of `etl.load.PLACEMENT`. margin: the columns of table `margin` without its id.
    Both are None, and the cadences empty, before the first release.
    Errors: ReleaseError where a manifest or the first policy cannot be read.
    """
    releases = list_releases(instance.releases)
    if not releases:
        return (), None, None, {}
    ids = tuple(release.release_id for release in releases)
    placement = backend.read_parquet(
        [str(instance.placement / f"{name}.parquet") for name in ids], table_name="earlier_placement"
    )
    margin = backend.read_parquet(
        [str(release.folder / "margin.parquet") for release in releases], table_name="earlier_margin"
    )
    return ids, placement, margin.drop("margin_id"), _bootstrap(instance, ids[0])


def released_timelines(instance: Instance) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """Read what earlier releases say of steps without units: timelines and patterns as rows of (activity_code, is_gap)."""
    known = earlier_traces(list_releases(instance.releases))
    shown = (steps for level, steps in known if level in ("steps", "pattern"))
    return tuple(sorted({tuple((activity, is_gap) for activity, _, is_gap in steps) for steps in shown}))


def _bootstrap(instance: Instance, first: str) -> CadenceBootstrap:
    try:
        policy = yaml.safe_load((instance.releases / first / POLICY).read_text(encoding="utf-8"))
        cadences: CadenceBootstrap = policy["cadence_bootstrap"]
        return cadences
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise ReleaseError(
            "policy-unreadable",
            found=f"no cadences in {POLICY} of the first release {first}",
            expected="the policy that was released with it",
            todo="Restore the folder from the backup.",
        ) from None
