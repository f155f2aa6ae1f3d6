"""The verbs of trust: audit."""

from __future__ import annotations

from pathlib import Path

import click

from etl.audit import ATTEMPTS, SEED, Audit, audit_document, audit_page, read_evidence
from etl.audit import audit as attack_all
from etl.cli.console import show_progress, tell
from etl.cli.options import json_option, write_json
from etl.errors import PrivacyError
from etl.instance import Instance, explain_disk
from etl.instance.durable import replace_durable


@click.command()
@click.argument("release", required=False)
@click.option("--seed", default=SEED, show_default=True, type=int, help="Another seed tries other predicates.")
@click.option("--attempts", default=ATTEMPTS, show_default=True, type=click.IntRange(1), help="Of attackers that draw.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a page (fa/en)."
)
@json_option
@click.pass_obj
def audit(instance: Instance, release: str | None, seed: int, attempts: int, page: Path | None, as_json: bool) -> None:
    """Attack everything published up to RELEASE (default: the newest) as an adversary would.

    Reads datasets/ and public/ only, so it works on a downloaded copy. Exit codes: 0 no hit, 20 a hit, 12 cannot check.
    """
    evidence = read_evidence(instance.root)
    if release is not None:
        evidence = evidence.until(release)
    with show_progress() as progress:
        report = attack_all(evidence, seed=seed, attempts=attempts, progress=progress)
    for line in tell_audit(report):
        tell(line)
    if page is not None:
        with explain_disk():
            replace_durable(page, audit_page(report).encode())
    if as_json:
        write_json(audit_document(report))
    if report.hit_count:
        raise PrivacyError(
            "audit-hit",
            found=f"{report.hit_count} hits in {', '.join(a.attacker for a in report.attacks if a.hit_count)}",
            expected="nothing to be learnt of fewer than k cases",
            todo="The places stand above. Withdraw the groups named, and report it to whoever runs the portal.",
        )


def tell_audit(report: Audit) -> list[str]:
    """Write a report in a line per attacker, hits below."""
    lines = [f"audit {report.release_id}: {report.release_count} releases, k = {report.k}, seed {report.seed}"]
    for attack in report.attacks:
        limits = ", ".join(f"{slug} {count:,}" for slug, count in attack.limits.items())
        lines.append(
            f"  {attack.attacker:<14}{attack.attempts:>10,} attempts {attack.hit_count:>6,} hits"
            f"{f'   limits: {limits}' if limits else ''}"
        )
        lines += [f"    {hit.learnt}: {', '.join(hit.tables)} where {hit.where}" for hit in attack.findings]
    lines.append(f"  {report.attempt_count:,} attempts, {report.hit_count:,} hits")
    return lines
