"""Data goes one way: the import contract holds, and a planted violation breaks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = [
    ("etl/anonymise/planted.py", '"""Planted."""\n\nimport etl.load\n'),  # siblings
    ("etl/model/planted.py", '"""Planted."""\n\nimport etl.metadata\n'),  # a lower layer sees a higher one
    ("site/portal/planted.py", '"""Planted."""\n\nimport etl.extract\n'),  # the public side sees the private one
    ("etl/load/planted.py", '"""Planted."""\n\nimport etl.pipeline\n'),  # a stage knows the order
]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "site")])}
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def copy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to plant in."""
    folder = tmp_path_factory.mktemp("layers")
    for name in ("etl", "site"):
        shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project / "pyproject.toml", folder)
    return folder


def test_imports_keep_to_their_layers(copy: Path) -> None:
    """The code as it is keeps the contract."""
    result = _lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("name", "text"), PLANTED)
def test_a_planted_import_breaks_the_contract(copy: Path, name: str, text: str) -> None:
    """Each forbidden direction is seen."""
    planted = copy / name
    planted.write_text(text, encoding="utf-8")
    try:
        result = _lint(copy)
    finally:
        planted.unlink()
    assert result.returncode != 0
    assert "planted" in result.stdout
