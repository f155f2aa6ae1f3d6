"""The verbs of the main job: run, extract, release, build."""

from __future__ import annotations

import time

import click

from etl import pipeline
from etl.cli.console import show_progress, tell
from etl.cli.journal import note, open_journal
from etl.cli.options import dry_run_option, json_option, write_json
from etl.cli.summary import peak_bytes, tell_extract, tell_kept, tell_releases, tell_run, tell_site
from etl.demo import read_summary
from etl.instance import Instance

period_option = click.option(
    "--period",
    default=pipeline.DUE,
    show_default=True,
    metavar="P|due|all",
    help="Release up to this month (1405-06); due: every closed month; all: due, and build again.",
)


@click.command()
@period_option
@dry_run_option
@json_option
@click.pass_obj
def run(instance: Instance, period: str, dry_run: bool, as_json: bool) -> None:
    """Extract, release what is due, build database and site."""
    if dry_run:
        _tell_plan(instance, as_json)
        return
    open_journal(instance.var)
    started = time.perf_counter()
    note("run-started", {"period": period})
    with show_progress() as progress:
        report = pipeline.run(instance, period=period, progress=progress)
    seconds = time.perf_counter() - started
    if report.policy_changes:
        note("policy-changed", {"from": report.releases[0].release_id, "keys": ", ".join(report.policy_changes)})
    extracted = report.extracted
    note(
        "run-finished",
        {
            "read": extracted.read if extracted else 0,
            "staged": extracted.staged if extracted else 0,
            "quarantined": extracted.quarantined if extracted else 0,
            "releases": len(report.releases),
            "seconds": round(seconds, 1),
            "peak_bytes": peak_bytes(),
        },
    )
    for line in report.healed:
        tell(f"healed: {line}")
    tell(tell_run(instance, report, office=read_summary(instance.office), seconds=seconds))
    if as_json:
        write_json({"report": report, "seconds": round(seconds, 1), "peak_bytes": peak_bytes()})


@click.command()
@click.argument("source", nargs=-1)
@click.option("--full", is_flag=True, help="Read every row, also where the sources tell what changed.")
@dry_run_option
@json_option
@click.pass_obj
def extract(instance: Instance, source: tuple[str, ...], full: bool, dry_run: bool, as_json: bool) -> None:
    """Read the sources (or only SOURCE) into private staging."""
    open_journal(instance.var)
    with show_progress() as progress:
        report = pipeline.run_extract(instance, only=source, full=full, dry_run=dry_run, progress=progress)
    note("extracted", {"read": report.read, "staged": report.staged, "quarantined": report.quarantined})
    tell(tell_extract(report))
    if as_json:
        write_json(report)


@click.command()
@click.argument("period", default=pipeline.DUE)
@dry_run_option
@json_option
@click.pass_obj
def release(instance: Instance, period: str, dry_run: bool, as_json: bool) -> None:
    """Release what is due by the newest snapshot, or up to the month PERIOD."""
    if dry_run:
        _tell_plan(instance, as_json)
        return
    open_journal(instance.var)
    with show_progress() as progress:
        releases = pipeline.run_release(instance, period=period, progress=progress)
    note("released", {"releases": len(releases), "cases": sum(each.case_count for each in releases)})
    tell(" · ".join(part for part in (tell_releases(releases), tell_kept(releases, instance.settings.policy)) if part))
    if as_json:
        write_json(releases)


@click.command()
@dry_run_option
@json_option
@click.pass_obj
def build(instance: Instance, dry_run: bool, as_json: bool) -> None:
    """Build the newest database and site again from the released files."""
    if dry_run:
        _tell_plan(instance, as_json)
        return
    open_journal(instance.var)
    with show_progress() as progress:
        database, site = pipeline.run_build(instance, progress=progress)
    note("built", {"is_built": int(site is not None)})
    tell(tell_site(instance, site) or "nothing is released yet; `shafaf run` comes first")
    if as_json:
        write_json({"database": database, "site": site})


def _tell_plan(instance: Instance, as_json: bool) -> None:
    schedule = pipeline.read_schedule(instance)
    due = [month.code for month in schedule.due]
    tell(f"would release: {', '.join(due) or 'nothing'} (by the newest snapshot; nothing was written)")
    if as_json:
        write_json({"as_of": schedule.as_of, "released": schedule.released, "due": due})
