"""A year's open cases nearly all end in its first month: the run goes on, and nothing tells of the two that are left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from persiantools.jdatetime import JalaliDate

from etl import pipeline
from etl.audit import audit, read_evidence
from etl.instance import Instance
from tests.integration.conftest import Built
from tests.integration.real import check_laws
from tests.integration.recount import query

SETTINGS = """
title: {fa: شهرداری آزمون, en: Test municipality}
x-shafaf:
  calendar: {system: jalali, zone: Asia/Tehran, weekend: [thursday, friday], holidays: IR}
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}}
  cadence: {month: 20, season: 10, settle_days: 15}
  bodies_from_source: true
  ladder:
    - {service: leaf, outcome: code, lateness: code}
    - {outcome: code, lateness: code}
    - {lateness: code}
"""
MAPPING = """
kind = "table"
path = "requests.csv"
shape = "case_row"
calendar = "jalali"
snapshot_on = "%s"
missing = [""]

[secrecy]
constant = "normal"
why = "a file of this test"

[case]
case_type_code = { constant = "foi" }
body_id = { column = "office", code = "slug", lang = "en" }
service_id = { column = "service", code = "slug", lang = "en" }
channel_code = { constant = "web" }
registered_on = { column = "began", format = "jalali:%%Y/%%m/%%d" }
decided_on = { column = "ended", format = "jalali:%%Y/%%m/%%d" }
outcome_code = { column = "outcome", map = "outcome" }

[[event]]
activity = "registered"
milestone = "registered"
column = "began"
format = "jalali:%%Y/%%m/%%d"

[[event]]
activity = "answered"
milestone = "decided"
column = "ended"
format = "jalali:%%Y/%%m/%%d"

[map.outcome]
"yes" = "granted_full"

[link]
case_ref = "number"
"""
# service, registered, ended, how many: of eighty permits that are open at the year's end two stay open
LIVES = (
    ("Permits", (1403, 10, 5), (1403, 10, 9), 90),
    ("Permits", (1403, 12, 5), (1404, 1, 20), 78),
    ("Permits", (1403, 12, 5), None, 2),
    ("Records", (1403, 12, 5), (1404, 1, 20), 40),
    ("Permits", (1404, 2, 5), (1404, 2, 9), 30),
    ("Records", (1404, 2, 5), (1404, 2, 9), 30),
)


def _rows(today: JalaliDate) -> Iterator[str]:
    """Write the cases as they stand on a day."""
    yield "number,office,service,began,ended,outcome"
    number = 0
    for service, began, ended, count in LIVES:
        for _ in range(count):
            number += 1
            is_over = ended is not None and JalaliDate(*ended) <= today
            day = "/".join(map(str, ended)) if ended and is_over else ""
            if JalaliDate(*began) <= today:
                yield f"{number},City,{service},{'/'.join(map(str, began))},{day},{'yes' if is_over else ''}"


def _run(root: Path, today: JalaliDate) -> Built:
    (root / "requests.csv").write_text("\n".join(_rows(today)) + "\n", encoding="utf-8")
    mapping = root / "sources" / "requests" / "source.toml"
    mapping.parent.mkdir(parents=True, exist_ok=True)
    mapping.write_text(MAPPING % today.to_gregorian().isoformat(), encoding="utf-8")
    instance = Instance(root)
    return Built(instance, pipeline.run(instance))


@pytest.mark.timeout(300)
def test_open_cases_that_end_together_stop_no_release(tmp_path: Path) -> None:
    """Seventy-eight of eighty open permits end within a month: it is released without services, and the next one with them."""
    (tmp_path / "metadata.yml").write_text(SETTINGS, encoding="utf-8")
    _run(tmp_path, JalaliDate(1404, 1, 16))
    _run(tmp_path, JalaliDate(1404, 2, 16))
    last = _run(tmp_path, JalaliDate(1404, 3, 16))
    check_laws(last)
    shown = "select release_id, service_id, sum(case_count) as n from {} group by 1, 2 order by 1, 2"
    groups = {tuple(row.values()) for row in query(last.database, shown.format("case_group"))}
    assert groups == {
        *(("1403-10", "permits", 90), ("1404-01", None, 118), ("1404-02", "permits", 30), ("1404-02", "records", 30)),
    }
    stock = {tuple(row.values()) for row in query(last.database, shown.format("open_group"))}
    assert stock == {("1403-12", "permits", 80), ("1403-12", "records", 40)}
    report = audit(read_evidence(tmp_path), attempts=300)
    assert [finding for attack in report.attacks for finding in attack.findings] == []
    assert pipeline.attest(last.instance, "1404-01").differing == 0
