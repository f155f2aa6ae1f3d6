"""Options that several verbs share, and how a verb writes what machines read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Write the report to stdout as one JSON object.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")


class WholeHelp(click.Group):
    """A group whose help says the whole sentence of each verb, on as many lines as it takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their sentences."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(limit=1_000)) for name, verb in verbs if verb])


def write_json(report: object) -> None:
    """Write a report (dataclasses, mappings, paths, dates) to stdout as one line of JSON, if anybody still reads it."""
    with suppress(BrokenPipeError):
        click.echo(json.dumps(_plain(report), ensure_ascii=False, sort_keys=True))


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
