"""After a run that died: what is half is removed, what is lost stops everything (DESIGN §6 "Healing").

The order of writing (placements durable, then the public rename) leaves at most one placement file without its
release; that one never left the building and is removed. Anything else that does not fit is a loss, and a loss of
placements or releases stops all further ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from etl.errors import PrivacyError, ReleaseError
from etl.instance import Instance, current_release
from etl.load.archive import list_releases
from etl.load.attestation import clear_attestations

STAGING_PREFIX = ".staging-"
KEPT_DATABASES = 2


def heal(instance: Instance) -> list[str]:
    """Remove half-written releases and say in words what was done; an empty list when all was whole.

    Errors: PrivacyError where a release lacks its placements; ReleaseError where released folders are gone.
    """
    done = []
    for folder in sorted(instance.datasets.glob(f"{STAGING_PREFIX}*")):
        shutil.rmtree(folder)
        done.append(f"removed the half-written release {folder.name.removeprefix(STAGING_PREFIX)}")
    for temp in sorted(instance.placement.glob(".*.tmp")):
        temp.unlink()
        done.append("removed a half-written placement file")
    for half in sorted((*instance.datasets.glob(".*.db*"), *instance.datasets.glob(".*.tmp"))):
        half.unlink()
        done.append("removed a half-written file of datasets/")
    released = {release.release_id for release in list_releases(instance.releases)}
    placed = {path.stem for path in instance.placement.glob("*.parquet")}
    _check_placements(released, placed)
    done += clear_attestations(instance, released)
    for release_id in sorted(placed - released):
        (instance.placement / f"{release_id}.parquet").unlink()
        done.append(f"removed the placements of {release_id}, which was never released")
    drop_old(instance.datasets, sorted(released), current=current_release(instance.datasets))
    return done


def drop_old(datasets: Path, released: Sequence[str], *, current: str | None) -> None:
    """Remove all databases but those of the two newest releases and the current one."""
    kept = {f"portal-{release_id}.db" for release_id in (*released[-KEPT_DATABASES:], current)}
    for path in datasets.glob("portal-*.db"):
        if path.name not in kept:
            path.unlink()


def _check_placements(released: set[str], placed: set[str]) -> None:
    if released - placed:
        raise PrivacyError(
            "placements-lost",
            found=f"{len(released - placed)} released months without their placements in var/placement",
            expected="the placements of every release",
            todo="Restore var/placement from the backup; without it cases could be released twice.",
        )
    orphans = placed - released
    if len(orphans) > 1 or (orphans and released and min(orphans) < max(released)):
        raise ReleaseError(
            "releases-lost",
            found=f"placements of {len(orphans)} months without their released folders",
            expected="at most the newest one, left by a run that died",
            todo="Restore datasets/releases from the backup; a released folder is never taken away.",
        )
