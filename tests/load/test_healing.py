"""A run that dies anywhere leaves earlier releases whole; healing removes the half one and refuses losses."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.errors import PrivacyError, ReleaseError, SettingsError
from etl.instance import Instance
from etl.instance.durable import sync_tree
from etl.load import PLACEMENT, Past, heal, read_history, write_releases
from tests.load.builder import AS_OF, Office, floor, group

OFFICE = Office(
    ["1403-01", "1403-02"],
    [group(outcome_code="not_held"), floor(), group("1403-02", outcome_code="not_held")],
)


class PowerCut(Exception):
    """The machine stops here."""


class StopsAt:
    """A progress listener that stops the run at a step of a release."""

    def __init__(self, name: str, done: int) -> None:
        """Remember where to stop."""
        self.at = (name, done)

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Stop there."""
        if (name, done) == self.at:
            raise PowerCut


def names(folder: Any) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("release_count", [1, 2])
@pytest.mark.parametrize("step", ["releases staged", "placements durable", "releases in place"])
def test_a_death_at_any_step_heals(instance: Instance, backend: Any, step: str, release_count: int) -> None:
    """After a death and healing, releases and placements fit, and the rest can be released."""
    with pytest.raises(PowerCut):
        write_releases(
            instance, backend, OFFICE.published(), as_of=AS_OF, due=OFFICE.months, progress=StopsAt(step, release_count)
        )
    told = heal(instance)
    whole = release_count if step == "releases in place" else release_count - 1
    assert names(instance.releases) == OFFICE.due[:whole]
    assert [name.removesuffix(".parquet") for name in names(instance.placement)] == OFFICE.due[:whole]
    assert not list(instance.datasets.glob(".*"))
    assert bool(told) == (step != "releases in place")
    left = Office(OFFICE.due[whole:], [row for row in OFFICE.groups if row["release_id"] in OFFICE.due[whole:]])
    write_releases(instance, backend, left.published(), as_of=AS_OF, due=left.months)
    assert names(instance.releases) == OFFICE.due
    assert heal(instance) == []


def test_healing_says_what_it_removed(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Each removal is one sentence that names the month."""
    release(OFFICE)
    (instance.datasets / ".staging-1403-03").mkdir()
    shutil.copy(instance.placement / "1403-02.parquet", instance.placement / "1403-03.parquet")
    (instance.placement / ".1403-03.tmp").write_bytes(b"half")
    told = heal(instance)
    assert len(told) == 3
    assert sum("1403-03" in sentence for sentence in told) == 2
    assert heal(instance) == []


def test_lost_placements_stop_everything(instance: Instance, release: Callable[[Office], Any]) -> None:
    """A release whose placements are gone could be released twice: a privacy failure."""
    release(OFFICE)
    (instance.placement / "1403-01.parquet").unlink()
    with pytest.raises(PrivacyError) as error:
        heal(instance)
    assert error.value.slug == "placements-lost"


def test_lost_releases_are_not_taken_for_a_dead_run(instance: Instance, release: Callable[[Office], Any]) -> None:
    """Healing never deletes the placements of releases whose folders somebody removed."""
    release(OFFICE)
    shutil.rmtree(instance.releases)
    with pytest.raises(ReleaseError) as error:
        heal(instance)
    assert error.value.slug == "releases-lost"
    assert len(names(instance.placement)) == 2


def test_a_gap_in_the_releases_is_a_loss(instance: Instance, release: Callable[[Office], Any]) -> None:
    """A released folder in the middle that is gone is found by its number."""
    release(OFFICE)
    shutil.rmtree(instance.releases / "1403-01")
    with pytest.raises(ReleaseError) as error:
        heal(instance)
    assert error.value.slug == "release-missing"


def test_a_release_of_a_newer_program_is_refused(instance: Instance, release: Callable[[Office], Any]) -> None:
    """A state made by a newer schema is an error of settings that says so."""
    release(OFFICE)
    path = instance.releases / "1403-01" / "manifest.json"
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 99'))
    with pytest.raises(SettingsError) as error:
        heal(instance)
    assert error.value.slug == "schema-newer"


def test_an_empty_instance_has_nothing_to_heal(instance: Instance) -> None:
    """Before the first release there is nothing to do and nothing is made."""
    assert heal(instance) == []
    assert not instance.datasets.exists()


def test_placements_are_private_and_name_the_group(instance: Instance, release: Callable[[Office], Any]) -> None:
    """One file a release, readable by its owner only, one row a case with the id of its group."""
    release(OFFICE)
    path = instance.placement / "1403-01.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.placement.stat().st_mode) == 0o700
    table = pq.read_table(path)
    assert table.schema.names == PLACEMENT.names
    assert table.num_rows == 15
    groups = pq.read_table(instance.releases / "1403-01" / "case_group.parquet")
    assert set(table["case_group_id"].to_pylist()) == set(groups["case_group_id"].to_pylist())


def test_history_hands_back_what_was_released(
    instance: Instance, backend: Any, release: Callable[[Office], Any]
) -> None:
    """Released ids in order, every placement, every margin, the cadences of the first release."""
    assert read_history(instance, backend) == Past()
    release(OFFICE)
    past = read_history(instance, backend)
    placement, margin = past.placement, past.margin
    assert past.released == ("1403-01", "1403-02")
    assert placement is not None
    assert margin is not None
    assert placement.count().to_pyarrow().as_py() == 27
    assert placement.columns == tuple(PLACEMENT.names)
    assert margin.finished_count.sum().to_pyarrow().as_py() == 27
    assert "margin_id" not in margin.columns
    assert past.cadence_bootstrap == {"alef": {"foi": "month"}}
    assert (past.promises.k, past.promises.sensitive) == (0, frozenset())
    assert read_history(instance, backend, before="1403-02").released == ("1403-01",)


def test_a_waiting_case_has_a_placement_without_group(
    instance: Instance, backend: Any, release: Callable[[Office], Any]
) -> None:
    """A NULL group key stays NULL in the placements, and binds the next policy."""
    office = Office(["1403-01"], [group()], awaiting={("1403-01", "alef", "foi"): 1})
    published = office.published()
    waiting = published.placement.filter(published.placement.case_key == "first-0-0").mutate(
        case_key=published.placement.case_key.concat("-waits"),
        group_key=published.placement.group_key.nullif(published.placement.group_key),
    )
    placement = published.placement.union(waiting)
    write_releases(
        instance,
        backend,
        type(published)(**{**published.__dict__, "placement": placement}),
        as_of=AS_OF,
        due=office.months,
    )
    rows = pq.read_table(instance.placement / "1403-01.parquet").to_pylist()
    assert [row["case_key"] for row in rows if row["case_group_id"] is None] == ["first-0-0-waits"]
    promises = read_history(instance, backend).promises
    assert (promises.k, promises.sensitive) == (10, {"welfare", "loan"})


def test_a_file_that_cannot_be_forced_to_disk_is_no_secret(tmp_path: Path) -> None:
    """Files go to disk side by side; what one of them meets there is raised, wherever it stands among them."""
    for number in range(20):
        (tmp_path / f"{number:02}").write_bytes(b"whole")
    sync_tree(tmp_path)
    (tmp_path / "07x").symlink_to(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        sync_tree(tmp_path)
