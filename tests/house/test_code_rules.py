"""The rules of CONTRIBUTING that a machine can read from the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house import sources
from tests.mutants.run import load_mutants

LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
BROAD = {"Exception", "BaseException"}


def test_every_module_has_a_docstring(project: Path) -> None:
    """A module without a docstring does not say what it is for."""
    assert [
        name for name, tree in sources.modules(project, (*sources.CODE_FOLDERS, "tests")) if not ast.get_docstring(tree)
    ] == []


def test_every_public_name_has_a_docstring(project: Path) -> None:
    """Public classes and functions of modules say what they do."""
    missing = [
        f"{name}:{node.name}"
        for name, tree in sources.modules(project)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert missing == []


def test_no_module_is_long(project: Path) -> None:
    """A module is one idea: at most 400 lines of code."""
    long = [
        name
        for name, _ in sources.modules(project)
        if sources.code_lines((project / name).read_text("utf-8")) > LONGEST_MODULE
    ]
    assert long == []


def test_no_function_is_long(project: Path) -> None:
    """A function does what its name says, in at most 50 lines."""
    long = [
        f"{name}:{node.name}"
        for name, tree in sources.modules(project)
        for node in sources.functions(tree)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_except_is_broad(project: Path) -> None:
    """An error that nobody named is not caught."""
    assert [f"{name}:{line}" for name, tree in sources.modules(project) for line in broad_excepts(tree)] == []


def test_a_planted_broad_except_is_seen() -> None:
    """The rule above can fail."""
    assert broad_excepts(ast.parse("try:\n    x = 1\nexcept (ValueError, Exception):\n    pass\n")) == [3]


def test_no_import_stands_inside_a_function(project: Path) -> None:
    """Imports stand at the head of a module, so that cycles cannot hide."""
    inside = [
        f"{name}:{node.lineno}"
        for name, tree in sources.modules(project)
        for function in sources.functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_no_assert_checks_data(project: Path) -> None:
    """Python may be run without asserts; a check of data raises an error of ours."""
    asserts = [
        f"{name}:{node.lineno}"
        for name, tree in sources.modules(project)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert asserts == []


def test_no_module_is_a_drawer(project: Path) -> None:
    """No module is called after having no idea of its own."""
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [name for name, _ in sources.modules(project) if set(Path(name).with_suffix("").parts) & drawers] == []


MACHINE = re.compile(r"(?<![\w.$}])/(?:home|root|Users|work|mnt|opt/homebrew)/[\w.-]+|[A-Z]:\\\\Users")
INDEX = re.compile(
    r"--(?:extra-)?index-url\s+\S+|--trusted-host|https?://[\w.-]*(?:pypi|pythonhosted|artifactory|nexus)[\w./-]*", re.I
)


@pytest.mark.parametrize(
    ("rule", "name"), [(MACHINE, "a folder of somebody's machine"), (INDEX, "the address of a package index")]
)
def test_no_tracked_file_names_a_machine_or_an_index(project: Path, rule: re.Pattern[str], name: str) -> None:
    """The project runs anywhere: no file holds a folder of one machine or the address of an index."""
    found = []
    for path in sources.tracked(project):
        if path == Path(__file__) or path.suffix in (".png", ".woff2", ".gz", ".parquet"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if rule.search(line):
                found.append(f"{path.relative_to(project)}:{number}")
    assert found == [], name


def test_locked_requirements_are_hashed(project: Path) -> None:
    """Every locked package carries a version and hashes."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-peer.txt", "requirements-spark.txt"):
        text = re.sub(r"\\\n", " ", (project / name).read_text("utf-8"))
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins, name
        assert [line.split()[0] for line in pins if "==" not in line or "--hash=sha256:" not in line] == []


def test_every_mutant_changes_one_place(project: Path) -> None:
    """The text that a mutant replaces stands once in its file: whoever writes a law again takes its mutant along."""
    texts = {name: (project / name).read_text("utf-8") for name in {mutant.file for mutant in load_mutants()}}
    assert [mutant.law for mutant in load_mutants() if texts[mutant.file].count(mutant.old) != 1] == []


def broad_excepts(tree: ast.Module) -> list[int]:
    """Give the lines of excepts that catch everything."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in caught):
                lines.append(node.lineno)
    return lines
