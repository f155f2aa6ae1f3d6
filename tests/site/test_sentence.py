"""The sentence says what all cases allow, never more, and nothing about too few."""

from __future__ import annotations

import re

import pytest

from portal.facts import Facts, Limit, read_facts
from portal.intervals import Interval
from portal.sentence import Finding, brief, find, tell
from portal.waits import Band
from portal.words import Words

FACTS = Facts(
    title={"fa": "", "en": ""},
    license="",
    source="",
    k=10,
    system="jalali",
    settle_days=15,
    wait_kind="working",
    headline=Limit(10, "working", "registered"),
    law=None,
)
BANDS = (Band("00_05", 0, 5), Band("06_10", 6, 10), Band("11_up", 11, None))


def said(finding: Finding, lang: str = "en", facts: Facts = FACTS, case_type: str = "foi") -> str:
    """Tell a finding without its markup."""
    return re.sub("</?em>", "", str(tell(finding, Words(lang, "jalali"), facts, case_type=case_type)))


def test_shortest_wait_that_holds_for_eight_of_ten_is_told() -> None:
    """8 of 10 within 10 days, where 5 days hold for 6 of 10 only."""
    within = {BANDS[0]: Interval(60, 5, 100), BANDS[1]: Interval(85, 5, 100), BANDS[2]: Interval(95, 5, 100)}
    finding = find(Interval(85, 5, 100), within)
    assert (finding.kind, finding.days, finding.query) == ("within", 10, "within_days")
    assert said(finding) == (
        "Of every 10 requests, at least 8 were answered within 10 working days; the law allows 10 working days."
    )


def test_persian_sentence_reads_as_a_native_writes() -> None:
    """The sentence of the first screen, word by word."""
    finding = Finding("within", Interval(80, 0, 100), 9, "within_days")
    text = said(finding, "fa").replace("\u00a0", " ")
    assert text == "از هر ۱۰ درخواست، ۸ تا ظرف ۹ روز کاری پاسخ گرفته است؛ مهلت قانونی ۱۰ روز کاری است."


def test_open_band_is_never_promised() -> None:
    """ "Over 60 days" is no wait that anyone can expect."""
    assert find(Interval(30, 5, 100), {BANDS[2]: Interval(95, 0, 100)}).kind == "on_time"


def test_few_cases_give_no_share() -> None:
    """Nineteen cases are too few, whatever they show."""
    finding = find(Interval(19, 0, 19), {BANDS[0]: Interval(19, 0, 19)})
    assert finding.kind == "few"
    assert "Fewer than 20 cases" in said(finding)
    assert brief(finding.interval, Words("en", "jalali")) == "too few cases"


def test_wide_share_is_told_in_counts() -> None:
    """Where half is hidden a share of ten would say nothing."""
    finding = find(Interval(30, 60, 100), {})
    assert finding.kind == "counts"
    assert said(finding) == (
        "Of 100 requests, at least 30 were answered in time; for 60 this is not shown; the law allows 10 working days."
    )


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(100, 0, 100), "all were answered"),
        (Interval(2, 0, 100), "fewer than one were answered"),
        (Interval(5, 30, 100), "at most 4 were answered"),
        (Interval(70, 0, 100), "7 were answered"),
        (Interval(75, 0, 100), "at least 7 were answered"),
    ],
)
def test_some_of_ten_is_never_rounded_up(interval: Interval, words: str) -> None:
    """A share is told by its lower end, exactly only where it is exact."""
    assert words in said(Finding("on_time", interval))


def test_letters_are_closed_rather_than_answered() -> None:
    """Correspondence of the office asks for no answer."""
    assert "letters, 7 were closed in time" in said(Finding("on_time", Interval(7, 0, 10)), case_type="correspondence")


def test_instance_without_fixed_limit_names_none() -> None:
    """Where each case has a date of its own, no number of days is made up."""
    facts = read_facts({"headline_clock": "bylaw", "bylaw_kind": "promised", "calendar_code": "gregorian"})
    assert "the law allows" not in said(Finding("on_time", Interval(7, 0, 10)), facts=facts)
