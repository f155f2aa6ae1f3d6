"""Whatever becomes of the cases of a small office, the next release goes out: none is stopped for good by those before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
  cadence: %s
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
MONTHLY = "{month: 20, season: 10, settle_days: 15}"
SEASONS = "{month: 1000, season: 10, settle_days: 15}"
Day = tuple[int, int, int]
Lives = Sequence[tuple[str, Day, Day | None, int]]  # service, registered, ended, how many
# of eighty permits that are open at the year's end two stay open
EMPTIED: Lives = (
    ("Permits", (1403, 10, 5), (1403, 10, 9), 90),
    ("Permits", (1403, 12, 5), (1404, 1, 20), 78),
    ("Permits", (1403, 12, 5), None, 2),
    ("Records", (1403, 12, 5), (1404, 1, 20), 40),
    ("Permits", (1404, 2, 5), (1404, 2, 9), 30),
    ("Records", (1404, 2, 5), (1404, 2, 9), 30),
)


def _rows(lives: Lives, today: JalaliDate) -> Iterator[str]:
    """Write the cases as they stand on a day."""
    yield "number,office,service,began,ended,outcome"
    number = 0
    for service, began, ended, count in lives:
        for _ in range(count):
            number += 1
            is_over = ended is not None and JalaliDate(*ended) <= today
            day = "/".join(map(str, ended)) if ended and is_over else ""
            if JalaliDate(*began) <= today:
                yield f"{number},City,{service},{'/'.join(map(str, began))},{day},{'yes' if is_over else ''}"


def _run(root: Path, lives: Lives, today: JalaliDate) -> Built:
    (root / "requests.csv").write_text("\n".join(_rows(lives, today)) + "\n", encoding="utf-8")
    mapping = root / "sources" / "requests" / "source.toml"
    mapping.parent.mkdir(parents=True, exist_ok=True)
    mapping.write_text(MAPPING % today.to_gregorian().isoformat(), encoding="utf-8")
    instance = Instance(root)
    return Built(instance, pipeline.run(instance))


@pytest.mark.timeout(300)
def test_open_cases_that_end_together_stop_no_release(tmp_path: Path) -> None:
    """Seventy-eight of eighty open permits end within a month: it is released without services, and the next one with them."""
    (tmp_path / "metadata.yml").write_text(SETTINGS % MONTHLY, encoding="utf-8")
    for month in (1, 2, 3):
        last = _run(tmp_path, EMPTIED, JalaliDate(1404, month, 16))
    check_laws(last)
    shown = "select release_id, service_id, sum(case_count) as n from {} group by 1, 2 order by 1, 2"
    groups = {tuple(row.values()) for row in query(last.database, shown.format("case_group"))}
    assert groups == {
        *(("1403-10", "permits", 90), ("1404-01", None, 118), ("1404-02", "permits", 30), ("1404-02", "records", 30)),
    }
    stock = {tuple(row.values()) for row in query(last.database, shown.format("open_group"))}
    assert stock == {("1403-12", "permits", 80), ("1403-12", "records", 40)}
    _check_audit(tmp_path)
    assert pipeline.attest(last.instance, "1404-01").differing == 0


@pytest.mark.timeout(300)
def test_ended_cases_that_vanish_or_get_another_day_stop_no_release(tmp_path: Path) -> None:
    """Two cases were counted as ended in a season; before it is grouped one is deleted, and one ends in the next season."""
    (tmp_path / "metadata.yml").write_text(SETTINGS % SEASONS, encoding="utf-8")
    began, ended, later = (1403, 10, 5), (1403, 10, 9), (1404, 1, 3)
    others: Lives = [("Permits", (1403, month, 5), (1403, month, 9), 30) for month in (8, 9, 11, 12)]
    others = [*others, ("Permits", (1404, 1, 5), (1404, 1, 9), 40)]
    _run(tmp_path, [*others, ("Permits", began, ended, 30)], JalaliDate(1403, 11, 17))
    changed: Lives = [*others, ("Permits", began, ended, 28), ("Permits", began, later, 1)]
    for day in (JalaliDate(1404, 1, 17), JalaliDate(1404, 4, 17)):
        last = _run(tmp_path, changed, day)
    check_laws(last)
    sums = "select period_code, sum(case_count) as n from case_group group by 1 order by 1"
    assert [tuple(row.values()) for row in query(last.database, sums)] == [
        *(("1403-S3", 60), ("1403-S4", 88), ("1404-S1", 41))
    ]
    _check_audit(tmp_path)


def _check_audit(root: Path) -> None:
    """Attack all that is published together."""
    report = audit(read_evidence(root), attempts=300)
    assert [finding for attack in report.attacks for finding in attack.findings] == []
