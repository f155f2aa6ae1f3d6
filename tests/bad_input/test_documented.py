"""Every error and every reason for quarantine is explained in both languages, and each reason is met by the battery."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.bad_input.rows import HELD
from tests.docs.slugs import raised_slugs
from tests.house.sources import modules

PERSIAN = re.compile(r'<p dir="rtl" lang="fa">[^\n]*[آ-ی][^\n]* <b>چه کنید:</b> [^\n]*[آ-ی][^\n]*</p>')
MAKERS = ("Bad", "fromkeys")
IN_SQL = re.compile(r"insert into quarantine\s+select.*?, '([a-z_]+)'\s+from ", re.DOTALL)


def _entries(project: Path) -> dict[str, str]:
    page = (project / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    parts = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0]: part.split("\n## ", 1)[0] for part in parts}


def _reasons(project: Path) -> set[str]:
    """Find the reasons that extraction writes: `Bad("…")` and `fromkeys(…, "…")` in Python, the last text of an insert in SQL."""
    found: set[str] = set()
    for name, tree in modules(project, ("etl/extract",)):
        found |= set(IN_SQL.findall((project / name).read_text(encoding="utf-8")))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in MAKERS:
                found |= {part.value for part in call.args if isinstance(part, ast.Constant) and part.value}
    return found


def test_every_error_says_what_to_do_in_both_languages(project: Path) -> None:
    """Each slug of the code has an entry with an English and a Persian paragraph, each with what to do."""
    entries = _entries(project)
    assert sorted(slug for slug in raised_slugs(project) if slug not in entries) == []
    assert sorted(slug for slug, text in entries.items() if "**Do:**" not in text or not PERSIAN.search(text)) == []


def test_every_reason_is_documented_and_nothing_else_is(project: Path) -> None:
    """The reasons of the page are those that the code can give."""
    documented = {slug for slug in _entries(project) if "_" in slug}
    assert _reasons(project) == documented


def test_every_reason_is_met_by_the_battery(project: Path) -> None:
    """No reason is documented that no input was seen to give."""
    assert _reasons(project) == {reason for held in HELD for reason in held.reasons}
