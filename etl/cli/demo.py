"""The verbs of the synthetic office: demo office, demo advance."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.console import show_progress, tell
from etl.cli.options import WholeHelp, json_option, write_json
from etl.cli.summary import tell_office
from etl.demo import OfficeSummary, advance_office, make_office
from etl.instance import Instance


@click.group(cls=WholeHelp)
def demo() -> None:
    """The synthetic service desk and office automation."""


@demo.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--until", default="1405-06", show_default=True, metavar="MONTH", help="Last whole month of the office.")
@click.option("--months", default=24, show_default=True, type=click.IntRange(1), help="How many months it goes back.")
@click.option("--cases", default=60_000, show_default=True, type=click.IntRange(1), help="About how many cases.")
@click.option("--seed", default=1403, show_default=True, type=int, help="The same seed gives the same rows.")
@json_option
def office(out: Path, until: str, months: int, cases: int, seed: int, as_json: bool) -> None:
    """Write the databases of a synthetic office into the folder OUT."""
    with show_progress() as progress:
        summary = make_office(out, until=until, months=months, cases=cases, seed=seed, progress=progress)
    _tell(summary, as_json)


@demo.command()
@click.option("--months", default=1, show_default=True, type=click.IntRange(1), help="How many months pass.")
@json_option
@click.pass_obj
def advance(instance: Instance, months: int, as_json: bool) -> None:
    """Let time pass in the office of this instance."""
    with instance.lock(), show_progress() as progress:
        summary = advance_office(instance.office, months=months, progress=progress)
    _tell(summary, as_json)


def _tell(summary: OfficeSummary, as_json: bool) -> None:
    tell(tell_office(summary))
    if as_json:
        write_json(summary)
