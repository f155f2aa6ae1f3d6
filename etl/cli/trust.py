"""The verbs of trust: audit."""

from __future__ import annotations

from pathlib import Path

import click

from etl import pipeline
from etl.audit import ATTEMPTS, SEED, Audit, audit_document, audit_page, read_evidence
from etl.audit import audit as attack_all
from etl.cli.console import show_progress, tell
from etl.cli.options import json_option, write_json
from etl.errors import PrivacyError, TamperedError
from etl.instance import Instance
from etl.instance.durable import replace_durable


@click.command()
@click.argument("release", required=False)
@click.option("--seed", default=SEED, show_default=True, type=int, help="Another seed tries other predicates.")
@click.option("--attempts", default=ATTEMPTS, show_default=True, type=click.IntRange(1), help="Of attackers that draw.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a page (fa/en)."
)
@click.option(
    "--attested", is_flag=True, help="Inside the body: make RELEASE once more from staging, compare all numbers."
)
@json_option
@click.pass_obj
def audit(
    instance: Instance,
    release: str | None,
    seed: int,
    attempts: int,
    page: Path | None,
    attested: bool,
    as_json: bool,
) -> None:
    """Attack everything published up to RELEASE (default: the newest) as an adversary would.

    Reads datasets/ and public/ only, so it works on a downloaded copy. Exit codes: 0 no hit, 20 a hit, 12 cannot check.
    With --attested it attacks nothing: 0 every number came out again, 10 one did not or staging was changed, 12 cannot check.
    """
    if page is not None and not page.absolute().parent.is_dir():
        raise click.BadParameter("its folder does not exist", param_hint="--html")
    if attested:
        _attest(instance, release, as_json=as_json)
        return
    evidence = read_evidence(instance.root)
    if release is not None:
        evidence = evidence.until(release)
    with show_progress() as progress:
        report = attack_all(evidence, seed=seed, attempts=attempts, progress=progress)
    for line in tell_audit(report):
        tell(line)
    if page is not None:
        replace_durable(page, audit_page(report).encode())
    if as_json:
        write_json(audit_document(report))
    if report.hit_count:
        raise PrivacyError(
            "audit-hit",
            found=f"{report.hit_count} hits in {', '.join(a.attacker for a in report.attacks if a.hit_count)}",
            expected="nothing to be learnt of fewer than k cases",
            todo="The places stand above. Withdraw the groups, remove the files named, and report it to whoever runs the portal.",
        )


def _attest(instance: Instance, release: str | None, *, as_json: bool) -> None:
    report = pipeline.attest(instance, release)
    for table in report.tables:
        tell(
            f"  {table.name:<22}{table.rows:>9,} rows  {f'{table.differing:,} differ' if table.differing else 'equal'}"
        )
    tell(f"attested {report.release_id} from {report.batches:,} staging batches: {report.differing:,} rows differ")
    if as_json:
        write_json(report)
    if report.differing or not report.tables:
        raise TamperedError(
            "attest-differs",
            found=f"numbers of {report.release_id} that do not come out again",
            expected="every published number, from the staging that made it and the releases before it",
            todo="The tables stand above. Use the version that released it; else it was not made from this staging.",
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
