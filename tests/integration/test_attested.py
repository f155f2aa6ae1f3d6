"""Attested numbers: inside the body a release is made once more from its staging, and every number must come out again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from etl import pipeline
from etl.cli import main
from etl.demo import advance_office
from etl.errors import PortalError
from etl.instance import Instance
from etl.load import Correction
from etl.metadata import load_dictionary
from tests.integration.conftest import Built, newest_database
from tests.integration.recount import query

NEWEST = "1405-06"


@pytest.fixture(scope="session")
def later(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """The office a month and a correction later; tests that change it work on copies."""
    root = tmp_path_factory.mktemp("later") / "office"
    shutil.copytree(built.instance.root, root)
    instance = Instance(root)
    coarse = "select case_group_id as id from case_group where outcome_code is not null and not is_floor limit 1"
    group = query(newest_database(instance), coarse)[0]["id"]
    pipeline.ask_corrections(instance, [Correction(group, "source_error", ("outcome",))])
    advance_office(instance.office)
    pipeline.run(instance)
    return instance


@pytest.fixture
def copied(later: Instance, tmp_path: Path) -> Instance:
    """A copy of the later office that a test may change."""
    shutil.copytree(later.root, tmp_path / "office")
    return Instance(tmp_path / "office")


@pytest.mark.parametrize("release_id", ["1404-11", NEWEST, None])
def test_every_number_comes_out_again(later: Instance, release_id: str | None) -> None:
    """The first release of a run, its last one, and the newest with its correction: each table equal, none left out."""
    report = pipeline.attest(later, release_id)
    assert report.release_id == (release_id or "1405-07")
    assert [(table.name, table.differing) for table in report.tables if table.differing] == []
    names = {table.name for table in report.tables}
    assert names == {spec.name for spec in load_dictionary().tables.values() if spec.scope == "release"} | {
        "report.json"
    }
    rows = {table.name: table.rows for table in report.tables}
    assert min(rows["case_group"], rows["margin"]) > 0


def test_the_verb_says_so(later: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, one line a table, the report on stdout."""
    assert _leave(later, "audit", "--attested", "--json", NEWEST) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["release_id"] == NEWEST
    assert "0 rows differ" in shown.err


def test_a_changed_number_is_found(copied: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    """A median that is one day longer in the released file: exit 10, and the table is named."""
    path = copied.releases / NEWEST / "case_group.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("wait_median_days")
    longer: pa.ChunkedArray = pc.add(table["wait_median_days"], 1)
    pq.write_table(table.set_column(place, table.schema.field(place), longer), path)
    assert _leave(copied, "audit", "--attested", NEWEST) == 10
    said = capsys.readouterr().err
    assert "attest-differs" in said
    told = {line.split()[0]: line for line in said.splitlines() if "rows" in line}
    assert told["case_group"].endswith("differ")
    assert told["margin"].endswith("equal")


def _change_record(instance: Instance) -> None:
    path = instance.var / "attested" / f"{NEWEST}.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "closed": record["closed"][1:]}))


def _touch_staging(instance: Instance) -> None:
    path = sorted((instance.staging).rglob("*.parquet"))[0]
    path.write_bytes(path.read_bytes() + b"\0")


def _lose_staging(instance: Instance) -> None:
    sorted((instance.staging).rglob("*.parquet"))[0].unlink()


def _lose_hash(instance: Instance) -> None:
    (instance.datasets / "attested" / f"{NEWEST}.json").unlink()


def _change_policy(instance: Instance) -> None:
    path = instance.root / "metadata.yml"
    path.write_text(path.read_text().replace("  k: 10\n", "  k: 11\n"))


@pytest.mark.parametrize(
    ("spoil", "slug", "code"),
    [
        (_change_record, "attest-hash", 10),
        (_touch_staging, "attest-staging", 10),
        (_lose_staging, "attest-forgotten", 12),
        (_lose_hash, "attest-unrecorded", 12),
        (_change_policy, "attest-policy", 12),
    ],
)
def test_what_was_changed_or_lost_is_said(
    copied: Instance, spoil: Callable[[Instance], None], slug: str, code: int
) -> None:
    """A changed record or staged file leaves with 10; what is gone, or other settings, with 12."""
    spoil(copied)
    with pytest.raises(PortalError) as error:
        pipeline.attest(Instance(copied.root), NEWEST)
    assert (error.value.slug, error.value.exit_code) == (slug, code)


def _leave(instance: Instance, *arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(("--portal", str(instance.root), *arguments))
    return int(left.value.code or 0)
