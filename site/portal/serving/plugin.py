"""Our hooks into Datasette: a guarded connection, errors that say what was wrong, and the words of our templates.

Registered once a process by `portal.serving.explorer`; each hook acts only on Datasette objects that were made there.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final

from datasette import Response
from datasette.database import QueryInterrupted
from datasette.plugins import pm
from datasette.utils.asgi import Base400, Forbidden, NotFound
from datasette.views.base import DatasetteError
from jinja2 import Environment
from markupsafe import Markup
from pluggy import HookimplMarker

from portal.catalogue import load_queries
from portal.formats import number
from portal.serving.choices import Labels, label_of, unfit
from portal.serving.guard import guard_connection
from portal.serving.workbook import EXTENSION, render

DATABASE: Final = "portal"  # the stable name under which every release's database is shown
PLUGIN: Final = "shafaf"
_TOO_LONG: Final = (
    "The answer took too long and was stopped. Ask for less (one release, one body), "
    "or ask the whole database on your own computer: it is on the page “How to read the data”.",
    "پاسخ بیش از اندازه طول کشید و متوقف شد. کمتر بپرسید (یک انتشار، یک دستگاه)، "
    "یا کل پایگاه داده را از صفحهٔ «داده‌ها را چگونه بخوانیم» بگیرید و روی رایانهٔ خود بپرسید.",
)
_LABEL: Final = Markup('{} <small>{}</small> <small lang="fa" dir="auto">{}</small>')
_LOG = logging.getLogger("shafaf.serve")
_hook = HookimplMarker("datasette")


@_hook
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Guard connections to the published database; Datasette's own one must stay writable to it."""
    if database == DATABASE:
        guard_connection(conn)


@_hook
def prepare_jinja2_environment(env: Environment, datasette: Any) -> None:
    """Give our templates numbers in both scripts, and what is missing in the form of a named query."""

    def choices() -> dict[str, Labels]:
        return dict(datasette.metadata("choices", database=DATABASE))

    def missing(name: str, given: dict[str, str]) -> list[str]:
        return unfit(load_queries()[name], choices(), given)

    env.filters["number"] = number
    env.globals |= {"choices_of_reader": choices, "missing": missing}


@_hook
def render_cell(row: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    """Write the names of a code beside it in the answer of a named query; rows of tables stay as they are."""
    if table is not None or database != DATABASE:
        return None
    label = label_of(datasette.metadata("labels", database=DATABASE), row, column)
    return _LABEL.format(row[column], *label) if label else None


@_hook
def register_output_renderer(datasette: Any) -> dict[str, Any]:
    """Answer as a workbook too, for readers with a spreadsheet."""
    return {"extension": EXTENSION, "render": render}


@_hook(wrapper=True)
def handle_exception(datasette: Any, request: Any, exception: BaseException) -> Generator[None, list[Any], list[Any]]:
    """Answer an error by a short page or JSON and log its kind; the default would print a traceback with all values."""
    yield
    if _explain(exception)[0] >= 500:
        _LOG.error("explorer error %s", type(exception).__name__)
    return [_answer(datasette, request, exception)]


@_hook
def forbidden(datasette: Any, request: Any, message: str) -> Any:
    """Answer what is not allowed like every other error; the default would show the bare name of the permission."""
    return _answer(datasette, request, Forbidden(message))


def _answer(datasette: Any, request: Any, exception: BaseException) -> Callable[[], Awaitable[Any]]:
    status, message, persian = _explain(exception)

    async def answer() -> Any:
        info = {"ok": False, "error": message, "status": status, "title": None}
        if request.path.endswith(".json"):
            return Response.json(info, status=status)
        template = datasette.jinja_env.get_template("error.html")
        shown = {**info, "error_fa": persian, "request": request}
        return Response.html(await template.render_async(shown), status=status)

    return answer


def _explain(exception: BaseException) -> tuple[int, str, str]:
    """Turn an exception into a status and a sentence in English and Persian; what was typed wrong is a 400, never a 500."""
    if isinstance(exception, NotFound):
        return 404, "There is no such page, table or row.", "چنین صفحه، جدول یا ردیفی نیست."
    if isinstance(exception, Forbidden):
        refused = "That is not allowed here. Free SQL is off; named queries and tables are open."
        return 403, refused, "این کار این‌جا مجاز نیست. SQL آزاد بسته است؛ پرسش‌های آماده و جدول‌ها بازند."
    if isinstance(exception, Base400):
        wrong = str(exception.args[0] if exception.args else "The address is not right.")
        return exception.status, wrong, "نشانی درست نیست."
    if isinstance(exception.__context__, QueryInterrupted):
        return 400, *_TOO_LONG
    if isinstance(exception, DatasetteError):
        status = 400 if exception.status >= 500 else exception.status
        return status, str(exception.message), "به این پرسش نمی‌توان پاسخ داد؛ نشانی را دوباره ببینید."
    if isinstance(exception, sqlite3.Error | ValueError | IndexError | KeyError | OverflowError | TypeError):
        unfit = "The address holds a value that does not fit this table."
        return 400, unfit, "در نشانی مقداری است که با این جدول جور نیست."
    return 500, "Something went wrong here; the data are unharmed.", "این‌جا خطایی رخ داد؛ به داده‌ها آسیبی نرسیده است."


def register() -> None:
    """Register the hooks of this module with Datasette, once a process."""
    if not pm.has_plugin(PLUGIN):
        pm.register(_Hooks, PLUGIN)


class _Hooks:
    """The hooks as one object that pluggy can register."""

    prepare_connection = staticmethod(prepare_connection)
    handle_exception = staticmethod(handle_exception)
    forbidden = staticmethod(forbidden)
    prepare_jinja2_environment = staticmethod(prepare_jinja2_environment)
    render_cell = staticmethod(render_cell)
    register_output_renderer = staticmethod(register_output_renderer)
