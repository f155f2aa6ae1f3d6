"""The site built once for all tests of the folder, from the released database that `maker` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.instance import Instance
from portal import build_site
from tests.site.maker import make_released


@pytest.fixture(scope="session")
def site_instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """An instance with a released database and its built site."""
    root = tmp_path_factory.mktemp("portal")
    make_released(root / "datasets")
    instance = Instance(root)
    build_site(instance)
    return instance


@pytest.fixture(scope="session")
def built(site_instance: Instance) -> Path:
    """The folder of the built site."""
    return site_instance.public / "1405-06"
