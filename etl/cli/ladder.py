"""The operator's verb for choosing a ladder: what it is, and what it would keep of past periods."""

from __future__ import annotations

import click

from etl import pipeline
from etl.anonymise import LossRow
from etl.cli.console import show_progress, tell
from etl.cli.options import json_option, write_json
from etl.instance import Instance


@click.command()
@click.option("--loss", is_flag=True, help="Say what the ladder would keep of the closed periods in staging; private.")
@json_option
@click.pass_obj
def ladder(instance: Instance, loss: bool, as_json: bool) -> None:
    """Print the ladder as it is hashed and published, rung by rung; with --loss, what it would keep."""
    rungs = [dict(rung) for rung in instance.settings.policy.ladder]
    rows: list[LossRow] = []
    for number, rung in enumerate(rungs, 1):
        tell(f"{number:>2}  {' · '.join(f'{column}: {level}' for column, level in rung.items())}")
    if loss:
        with show_progress() as progress:
            rows = pipeline.estimate_loss(instance, progress=progress)
        tell(loss_text(rows))
    if as_json:
        write_json({"ladder": rungs, "loss": rows})


def loss_text(rows: list[LossRow]) -> str:
    """Write shares as a table: one line a column and level, one place a size of body."""
    sizes = list(dict.fromkeys(row.size_code for row in rows))
    lines = [f"{'per cent of cases, bodies released by':<40}" + "".join(f"{size:>8}" for size in sizes)]
    for column, level in dict.fromkeys((row.column, row.level) for row in rows):
        shown = {row.size_code: row.percent for row in rows if (row.column, row.level) == (column, level)}
        name = column if column == level else f"{column}: {level}"
        lines.append(f"{name:<40}" + "".join(f"{_percent(shown[size]):>8}" for size in sizes))
    return "\n".join(lines)


def _percent(percent: int | None) -> str:
    return "< k" if percent is None else str(percent)
