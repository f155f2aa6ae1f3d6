"""The reference pages are complete: every verb, setting, error, column and query that exists is explained."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import click
import pytest

from etl.audit.kinds import KINDS
from etl.audit.run import ATTACKERS
from etl.audit.words import load_words
from etl.cli.program import program
from etl.extract.vocabulary import CLOSED
from etl.metadata import load_dictionary, settings
from tests.docs import generate
from tests.docs.slugs import raised_slugs

SECTIONS = {
    "calendar": settings.Calendar,
    "clocks": settings.Clocks,
    "cadence": settings.Cadence,
    "margins": settings.Margins,
    "statutory": settings.Statutory,
    "sensitive": settings.Sensitive,
    "bands": settings.Bands,
}


def _page(project: Path, name: str) -> str:
    return (project / "docs" / "reference" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "make"), [("cli.md", generate.cli_page), ("schema.md", generate.schema_page)])
def test_generated_pages_are_fresh(project: Path, name: str, make: object) -> None:
    """A page made from code says what the code says; `make docs` writes it again."""
    assert callable(make)
    assert _page(project, name) == make()


def test_every_column_is_in_the_schema_page(project: Path) -> None:
    """Each published table has a heading, each column a row."""
    page = _page(project, "schema.md")
    for table in load_dictionary().tables.values():
        section = page.split(f"## `{table.name}`", 1)[1].split("\n## ", 1)[0]
        assert [name for name in table.names if f"| `{name}` |" not in section] == []


def test_every_setting_is_explained(project: Path) -> None:
    """Each key under x-shafaf, and each key inside one, stands in settings.md."""
    page = _page(project, "settings.md")
    keys = [field.name for field in dataclasses.fields(settings.Policy)]
    assert [key for key in keys if f"`{key}`" not in page] == []
    for section, kind in SECTIONS.items():
        text = page.split(f"### `{section}`", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
        assert [field.name for field in dataclasses.fields(kind) if f"`{field.name}`" not in text] == []


def test_every_code_of_a_closed_list_is_named(project: Path) -> None:
    """Who writes a map finds its codes on the page of the mapping, all of them and no other."""
    section = _page(project, "source-toml.md").split("## Codes", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", text)) for name, text in rows} == CLOSED


def test_every_error_is_explained(project: Path) -> None:
    """Each slug that the code raises has an entry in errors.md, and each entry belongs to a slug."""
    raised = set(raised_slugs(project))
    explained = set(re.findall(r"^### ([a-z0-9-]+)$", _page(project, "errors.md"), re.MULTILINE))
    assert sorted(raised - explained) == []
    assert sorted(explained - raised) == []


def test_every_environment_variable_is_explained(project: Path) -> None:
    """A variable that the code reads stands in settings.md."""
    used = set()
    for folder in ("etl", "site/portal"):
        for path in (project / folder).rglob("*.py"):
            used |= set(re.findall(r"\bSHAFAF_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert sorted(used - set(re.findall(r"\bSHAFAF_[A-Z_]+\b", _page(project, "settings.md")))) == []


def test_every_query_says_what_it_counts(project: Path) -> None:
    """Each query of the site begins with comments: a Persian and an English title."""
    for path in sorted((project / "site" / "portal" / "queries").glob("*.sql")):
        head = [line for line in path.read_text(encoding="utf-8").splitlines()[:6] if line.startswith("--")]
        assert len(head) >= 2, path.name


LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_every_link_in_the_docs_leads_somewhere(project: Path) -> None:
    """A relative link names a file or folder of the project."""
    pages = [*project.glob("*.md"), *(project / "docs").rglob("*.md"), *(project / "examples").rglob("*.md")]
    broken = [
        f"{page.relative_to(project)} → {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


COMMAND = re.compile(r"(?:^|`|<code>)shafaf ((?:--portal [\w./]+ )?[a-z].*?)(?:`|<|  #|$)", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)--[a-z-]+")


def _verb_of(words: list[str]) -> tuple[click.Command, list[str]]:
    verb: click.Command = program
    while isinstance(verb, click.Group) and words and words[0] in verb.commands:
        verb = verb.commands[words.pop(0)]
    return verb, words


def test_every_command_in_the_docs_can_be_typed(project: Path) -> None:
    """Its verb exists and knows the options that stand after it."""
    pages = [*project.glob("*.md"), *(project / "docs").rglob("*.md"), *(project / "examples").rglob("*.md")]
    wrong = []
    for page in pages:
        for command in COMMAND.findall(page.read_text(encoding="utf-8")):
            verb, rest = _verb_of(re.sub(r"^--portal \S+ ", "", command).split())
            known = {name for parameter in verb.params for name in parameter.opts}
            unknown = [option for option in OPTION.findall(" " + " ".join(rest)) if option not in known | {"--help"}]
            if unknown or verb is program:
                wrong.append(f"{page.relative_to(project)}: shafaf {command}")
    assert wrong == []


def test_the_readmes_are_twins(project: Path) -> None:
    """Both languages have the same doors, links and commands, and fit two screens."""
    english, persian = ((project / name).read_text(encoding="utf-8") for name in ("README.md", "README.fa.md"))
    pairs = {link.replace(".fa.md", ".md") for link in LINK.findall(persian)}
    assert {link.replace(".fa.md", ".md") for link in LINK.findall(english)} == pairs
    assert max(len(english.splitlines()), len(persian.splitlines())) <= 90
    for command in ("make run", "make serve", "select min(case_count)"):
        assert command in english
        assert command in persian


@pytest.mark.parametrize("name", ["audit.md", "audit.fa.md"])
def test_the_audit_pages_name_everything_that_is_attacked(project: Path, name: str) -> None:
    """Each attacker, each limit and each kind of published file stands in the page of both languages."""
    page = (project / "docs" / "how-to" / name).read_text(encoding="utf-8")
    named = [*ATTACKERS, *load_words()["limit"], *KINDS]
    assert [each for each in named if f"`{each}`" not in page] == []
