"""The instance's mapping knows every code and word that the office's systems hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from etl.demo.catalogue import read_catalogue
from etl.metadata import load_settings
from etl.model.text import fold

ROOT = Path(__file__).parents[2]
CODED = [
    ("desk", "request", "kind", "kind"),
    ("desk", "request", "org_code", "org"),
    ("desk", "request", "service_code", "service"),
    ("desk", "request", "channel", "channel"),
    ("desk", "request", "urgency", "track"),
    ("desk", "request", "status", "status"),
    ("desk", "request", "result", "outcome"),
    ("desk", "request", "exemption", "exemption"),
    ("desk", "request", "complaint_ground", "complaint_ground"),
    ("desk", "request_step", "action", "activity"),
    ("desk", "request_step", "unit_code", "unit"),
    ("desk", "applicant", "kind", "applicant_kind"),
    ("desk", "applicant", "province", "province"),
    ("automation", "dossier", "kind", "kind"),
    ("automation", "dossier", "org_code", "org"),
    ("automation", "dossier", "service_code", "service"),
    ("automation", "dossier", "unit_code", "unit"),
    ("automation", "dossier", "status", "status"),
    ("automation", "dossier", "result", "outcome"),
    ("automation", "letter", "secrecy", "secrecy"),
    ("automation", "letter", "channel", "channel"),
    ("automation", "letter", "direction", "direction"),
    ("automation", "letter", "sender_kind", "applicant_kind"),
    ("automation", "referral", "action", "activity"),
    ("automation", "referral", "from_unit", "unit"),
    ("automation", "referral", "to_unit", "unit"),
]
STRANGE = {fold("پیشنهاد")}  # the kind that no mapping knows, on purpose


def mapping(source: str) -> dict[str, dict[str, dict[str, str]]]:
    """Read the mapping of a source."""
    return tomllib.loads((ROOT / f"sources/{source}/source.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("source", "table", "column", "name"), CODED)
def test_every_word_of_the_office_is_mapped(office: object, source: str, table: str, column: str, name: str) -> None:
    """No value of a coded column is unknown to its map, however it is typed."""
    known = {fold(word) for word in mapping(source)["map"][name]}
    query = f"select distinct {column} from {table} where {column} is not null"
    found = {fold(str(word)) for (word,) in office.ask(source, query)}
    assert found - known - STRANGE == set()


def test_mapped_ids_are_those_of_the_instance() -> None:
    """Every body, unit, service and activity a map names exists in metadata.yml, units.csv and services.csv."""
    policy = load_settings(ROOT).policy
    known = {
        "org": {body.id for body in policy.bodies},
        "unit": {unit.id for unit in policy.units},
        "service": {service.id for service in policy.services},
        "activity": {code.code for code in policy.codes if code.list == "activity"},
    }
    for source in ("desk", "automation"):
        for name, ids in known.items():
            assert set(mapping(source)["map"][name].values()) <= ids


def test_the_office_and_the_instance_name_the_same_things() -> None:
    """The catalogue of the office and the instance's files list the same bodies, units and leaf services."""
    policy, catalogue = load_settings(ROOT).policy, read_catalogue()
    services = [service for service in policy.services if service.parent is not None]
    for theirs, ours in (
        (catalogue.bodies, policy.bodies),
        (catalogue.units, policy.units),
        (catalogue.services, services),
    ):  # the office writes no hamza on a final he, as offices do; what is published has it
        assert {thing.id: fold(thing.name) for thing in theirs} == {thing.id: fold(thing.title["fa"]) for thing in ours}


def test_the_welfare_family_is_sensitive() -> None:
    """The sensitive services are exactly the welfare family."""
    policy = load_settings(ROOT).policy
    assert policy.sensitive.services == ("welfare",)
    assert {node.id for node in policy.services if node.sensitive} == {
        node.id for node in policy.services if "welfare" in (node.id, node.parent)
    }
