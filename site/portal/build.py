"""Build the static site of the newest release: every page in Persian and English, from the released database alone.

Reads `datasets/` only. Writes a folder whose name begins with a dot, which `portal.placing` puts in
place as `public/<release_id>/` when it is whole. The same release gives the same bytes: no clock is read.
Figures are read once for both languages. Cost: about a dozen queries a body and case type, each on its own rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from etl.calendars import parse_period, period_of
from etl.instance import Instance
from etl.model.progress import SILENT, Progress
from portal.body_facts import BodyFacts, bands_of, read_body
from portal.body_page import body_values, file_of
from portal.charts import Chart
from portal.data_page import data_values
from portal.due_dates import DueDate, due_dates
from portal.facts import Facts, read_facts
from portal.find_page import find_values
from portal.home_page import HomeFacts, home_values, read_home
from portal.interactive import write_figures, write_scripts
from portal.letter_page import letter_values, limit_words
from portal.placing import BUILDING, put_in_place
from portal.privacy_page import privacy_values
from portal.quality import Quality, quality_lines, quality_values, read_quality
from portal.questions import Question, example_parameters, read_questions
from portal.reading import Rule, read_rules
from portal.released import Label, Released, open_released
from portal.render import Renderer
from portal.scope import WINDOW, Scope, find_scopes
from portal.service_facts import ServiceFacts, main_scopes, read_service
from portal.service_page import service_values
from portal.words import LANGUAGES, Words

_STEP = "site"
_SERVICES = """
select service_id, parent_id from service
where service_id <> 'not_recorded' and service_id not in (select parent_id from service where parent_id is not null)
order by service_id
"""


@dataclass(frozen=True)
class _Read:
    """Everything that both languages need, read once."""

    facts: Facts
    scopes: Mapping[str, Sequence[Scope]]
    bodies: Mapping[tuple[str, str], BodyFacts]
    home: HomeFacts
    services: Sequence[tuple[ServiceFacts, str | None]]
    due: Sequence[DueDate]
    rules: Sequence[Rule]
    qualities: Mapping[str, Quality]
    named: Mapping[str, Any]
    questions: Sequence[Question]
    next_on: date


def build_site(
    instance: Instance, *, review: Callable[[Path], None] | None = None, progress: Progress = SILENT
) -> Path:
    """Build the site of the newest release and put it in place; give its folder. ReleaseError: nothing is released yet.

    review: looks at the whole site before it is in place; what it raises keeps it from going live.
    """
    with open_released(instance.datasets) as released:
        release_id = released.newest.release_id
        instance.public.mkdir(parents=True, exist_ok=True)
        folder = instance.public / f"{BUILDING}{release_id}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        read = _read(released, progress)
        scripts = _write_shared(folder, read.facts)
        for lang in LANGUAGES:
            words = Words(lang, read.facts.system)
            _write_language(folder / lang, read, released, words, scripts=scripts, progress=progress)
    if review is not None:
        review(folder)
    return put_in_place(instance.public, folder, release_id)


def _read(released: Released, progress: Progress) -> _Read:
    facts = read_facts(released.meta)
    bands = bands_of(released)
    scopes = find_scopes(released)
    bodies: dict[tuple[str, str], BodyFacts] = {}
    for done, (body, each) in enumerate(scopes.items()):
        progress.step(_STEP, done, 3 * len(scopes))
        bodies |= {(body, scope.case_type): read_body(released, scope, facts=facts, bands=bands) for scope in each}
    main = main_scopes(released, scopes)
    home = read_home(released, scopes, facts=facts, bands=bands)
    services = []
    for row in released.rows(_SERVICES):
        scope = main.get(row["service_id"])
        around = bodies[scope.body, scope.case_type] if scope else None
        told = read_service(released, row["service_id"], scope=scope, facts=facts, bands=bands, body=around)
        services.append((told, row["parent_id"]))
    until = parse_period(facts.system, released.newest.release_id).last_on
    due = due_dates(released, headline=facts.headline, law=facts.law, until=_next_on(facts, until))
    has_foi = any(scope.case_type == "foi" for each in scopes.values() for scope in each)
    rules = read_rules(released, case_type="foi" if has_foi else home.scope.case_type, bands=bands)
    qualities = {body: read_quality(released, body, until=_told_until(each)) for body, each in scopes.items()}
    named = example_parameters(released, _largest(released, scopes) or home.scope)
    questions = read_questions(released, named)
    return _Read(facts, scopes, bodies, home, services, due, rules, qualities, named, questions, _next_on(facts, until))


def _data_values(read: _Read, released: Released, words: Words) -> dict[str, Any]:
    return data_values(released, read.rules, words, questions=read.questions, named=read.named, facts=read.facts)


def _largest(released: Released, scopes: Mapping[str, Sequence[Scope]]) -> Scope | None:
    """Give the leading scope of the body with the most finished cases; None where no body has any."""
    last = released.newest.release_id
    finished: dict[str, int] = {}
    for row in released.ask("bodies", first_release=released.since(last, months=WINDOW), release=last):
        finished[row["body_id"]] = finished.get(row["body_id"], 0) + row["finished_count"]
    body = max(scopes, key=lambda each: (finished.get(each, 0), each), default=None)
    return scopes[body][0] if body else None


def _told_until(scopes: Sequence[Scope]) -> str:
    """Give the release with which a body's window ends where nothing came in since; empty where the newest one does."""
    return "" if any(not scope.quiet_since for scope in scopes) else scopes[0].release


def _next_on(facts: Facts, last_on: date) -> date:
    following = period_of(facts.system, "month", last_on + timedelta(days=1))
    return following.last_on + timedelta(days=facts.settle_days)


def _write_language(
    folder: Path,
    read: _Read,
    released: Released,
    words: Words,
    *,
    scripts: Mapping[str, str],
    progress: Progress,
) -> None:
    facts = read.facts
    renderer = Renderer(
        words, site_title=facts.title[words.lang], facts=facts, release=released.newest, next_on=read.next_on
    )

    def write(path: str, template: str, **values: object) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(renderer.page(template, path=path, **values), encoding="utf-8")
        charts = [value for value in values.values() if isinstance(value, Chart)]
        title = values.get("title")
        named = title.text if isinstance(title, Label) else facts.title[words.lang]
        write_figures(target, charts, title=named)

    leads = {body: read.bodies[body, scopes[0].case_type] for body, scopes in read.scopes.items()}
    write("index.html", "home.html", **home_values(read.home, leads, released, words, facts))
    offset = len(read.scopes) * (1 + LANGUAGES.index(words.lang))
    for done, (body, scopes) in enumerate(read.scopes.items()):
        progress.step(_STEP, offset + done + 1, 3 * len(read.scopes))
        lines = quality_lines(read.qualities[body], released, words)
        year = words.period(read.qualities[body].year) if read.qualities[body].year else ""
        for scope in scopes:
            values = body_values(read.bodies[body, scope.case_type], scopes, released, words, facts)
            values |= {"quality": lines, "quality_year": year}
            write(f"body/{body}/{file_of(scope, scopes)}", "body.html", **values)
    for service, parent in read.services:
        scopes = read.scopes[service.scope.body] if service.scope else ()
        values = service_values(service, scopes, read.due, released, words, facts, parent=parent)
        write(f"service/{service.service}.html", "service.html", **values)
    write("letter.html", "letter.html", **letter_values(read.due, words, facts))
    write("data.html", "data.html", **_data_values(read, released, words))
    write("quality.html", "quality.html", **quality_values(list(read.qualities.values()), released, words))
    write("methodology.html", "methodology.html", limits=limit_words(words, facts))
    write("privacy.html", "privacy.html", **privacy_values(released, words))
    write("chart.html", "chart.html", scripts=scripts)
    found = find_values([service.service for service, _ in read.services], read.scopes, released, words)
    write("find.html", "find.html", **found)


def _write_shared(folder: Path, facts: Facts) -> dict[str, str]:
    with as_file(files("portal").joinpath("static")) as static:
        shutil.copytree(static, folder / "static")
    choose = Environment(loader=PackageLoader("portal", "templates"), autoescape=True).get_template("choose.html")
    (folder / "index.html").write_text(choose.render(titles=facts.title), encoding="utf-8")
    return write_scripts(folder / "static")
