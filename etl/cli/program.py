"""The program itself: its global options, its exit codes, and what happens to an error.

Exit codes: 0 ok and "nothing new" · 1 internal · 2 usage · 10 tampered · 12 cannot check · 20 privacy · 21 source ·
22 settings · 23 release · 75 locked · 130 stopped by Ctrl-C, 143 by SIGTERM. An unexpected exception shows one line and no
traceback (SHAFAF_DEBUG=1 shows it).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType

import click

from etl.cli.console import tell, tell_error
from etl.cli.journal import close_journal, note_error, place_of
from etl.cli.options import WholeHelp
from etl.cli.start import is_stopped, leave
from etl.errors import PortalError
from etl.instance import Instance, explain_disk

OBJECTS_BETWEEN = (20_000, 10, 10)  # collections: queries are many small objects that live until they have run


# the module that has the verb; only the one that was asked for is loaded, with the stages it goes through
_VERBS = {
    **dict.fromkeys(("run", "extract", "release", "build"), "stages"),
    **dict.fromkeys(("serve", "schedule"), "publish"),
    **dict.fromkeys(("status", "init"), "operator"),
    **dict.fromkeys(("withdraw", "correct"), "correct"),
    "ladder": "ladder",
    "audit": "trust",
    "demo": "demo",
}


class _Verbs(WholeHelp):
    """The verbs of the program, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all verbs, sorted."""
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb; all of them for one that there is not, which is answered with the nearest."""
        for name in (cmd_name,) if cmd_name in _VERBS else _VERBS:
            self.add_command(getattr(import_module(f"etl.cli.{_VERBS[name]}"), name))
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--portal",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the current folder",
    help="The instance: the folder with metadata.yml.",
)
@click.version_option(package_name="shafaf", prog_name="shafaf")
@click.pass_context
def program(context: click.Context, portal: Path) -> None:
    """Publish the timelines of a public body: anonymised, counted in groups, final."""
    context.obj = Instance(portal.resolve())


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    sys.excepthook = _tell_internal_error
    if args is None:  # a process of its own: what is imported stays, and need not be looked through again and again
        gc.freeze()
        gc.set_threshold(*OBJECTS_BETWEEN)
    try:
        with explain_disk():
            code = program.main(args=args, prog_name="shafaf", standalone_mode=False)
        code = code if isinstance(code, int) else 0
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read stdout has enough; what was to be done is done before it is told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except PortalError as error:
        note_error("error", {"slug": error.slug, "exit_code": error.exit_code})
        tell_error(error)
        code = error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.option_name == "--portal":
            error = click.NoSuchOption(
                "--portal", "--portal stands before the verb: shafaf --portal DIRECTORY VERB", ctx=error.ctx
            )
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        close_journal()
        leave()
    except RuntimeError:
        if not is_stopped():  # DuckDB's answer to a signal in the middle of a query
            raise
        close_journal()
        leave()
    close_journal()
    sys.exit(code)


def _tell_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log an unexpected exception by type and place, tell it in one line; the interpreter then exits with 1."""
    place = place_of(trace)
    note_error("internal-error", {"type": kind.__name__, "place": place})
    tell(f"internal error: {kind.__name__} at {place}; please report it. The last release is as it was.")
    if os.environ.get("SHAFAF_DEBUG") == "1":
        sys.__excepthook__(kind, error, trace)
    else:
        tell("SHAFAF_DEBUG=1 shows the whole trace; it may hold values of cases, so keep it inside the body.")
