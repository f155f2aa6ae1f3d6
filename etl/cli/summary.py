"""The block at the end of a run, in words: what came in, what went out, what to do next (CONTRACT, last paragraph)."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etl.instance import Instance, current_release
from etl.metadata import Policy

if TYPE_CHECKING:
    from etl.demo import OfficeSummary
    from etl.extract import ExtractReport
    from etl.load import ReleaseSummary
    from etl.pipeline import RunReport

KEPT_COLUMNS = ("outcome", "unit", "trace")
BYTES_A_GB = 1_000_000_000


def tell_run(instance: Instance, report: RunReport, *, office: OfficeSummary | None, seconds: float) -> str:
    """Write the whole block of a run; parts are joined by middle dots."""
    parts = [
        None if office is None else tell_office(office),
        None if report.extracted is None else tell_extract(report.extracted),
    ]
    parts.append(tell_releases(report.releases))
    if report.policy_changes:
        parts.append(
            f"policy changed: {', '.join(report.policy_changes)}; it holds from {report.releases[0].release_id} on"
        )
    parts.append(tell_kept(report.releases, instance.settings.policy))
    if report.releases:
        parts.append(f"k ≥ {instance.settings.policy.k} checked")
    parts.append(tell_site(instance, report.site))
    parts.append(f"{seconds:.0f} s, {peak_bytes() / BYTES_A_GB:.1f} GB")
    return " · ".join(part for part in parts if part)


def tell_office(office: OfficeSummary) -> str:
    """Write how large the synthetic office is."""
    return f"office {office.bodies} bodies, {office.months} months, {office.cases:,} cases"


def tell_extract(report: ExtractReport) -> str:
    """Write the conservation of an extraction: read = staged + unchanged + quarantined, of all there is.

    Rows left out are no cases and told beside the sum. Where only what changed was read it says so: the counts are the same.
    """
    share = report.quarantined / report.read if report.read else 0.0
    counts = f"{report.staged:,} staged + {report.unchanged:,} unchanged + {report.quarantined:,} quarantined"
    deleted = f", {report.deleted:,} removed at the source" if report.deleted else ""
    left_out = f", {report.left_out:,} rows left out" if report.left_out else ""
    window = ", only changes were read" if report.is_window else ""
    return f"extract {report.read:,} read = {counts} ({share:.1%}){deleted}{left_out}{window}".replace("%", " %")


def tell_releases(releases: Sequence[ReleaseSummary]) -> str:
    """Write which months were released, first to last."""
    if not releases:
        return "nothing new to release"
    first, last = releases[0].release_id, releases[-1].release_id
    taken_back = [
        f"{count} groups {what}"
        for count, what in (
            (sum(release.withdrawn_count for release in releases), "withdrawn"),
            (sum(release.replaced_count for release in releases), "replaced by coarser rows"),
        )
        if count
    ]
    return ", ".join((f"releases {first if first == last else f'{first} … {last}'} ({len(releases)})", *taken_back))


def tell_kept(releases: Sequence[ReleaseSummary], policy: Policy) -> str | None:
    """Write the share of cases whose outcome, unit and timeline are shown; only of columns that the ladder has."""
    cases = sum(release.case_count for release in releases)
    if not cases:
        return None
    shares = []
    for column in KEPT_COLUMNS:
        if any(column in rung for rung in policy.ladder):
            kept = sum(release.kept.get(column, 0.0) * release.case_count for release in releases) / cases
            shares.append(f"{column} {kept:.0%}".replace("%", " %"))
    return f"kept: {', '.join(shares)}" if shares else None


def tell_site(instance: Instance, site: Path | None) -> str | None:
    """Write where the site lies and how to look at it."""
    release = current_release(instance.public)
    if site is None and release is None:
        return None
    folder = site or instance.public / str(release)
    shown = (folder / "fa" / "index.html").resolve()
    here = Path.cwd().resolve()
    name = shown.relative_to(here) if shown.is_relative_to(here) else shown
    return f"site {name} · next: {_look(instance.root.resolve(), here)} → http://127.0.0.1:8001/"


def _look(root: Path, here: Path) -> str:
    """Give the command that shows the site on this machine, private folders beside it or not."""
    if root == here:
        return "make serve" if (here / "Makefile").exists() else "shafaf serve --demo"
    return f"shafaf --portal {root.relative_to(here) if root.is_relative_to(here) else root} serve --demo"


def peak_bytes() -> int:
    """Give the most memory this process held so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
