"""A file that nobody foresaw: other names, other calendar, other shape; under forty lines of mapping bring it to a release."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from persiantools.jdatetime import JalaliDate

from etl import pipeline
from etl.instance import Instance
from etl.model.text import persian_digits
from tests.integration.conftest import Built
from tests.integration.real import check_groups, check_laws
from tests.integration.recount import query

SETTINGS = """
title: {fa: شهرداری آزمون, en: Test municipality}
x-shafaf:
  calendar: {system: jalali, zone: Asia/Tehran, weekend: [thursday, friday], holidays: IR}
  clocks: {headline: bylaw, bylaw: {days: 10, kind: working, from: registered}}
  cadence: {month: 20, season: 10, settle_days: 15}
  bodies_from_source: true
  codes:
    - {list: activity, code: register, title: {fa: ثبت, en: Registered}}
    - {list: activity, code: review_2, title: {fa: بررسی ۲, en: Second review}}
    - {list: activity, code: decide, title: {fa: پایان, en: Decided}}
  ladder:
    - {service: leaf, unit: leaf, outcome: code, lateness: code, trace: steps_units}
    - {service: leaf, outcome: code, lateness: code, trace: milestones}
    - {outcome: code, lateness: code}
    - {lateness: code}
"""
MAPPING = """
kind = "table"
path = "karnameh.csv"
shape = "events"
delimiter = ";"
calendar = "jalali"
snapshot_on = "2025-10-22"
missing = ["نامشخص"]

[secrecy]
column = "tabaghe"
map = { "عادی" = "normal" }

[case]
case_type_code = { constant = "service" }
body_id = { column = "dastgah", code = "slug", lang = "fa" }
service_id = { column = "khedmat", code = "slug", lang = "fa" }
registered_on = { event = "first" }
decided_on = { event = "first", milestone = "decided" }
outcome_code = { column = "natije", map = "natije" }

[event]
activity_code = { columns = ["amal", "marhale"], map = "gam" }
occurred_at = { column = "tarikh", format = "jalali:%Y/%m/%d ساعت %H:%M" }
to_unit_id = { column = "vahed", code = "slug", lang = "fa" }

[map.natije]
"انجام شد" = "completed"
"رد شد" = "not_eligible"

[map.gam]
"ثبت آغاز" = "register"
're:^بررسی ([0-9])$' = 'review_\\1'
"پایان" = "decide"

[milestone]
register = "registered"
"re:^review" = "in_review"
decide = "decided"

[link]
case_ref = "shomare"
"""
HEADER = "shomare;tabaghe;dastgah;khedmat;natije;amal;marhale;tarikh;vahed;kodmelli"
CASES = 400
CANARY = "0084575948"


def _rows() -> list[str]:
    """Make four hundred cases of three steps, one a day: Persian digits, three letters of secrecy, an unnamed column."""
    rows = []
    for number in range(CASES):
        first = JalaliDate(1404, 1, 5) + timedelta(days=number // 3)
        head = f"پ-{persian_digits(str(number))};{'محرمانه' if number % 50 == 7 else 'عادی'};شهرداري سپیدار;"
        head += f"{('پروانه کسب', 'آسفالت معبر')[number % 2]};{'رد شد' if number % 4 == 0 else 'انجام شد'};"
        for place, (act, stage) in enumerate((("ثبت", "آغاز"), ("بررسی", persian_digits("2")), ("پایان", "نامشخص"))):
            day = first + timedelta(days=place * (1 + number % 9))
            at = persian_digits(f"{day.year}/{day.month}/{day.day} ساعت 9:0{place}")
            rows.append(f"{head}{act};{stage};{at};واحد {persian_digits(str(place + 1))};{CANARY}")
    return rows


def test_a_file_that_nobody_foresaw_is_mapped_in_forty_lines(tmp_path: Path) -> None:
    """Finglish names, Jalali dates in Persian digits, semicolons, one row a step: to a release, by mapping alone."""
    lines = [line for line in MAPPING.splitlines() if line]
    assert len(lines) < 40
    folder = tmp_path / "sources" / "karnameh"
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "metadata.yml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "karnameh.csv").write_text("\n".join([HEADER, *_rows()]) + "\n", encoding="utf-8-sig")
    instance = Instance(tmp_path)
    built = Built(instance, pipeline.run(instance))
    assert built.report.extracted is not None
    secret = sum(number % 50 == 7 for number in range(CASES))
    assert (built.report.extracted.read, built.report.extracted.quarantined) == (CASES - secret, 0)
    check_laws(built)
    check_groups(built)
    true = Counter(
        f"{day.year:04}-{day.month:02}"
        for number in range(CASES)
        if number % 50 != 7
        for day in [JalaliDate(1404, 1, 5) + timedelta(days=number // 3 + 2 * (1 + number % 9))]
    )
    rows = query(built.database, "select month_code, sum(finished_count) as n from margin group by 1")
    assert +Counter({row["month_code"]: row["n"] for row in rows}) == true
    assert query(built.database, "select distinct title_fa from body") == [{"title_fa": "شهرداري سپیدار"}]
    assert query(built.database, "select count(*) as n from trace")[0]["n"] > 0
    assert all(CANARY.encode() not in path.read_bytes() for path in instance.datasets.rglob("*") if path.is_file())
