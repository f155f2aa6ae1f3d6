"""What a killed run leaves is seen and healed, stage by stage; `make kills` kills runs at any moment."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etl.demo import advance_office, make_office, settle_office
from etl.instance import Instance
from etl.load import heal
from etl.load.archive import list_releases
from etl.load.corrections import read_requests
from portal import heal_site
from portal.placing import put_in_place
from tests.dying.killing import look
from tests.dying.office import Scene, command, differences, fingerprints, leftovers

pytestmark = pytest.mark.timeout(300)  # whole runs, on machines that are busy too


def test_no_case_is_placed_twice(scene: Scene) -> None:
    """Over all releases a finished case is in one group, and a registered one is counted once."""
    tables = [pq.read_table(path) for path in sorted((scene.after / "var" / "placement").glob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    for population, in_group in (("finished", True), ("registered", False)):
        keys = [
            row["case_key"]
            for row in rows
            if row["population_code"] == population and (row["case_group_id"] is not None or not in_group)
        ]
        assert len(keys) > 500
        assert len(keys) == len(set(keys))


def test_the_look_sees_harm(scene: Scene, tmp_path: Path) -> None:
    """A page, a released byte or a database that is not what was released is seen: `make kills` can fail."""
    root = scene.copy(tmp_path / "harmed")
    assert look(scene, root) == []
    release = list_releases(root / "datasets" / "releases")[-1].release_id
    (root / "public" / release / "fa" / "index.html").write_text("half")
    with (root / "datasets" / f"portal-{release}.db").open("ab") as file:
        file.write(b"0")
    assert len(look(scene, root)) == 2


@pytest.mark.parametrize(
    ("number", "code", "verb"),
    [(signal.SIGINT, 130, ("withdraw",)), (signal.SIGTERM, 143, ("correct", "--drop", "outcome"))],
)
def test_a_stopped_correction_is_asked_whole_or_not_at_all(
    scene: Scene, tmp_path: Path, number: int, code: int, verb: tuple[str, ...]
) -> None:
    """Stopped while it loads, reads releases or tells what it did: one line, a code of its own, every release as it was."""
    root = scene.copy(tmp_path / "stopped")
    table = pq.read_table(list_releases(root / "datasets" / "releases")[-1].folder / "case_group.parquet")
    group = next(row["case_group_id"] for row in table.to_pylist() if row["outcome_code"] is not None)
    asking = command(root, *verb, str(group), "--reason", "privacy")
    asked = []
    for moment in ("etl.pipeline", "etl.load.attestation", "group "):
        code_now, said = _stop(asking, moment, number)
        done = code_now == 0 and said[-1].startswith("recorded")
        assert done or (code_now, said[-1]) == (code, "stopped; what was released is whole\n"), said
        assert look(scene, root) == []
        assert leftovers(root) == []
        asked.append([each.case_group_id for each in read_requests(Instance(root))])
    assert asked == [[], [], [group]]


def _stop(arguments: list[str], moment: str, number: int) -> tuple[int, list[str]]:
    """Send a signal once a line with some words is said, a module being loaded among them; give code and last lines."""

    def heed() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a run of the tests in the background ignores it

    timed = [arguments[0], "-X", "importtime", *arguments[1:]]
    with subprocess.Popen(timed, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        assert process.stderr is not None
        lines = iter(process.stderr)
        first = next(line for line in lines if moment in line)
        process.send_signal(number)
        said = [line for line in (first, *lines) if not line.startswith("import time")]
    return process.returncode, said


def test_leftovers_of_every_stage_are_cleared(scene: Scene, tmp_path: Path) -> None:
    """Whatever half files a death leaves, healing alone brings the state before it back."""
    root = scene.copy(tmp_path / "left")
    instance = Instance(root)
    for name in ("var/tmp/extract-0.duckdb", "datasets/.building.db", "datasets/.current.json.tmp"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"half")
    for name in ("var/tmp/spill", "datasets/.staging-1405-07", "public/.building-1405-07", "public/.old-1405-02"):
        (root / name).mkdir()
        (root / name / "half").write_bytes(b"half")
    assert leftovers(root)
    instance.clear_temporary()
    assert heal(instance)
    assert heal_site(instance.public)
    assert leftovers(root) == []
    assert differences(fingerprints(root), fingerprints(scene.before)) == []


def test_a_site_that_was_whole_is_put_in_place(tmp_path: Path) -> None:
    """Killed between two pages of a site that replaces one of the same release: healing does the rest."""
    public = tmp_path / "public"
    for name, text in (
        ("1405-06/index.html", "old"),
        ("1405-06/gone.html", "old"),
        (".ready-1405-06/index.html", "new"),
    ):
        (public / name).parent.mkdir(parents=True, exist_ok=True)
        (public / name).write_text(text)
    (public / "1405-06" / ".index.html.tmp").write_text("half")
    assert heal_site(public) == ["put the site of 1405-06 in place, which was built"]
    found = {path.relative_to(public).as_posix(): path.read_text() for path in public.rglob("*") if path.is_file()}
    assert found == {"1405-06/index.html": "new"}
    assert heal_site(public) == []


def test_the_two_newest_sites_are_kept(tmp_path: Path) -> None:
    """An older site goes only after the newest one is named."""
    for month in ("1405-04", "1405-05", "1405-06"):
        built = tmp_path / f".building-{month}"
        built.mkdir()
        (built / "index.html").write_text(month)
        put_in_place(tmp_path, built, month)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1405-05", "1405-06", "current.json"]


def test_an_office_is_never_of_two_days(tmp_path: Path) -> None:
    """Killed while its databases are put in place, the demo office is finished before anybody reads it."""
    make_office(tmp_path / "office", months=1, cases=30)
    shutil.copytree(tmp_path / "office", tmp_path / "later")
    advance_office(tmp_path / "later")
    written = tmp_path / "office" / ".written"
    written.mkdir()
    (tmp_path / "later" / "automation.db").replace(tmp_path / "office" / "automation.db")  # the kill came here
    for name in ("canaries.txt", "desk.db"):
        shutil.copy(tmp_path / "later" / name, written)
    assert len(settle_office(tmp_path / "office")) == 1
    later = fingerprints(tmp_path, ("later",))
    assert {name: later[f"later/{name}"] for name in ("canaries.txt", "desk.db")} == {
        name: fingerprints(tmp_path, ("office",))[f"office/{name}"] for name in ("canaries.txt", "desk.db")
    }
    assert settle_office(tmp_path / "office") == []


def test_a_secret_is_whole_or_not_there(tmp_path: Path) -> None:
    """Killed while the first run writes its secret, the next one writes it again."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / ".secret.tmp").write_text("3f")
    secret = Instance(tmp_path).secret(create=True)
    assert len(secret) == 64
    assert Instance(tmp_path).secret() == secret
    assert (tmp_path / "var" / "secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret"]
