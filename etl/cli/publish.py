"""The verbs that keep running: serve and schedule."""

from __future__ import annotations

import sys

import click

import portal
from etl.cli.console import show_log
from etl.cli.journal import open_journal
from etl.cli.loop import Loop, run_once
from etl.instance import Instance


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--demo", is_flag=True, help="Serve where private folders can be read; a banner says so on every page.")
@click.pass_obj
def serve(instance: Instance, host: str, port: int, demo: bool) -> None:
    """Serve the built site at / and the data at /data/."""
    show_log("shafaf.serve")  # the server names its address itself, once it may listen
    portal.serve(instance, host=host, port=port, demo=demo)


@click.command()
@click.option("--at", "at", default="02:00", show_default=True, metavar="HH:MM", help="Time of the day to run.")
@click.option("--every", type=click.IntRange(1, 1440), metavar="MINUTES", help="Run every so many minutes instead.")
@click.option("--once", is_flag=True, help="Run the job now, once, and leave with its exit code (cron, tests).")
@click.pass_obj
def schedule(instance: Instance, at: str, every: int | None, once: bool) -> None:
    """Run the main job again and again; a failed job is logged and does not end the loop."""
    open_journal(instance.var)
    if once:
        sys.exit(run_once(instance))
    Loop(instance, at=at, every=every).run()
