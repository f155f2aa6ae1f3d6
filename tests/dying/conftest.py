"""One scene for the tests of this folder: an office whose next run releases two months; made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dying.office import Scene, make_later_scene


@pytest.fixture(scope="session")
def scene(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A state with five releases, and the same after the run that adds two."""
    return make_later_scene(project, tmp_path_factory.mktemp("dying"))
