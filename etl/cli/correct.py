"""The verbs that take back what was released: withdraw, correct. Rare, careful, and public with the next release."""

from __future__ import annotations

from collections.abc import Sequence

import click

from etl import pipeline
from etl.cli.console import tell
from etl.cli.journal import note, open_journal
from etl.cli.options import dry_run_option, json_option, write_json
from etl.instance import Instance
from etl.load import DROPPABLE, Correction, Preview
from etl.metadata import shipped_codes

LAST_ID = (1 << 63) - 1  # of the column that holds the ids
REASONS = tuple(shipped_codes()["withdrawal_reason"])
groups_argument = click.argument("group_id", nargs=-1, required=True, type=click.IntRange(1, LAST_ID))
reason_option = click.option(
    "--reason", required=True, type=click.Choice(REASONS), help="Why, as readers will see it (codes of table code)."
)


@click.command()
@groups_argument
@reason_option
@dry_run_option
@json_option
@click.pass_obj
def withdraw(instance: Instance, group_id: tuple[int, ...], reason: str, dry_run: bool, as_json: bool) -> None:
    """Withdraw released groups for good: their cases stay in the margins and enter no other group, ever."""
    _ask(instance, [Correction(group, reason) for group in group_id], dry_run=dry_run, as_json=as_json)


@click.command()
@groups_argument
@click.option(
    "--drop", required=True, multiple=True, type=click.Choice(DROPPABLE), help="A wrong column; may be given again."
)
@reason_option
@dry_run_option
@json_option
@click.pass_obj
def correct(
    instance: Instance, group_id: tuple[int, ...], drop: tuple[str, ...], reason: str, dry_run: bool, as_json: bool
) -> None:
    """Replace released groups by one coarser row each, over the same cases and without the wrong columns.

    What tells a dropped column, or was computed from the same dates, is dropped with it.
    """
    _ask(instance, [Correction(group, reason, drop) for group in group_id], dry_run=dry_run, as_json=as_json)


def tell_preview(preview: Preview) -> str:
    """Write in a line what will happen to a group; its row is published, so its values may be shown."""
    row, new = preview.before, preview.after
    what = f"{row['body_id']}, {row['case_type_code']}, {row['period_code']}, {row['case_count']} cases"
    if new is None:
        return f"group {row['case_group_id']} ({what}): withdrawn for good"
    own = ("case_group_id", "release_id", "replaces_id")
    lost = [name for name in row if name not in own and row[name] is not None and new[name] is None]
    return f"group {row['case_group_id']} ({what}): replaced by one row of as many cases without {', '.join(lost)}"


def _ask(instance: Instance, wanted: Sequence[Correction], *, dry_run: bool, as_json: bool) -> None:
    if not dry_run:
        open_journal(instance.var)
    previews = pipeline.ask_corrections(instance, wanted, dry_run=dry_run)
    for preview in previews:
        tell(tell_preview(preview))
    if dry_run:
        tell("nothing was written")
    else:
        note("correction-asked", {"groups": len(previews), "reason": wanted[0].reason_code})
        tell("recorded; it leaves with the next release, and table withdrawal names it with its reason")
    if as_json:
        write_json({"corrections": previews, "is_recorded": not dry_run})
