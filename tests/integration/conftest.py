"""A small demo office, run from end to end once; tests that change it work on copies."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl import pipeline
from etl.demo import make_office
from etl.instance import Instance

CASES, MONTHS, UNTIL = 3000, 8, "1405-06"


@dataclass(frozen=True)
class Built:
    """An instance after its first run, and what the run said."""

    instance: Instance
    report: pipeline.RunReport

    @property
    def database(self) -> Path:
        """The published database."""
        return newest_database(self.instance)


def newest_database(instance: Instance) -> Path:
    """Give the file that current.json names."""
    current = json.loads((instance.datasets / "current.json").read_text(encoding="utf-8"))
    return instance.datasets / str(current["database"])


def copy_settings(project: Path, folder: Path) -> Path:
    """Copy what an operator writes: settings and mappings."""
    for name in ("metadata.yml", "services.csv", "units.csv"):
        shutil.copy(project / name, folder)
    shutil.copytree(project / "sources", folder / "sources")
    return folder


@pytest.fixture(scope="session")
def built(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small office of all bodies and eight months, extracted, released and built."""
    instance = Instance(copy_settings(project, tmp_path_factory.mktemp("office")))
    make_office(instance.office, until=UNTIL, months=MONTHS, cases=CASES)
    return Built(instance, pipeline.run(instance))


@pytest.fixture
def twin(built: Built, tmp_path: Path) -> Instance:
    """A copy of the built instance that a test may change."""
    folder = tmp_path / "twin"
    shutil.copytree(built.instance.root, folder)
    return Instance(folder)
