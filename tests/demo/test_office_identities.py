"""Everything personal in the office is a listed canary, and the mapping reads none of it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from etl.model.canaries import HASHES, make_canaries, read_canaries

ROOT = Path(__file__).parents[2]
IDENTITIES = [
    ("desk", "applicant", "full_name"),
    ("desk", "applicant", "national_id"),
    ("desk", "applicant", "mobile"),
    ("desk", "applicant", "email"),
    ("desk", "request", "tracking_code"),
    ("desk", "request_step", "operator_name"),
    ("desk", "notice", "mobile"),
    ("automation", "letter", "sender_name"),
    ("automation", "letter", "recipient_name"),
    ("automation", "letter", "signatory_name"),
    ("automation", "referral", "receiver_name"),
]
TEXTS = [
    ("desk", "applicant", "address"),
    ("desk", "request", "subject"),
    ("desk", "request", "body"),
    ("desk", "request", "refusal_text"),
    ("desk", "notice", "message"),
    ("desk", "survey", "comment"),
    ("automation", "letter", "subject"),
    ("automation", "letter", "body"),
    ("automation", "referral", "margin"),
]


@pytest.fixture(scope="module")
def canaries(two_ages: tuple) -> list[str]:
    """The canaries of the smaller office."""
    return (two_ages[0].folder / "canaries.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("database", "table", "column"), IDENTITIES)
def test_every_identity_is_a_canary(
    two_ages: tuple, canaries: list[str], database: str, table: str, column: str
) -> None:
    """Whatever names a person stands in the list."""
    found = {
        value for (value,) in two_ages[0].ask(database, f"select {column} from {table} where {column} is not null")
    }
    assert found
    assert found <= set(canaries)


@pytest.mark.parametrize(("database", "table", "column"), TEXTS)
def test_every_free_text_holds_a_canary(
    two_ages: tuple, canaries: list[str], database: str, table: str, column: str
) -> None:
    """A subject, body, margin or message that leaks shows a canary."""
    known = set(canaries)
    names = {canary for canary in known if canary.count(" ") == 2}
    for (text,) in two_ages[0].ask(database, f"select distinct {column} from {table} where {column} is not null")[:400]:
        words = text.replace("،", " ").replace("؛", " ").replace("،", " ").split()
        triples = {" ".join(words[i : i + 3]) for i in range(len(words))}
        assert triples & names or known & set(words), column


def test_each_canary_stands_in_a_raw_database(two_ages: tuple, canaries: list[str]) -> None:
    """The list names nothing that is not there: a search of the databases finds each canary."""
    folder = two_ages[0].folder
    raw = (folder / "desk.db").read_bytes() + (folder / "automation.db").read_bytes()
    assert [canary for canary in canaries[:: len(canaries) // 300] if canary.encode() not in raw] == []


def test_the_hashes_beside_the_list_are_its_own(two_ages: tuple, canaries: list[str]) -> None:
    """An office that time passed in has the hashes of its newer list."""
    for office in two_ages:
        with np.load(office.folder / HASHES) as kept:
            assert bytes(kept["of"]) == sha256((office.folder / "canaries.txt").read_bytes()).digest()
    assert read_canaries(two_ages[0].folder).hashes.tolist() == make_canaries(canaries).hashes.tolist()


def test_canaries_are_long_and_occur_nowhere_in_the_project_data(canaries: list[str]) -> None:
    """At least ten characters each, and no title of a body, unit or service holds one."""
    assert min(map(len, canaries)) >= 10
    names = ("metadata.yml", "services.csv", "units.csv", "etl/demo/office.yml")
    public = "".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    assert [canary for canary in set(canaries) if canary in public] == []


@pytest.mark.parametrize("source", ["desk", "automation"])
def test_the_mapping_selects_no_identity(source: str) -> None:
    """No query of the mapping names a column that identifies a person; the tracking code is read for the link alone."""
    texts = [(ROOT / f"sources/{source}/{name}.sql").read_text(encoding="utf-8") for name in ("case", "event")]
    queries = "\n".join(line for text in texts for line in text.splitlines() if not line.startswith("--"))
    columns = {column for _, _, column in IDENTITIES + TEXTS} - {"tracking_code", "refusal_text", "subject", "body"}
    assert [column for column in sorted(columns) if column in queries] == []
    assert "r.subject" not in queries
    assert "r.body" not in queries
    assert "l.subject" not in queries
    assert "l.body" not in queries
    assert "refusal_text is null" in queries or "refusal_text" not in queries
