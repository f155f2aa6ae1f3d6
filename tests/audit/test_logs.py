"""Real victims: cases of four public logs, of whom an adversary knows true steps with units, looked for in what is published."""

from __future__ import annotations

import csv
import gzip
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl import pipeline
from etl.audit import audit, read_evidence
from etl.audit.finding import Tally
from etl.audit.linkage import Suspects, Victim, judge
from etl.engine import open_duckdb
from etl.extract import open_staging
from etl.instance import Instance

LOGS = ("receipt", "helpdesk", "bpic2013_closed", "sepsis")
VICTIMS = 400
STEPS_KNOWN = (1, 2, 3, None)  # None: all of them
METADATA = """
title: {fa: نمونه, en: Log}
license: see the log
x-shafaf:
  calendar: {system: gregorian, zone: UTC, weekend: [saturday, sunday], holidays: NL}
  clocks: {headline: bylaw, bylaw: {days: 30, kind: calendar, from: registered}}
  k: 10
  bodies: [{id: office, title: {fa: اداره, en: Office}}]
  services: [{id: case, parent: null, title: {fa: پرونده, en: Case}}]
  statutory: {case_types: [], dimensions: []}
  bands: {duration: [0, 2, 5, 10, 20, 30, 60, 90], age: [10, 20, 40, 60]}
  ladder:
    - {service: leaf, unit: leaf, outcome: code, lateness: code, duration: band, loop: flag, trace: steps_units}
    - {service: leaf, outcome: code, lateness: code, duration: band, trace: steps}
    - {service: leaf, outcome: code, lateness: code, trace: steps}
    - {service: leaf, unit: leaf, outcome: code, lateness: code, duration: band}
    - {service: leaf, outcome: code, lateness: code}
    - {outcome: code, lateness: code}
    - {lateness: code}
"""
SOURCE = """
kind = "table"
path = "log.csv"
shape = "events"
zone = "UTC"
calendar = "gregorian"
snapshot_on = "SNAPSHOT"
missing = [""]
[secrecy]
constant = "normal"
why = "a public, de-identified event log"
[case]
case_type_code = { constant = "service" }
body_id = { constant = "office" }
service_id = { constant = "case" }
received_at = { column = "started", format = "iso" }
closed_on = { column = "ended", format = "iso" }
[event]
activity_code = { column = "activity", code = "slug", lang = "en" }
occurred_at = { column = "ts", format = "iso" }
to_unit_id = { column = "unit", code = "slug", lang = "en" }
[link]
case_ref = "case_id"
"""


pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture(scope="module", params=LOGS)
def released(request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """A log, extracted and released by the program itself."""
    path = real_data / "logs" / f"{request.param}.csv.gz"
    if not path.exists():
        pytest.skip("no event logs beside the real input")
    instance = Instance(tmp_path_factory.mktemp("log") / "office")
    (instance.sources / "log").mkdir(parents=True)
    (instance.root / "metadata.yml").write_text(METADATA, encoding="utf-8")
    newest = _write_log(path, instance.root / "log.csv")
    source = SOURCE.replace("SNAPSHOT", (date.fromisoformat(newest[:10]) + timedelta(days=60)).isoformat())
    (instance.sources / "log" / "source.toml").write_text(source, encoding="utf-8")
    pipeline.run_extract(instance)
    assert pipeline.run_release(instance)
    return instance


def test_real_cases_of_a_log_hide_among_k(released: Instance, tmp_path: Path) -> None:
    """Nobody of whom one, two, three or all true steps are known, with or without their days, stands among fewer than k;
    nobody is ruled out wrongly.
    """
    evidence = read_evidence(released.root)
    suspects, tally, chance = Suspects(evidence), Tally("linkage"), random.Random(1403)
    at = {row["case_group_id"]: place for place, row in enumerate(suspects.rows)}
    cases = _placed_cases(released, tmp_path)
    for key in chance.sample(sorted(cases), min(VICTIMS, len(cases))):
        group, steps = cases[key]
        for wanted in STEPS_KNOWN:
            known = sorted(chance.sample(range(len(steps)), min(wanted or len(steps), len(steps))))
            row = suspects.rows[at[group]]
            place = {name: row[name] for name in ("body_id", "case_type_code", "period_code")}
            days = {number: (steps[step][2] - steps[0][2]).days for number, step in enumerate(known)}
            for told in ({}, days):
                victim = Victim(place, steps=tuple(steps[step][:2] for step in known), days=told)
                assert at[group] in suspects.of(victim), "a case is ruled out of its own group"
                judge(suspects, victim, evidence.k, tally)
    assert tally.done().hit_count == 0


def test_the_audit_of_a_log_finds_nothing(released: Instance) -> None:
    """Every attacker on the releases of a log."""
    assert [
        attack.findings for attack in audit(read_evidence(released.root), attempts=2000).attacks if attack.hit_count
    ] == []


def _write_log(source: Path, target: Path) -> str:
    """Copy a log with the first and last moment of each case on its rows; give the last of all."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in rows:
        first[row["case_id"]] = min(first.get(row["case_id"], row["ts"]), row["ts"])
        last[row["case_id"]] = max(last.get(row["case_id"], row["ts"]), row["ts"])
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case_id", "activity", "unit", "ts", "started", "ended"])
        for row in rows:
            case = row["case_id"]
            writer.writerow([case, row["activity"], row["unit"], row["ts"], first[case], last[case]])
    return max(last.values())


def _placed_cases(instance: Instance, folder: Path) -> dict[str, tuple[int, list[tuple[str, str | None, date]]]]:
    """Give each released case its group and its true steps in order, with their days: what only the body knows."""
    groups: dict[str, Any] = {}
    for path in instance.placement.glob("*.parquet"):
        table = pq.read_table(path, columns=["population_code", "case_key", "case_group_id"]).to_pylist()
        groups |= {r["case_key"]: r["case_group_id"] for r in table if r["population_code"] == "finished"}
    backend = open_duckdb(folder / "spill", threads=1)
    staging = open_staging(backend, instance.staging)
    assert staging is not None
    columns = ("case_key", "seq", "activity_code", "to_unit_id", "occurred_on")
    event = staging.event.select(*columns).to_pyarrow().to_pylist()
    backend.disconnect()
    found: dict[str, tuple[int, list[tuple[str, str | None, date]]]] = {}
    for row in sorted(event, key=lambda row: (row["case_key"], row["seq"])):
        group = groups.get(row["case_key"])
        if group is not None:
            found.setdefault(row["case_key"], (group, []))[1].append(
                (row["activity_code"], row["to_unit_id"], row["occurred_on"])
            )
    return found
