"""Reading the project's own code as data: tracked files, syntax trees, functions."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

CODE_FOLDERS = ("etl", "site/portal")


def tracked(root: Path, *patterns: str) -> list[Path]:
    """List files under version control; where there is no repository (a tarball), all files outside .venv."""
    command = ["git", "-C", str(root), "ls-files", "-z", *patterns]
    listing = subprocess.run(command, capture_output=True, check=False, timeout=30)
    if listing.returncode == 0:
        names = [name.decode() for name in listing.stdout.split(b"\0") if name]
        return [root / name for name in names if (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts]


def modules(root: Path, folders: tuple[str, ...] = CODE_FOLDERS) -> Iterator[tuple[str, ast.Module]]:
    """Give every module of ours: its name relative to the project, and its tree."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            yield str(path.relative_to(root)), ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a module, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(text: str) -> int:
    """Count lines that are neither empty nor only a comment."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
