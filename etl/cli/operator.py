"""The operator's verbs: status and init."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import click

from etl import pipeline
from etl.calendars import period_of
from etl.cli.console import tell
from etl.cli.options import json_option, write_json
from etl.errors import LockedError, UsageError
from etl.instance import Instance, current_release

STARTING_FILES = ("metadata.yml", "services.csv", "units.csv")


@dataclass(frozen=True)
class Status:
    """Where an instance stands. `due_on`: the civil date from which the next month can be released."""

    data_as_of: date | None
    released: tuple[str, ...]
    due: tuple[str, ...]
    next_month: str | None
    due_on: date | None
    database: str | None
    site: str | None
    is_locked: bool
    corrections_waiting: int = 0
    policy_changes: tuple[str, ...] = ()


@click.command()
@json_option
@click.pass_obj
def status(instance: Instance, as_json: bool) -> None:
    """Say what is released, what is due, and how new the data are."""
    state = read_status(instance)
    span = f"{state.released[0]} … {state.released[-1]} ({len(state.released)})" if state.released else "none"
    tell(f"data as of  {state.data_as_of or 'nothing extracted yet'}")
    tell(f"released    {span}")
    tell(f"due now     {', '.join(state.due) or 'nothing'}")
    tell(f"next        {state.next_month or '-'}{f', from {state.due_on}' if state.due_on else ''}")
    tell(f"database    {state.database or 'not built'}")
    tell(f"site        {state.site or 'not built'}")
    if state.policy_changes and state.released:
        tell(
            f"policy      changed since {state.released[-1]}: {', '.join(state.policy_changes)}; holds from the next release on"
        )
    if state.corrections_waiting:
        tell(f"corrections {state.corrections_waiting} recorded, leaving with the next release")
    tell(f"lock        {'held by a run' if state.is_locked else 'free'}")
    if as_json:
        write_json(state)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Start an instance in FOLDER: settings to fill in, and a place for sources."""
    if any((folder / name).exists() for name in STARTING_FILES):
        raise UsageError(
            "init-not-empty",
            found=f"settings in {folder.name!r}",
            expected="a folder without metadata.yml, services.csv and units.csv",
            todo="Name another folder.",
        )
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for name in STARTING_FILES:
        text = files("etl.cli").joinpath("starting", name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    tell(f"{folder.name}: fill in {', '.join(STARTING_FILES)}, then sources/NAME/source.toml")
    tell("docs/reference/settings.md and docs/reference/source-toml.md explain every key")


def read_status(instance: Instance) -> Status:
    """Gather where an instance stands, without changing anything that is public."""
    schedule = pipeline.read_schedule(instance)
    policy = instance.settings.policy
    newest = schedule.due[-1] if schedule.due else schedule.last_released
    month = period_of(policy.calendar.system, "month", newest.last_on + timedelta(days=1)) if newest else None
    return Status(
        data_as_of=schedule.as_of,
        released=schedule.released,
        due=tuple(each.code for each in schedule.due),
        next_month=month.code if month else None,
        due_on=month.last_on + timedelta(days=policy.cadence.settle_days) if month else None,
        database=current_release(instance.datasets),
        site=current_release(instance.public),
        is_locked=_is_locked(instance),
        corrections_waiting=len(schedule.corrections),
        policy_changes=schedule.policy_changes,
    )


def _is_locked(instance: Instance) -> bool:
    if not (instance.var / "lock").exists():
        return False
    try:
        with instance.lock():
            return False
    except LockedError:
        return True
