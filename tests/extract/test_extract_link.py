"""Two systems, one case: what joins, what does not, and what is never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from etl.extract import extract
from etl.instance import Instance

Read = Callable[[Instance], list[Any]]


def test_a_request_and_its_letter_are_one_case(office: Any, cases: Read) -> None:
    """The desk gives channel, service and promise; the automation registration, unit and direction."""
    office.request("q1", tracking="T1", promised="1404/05/20", registered=None)
    office.letter("l1", tracking="T۱", unit="archive")
    instance = office.write()
    report = extract(instance)
    (case,) = cases(instance)
    assert (case["case_type_code"], case["channel_code"], case["letter_direction_code"]) == (
        "service",
        "desk",
        "incoming",
    )
    assert (case["registered_on"], case["unit_id"]) == (date(2025, 7, 24), "archive")
    assert (case["is_desk"], case["is_linked"], case["registration_days"]) == (True, True, 1)
    assert (report.read, report.staged) == (1, 1)


def test_any_whole_alternative_of_a_reference_joins(office: Any, cases: Read) -> None:
    """Register and number together are a reference; one of them alone is not."""
    office.request("q1", register="in", number="۱۲")
    office.letter("l1", register="in", number="12")
    office.request("q2", register="in")
    office.letter("l2", register="in")
    instance = office.write()
    joined = extract(instance).linkage.joined
    assert (joined.desk_requests, joined.followed, joined.letters_joined) == (2, 1, 1)
    assert len(cases(instance)) == 3


def test_a_letter_that_fits_two_requests_joins_neither(office: Any, cases: Read) -> None:
    """An ambiguous reference is counted, never guessed."""
    office.request("q1", tracking="T1")
    office.request("q2", tracking="T1")
    office.letter("l1", tracking="T1")
    instance = office.write()
    joined = extract(instance).linkage.joined
    assert (joined.letters_joined, joined.letters_ambiguous, joined.followed) == (0, 1, 0)
    assert len(cases(instance)) == 3


def test_a_request_may_have_caused_two_letters(office: Any, cases: Read, events: Read) -> None:
    """Two letters of one request are one case, registered with the first of them."""
    office.request("q1", tracking="T1")
    office.letter("l1", tracking="T1", registered="1404/05/04")
    office.letter("l2", tracking="T1", registered="1404/05/03")
    office.referrals = [("l1", "refer", "1404/05/05 10:00", None, "a"), ("l2", "refer", "1404/05/04 10:00", None, "b")]
    instance = office.write()
    report = extract(instance)
    (case,) = cases(instance)
    assert (report.read, report.staged, case["registered_on"]) == (1, 1, date(2025, 7, 25))
    assert [event["to_unit_id"] for event in events(instance)] == ["b", "a"]


def test_letters_of_one_day_take_turns_by_what_they_say(office: Any, cases: Read) -> None:
    """Never by their keys: those depend on the secret, and a published unit must not."""
    for number in range(12):
        office.request(f"q{number}", tracking=f"T{number}")
        office.letter(f"l{number}-1", tracking=f"T{number}", unit="b")
        office.letter(f"l{number}-2", tracking=f"T{number}", unit="a")
    instance = office.write()
    extract(instance)
    assert {case["unit_id"] for case in cases(instance)} == {"a"}


def test_letters_that_match_no_request_are_counted(office: Any) -> None:
    """A mistyped tracking code breaks the link and shows in the count."""
    office.request("q1", tracking="T1")
    office.letter("l1", tracking="T9")
    office.letter("l2")
    report = extract(office.write())
    assert (report.linkage.joined.letters_unmatched, report.linkage.i1.count, report.linkage.i1.of) == (1, 0, 1)
    assert report.read == 3


@pytest.mark.parametrize("secrecy", ["محرمانه", "", None])
def test_a_classified_letter_joins_nothing(office: Any, cases: Read, events: Read, secrecy: str | None) -> None:
    """The request stays, as if the letter did not exist; its referrals leave no quarantine row either."""
    office.request("q1", tracking="T1")
    office.letter("l1", tracking="T1", secrecy=secrecy)
    office.referrals = [("l1", "refer", "1404/05/05 10:00", None, "a")]
    instance = office.write()
    report = extract(instance)
    (case,) = cases(instance)
    assert (case["is_linked"], report.quarantined, report.classified_band) == (False, 0, "1-9")
    assert report.reasons == {}
    assert events(instance) == []


def test_joined_dates_that_do_not_fit_are_quarantined_once(office: Any) -> None:
    """A request decided before its letter was registered is one case in quarantine."""
    office.request("q1", tracking="T1", decided="1404/05/01")
    office.letter("l1", tracking="T1", registered="1404/05/09")
    office.request("q2")
    report = extract(office.write())
    assert (report.read, report.staged, report.quarantined) == (2, 1, 1)


def test_a_complaint_points_to_the_case_of_its_request(office: Any, cases: Read) -> None:
    """The parent's key is the key of the parent's case."""
    office.request("q1", registered="1404/05/01")
    office.request("q2", registered="1404/05/09", parent="q1")
    instance = office.write()
    extract(instance)
    parent, complaint = cases(instance)
    assert complaint["parent_case_key"] == parent["case_key"]


def test_indicators_are_counts(office: Any) -> None:
    """I1 followed, I2 days to registration, I3 promised, I4 notified at every milestone."""
    office.request("q1", tracking="T1", promised="1404/05/20")
    office.request("q2")
    office.letter("l1", tracking="T1", registered="1404/05/04")
    office.referrals = [("l1", "registered", "1404/05/04 08:00", None, None)]
    office.steps = [("q1", "notified", "1404/05/04 09:00", None)]
    linkage = extract(office.write()).linkage
    assert [(i.count, i.of) for i in (linkage.i1, linkage.i2, linkage.i3, linkage.i4)] == [
        (1, 2),
        (1, 1),
        (1, 2),
        (1, 2),
    ]
    assert linkage.i2.median_days == 3


def test_a_person_has_another_key_each_year(office: Any, cases: Read) -> None:
    """The requester's key joins cases of one calendar year only."""
    for number, day in enumerate(("1403/11/01", "1403/12/01", "1404/02/01")):
        office.request(f"q{number}", person="0012345678", received=f"{day} 08:00", registered=day)
    instance = office.write()
    extract(instance)
    keys = [case["requester_key"] for case in cases(instance)]
    assert keys[0] == keys[1] != keys[2]


def test_keys_need_the_secret(office: Any, cases: Read) -> None:
    """The same office under two secrets has no key in common."""
    office.request("q1", person="0012345678")
    instance = office.write()
    extract(instance)
    first = cases(instance)[0]
    for path in (instance.staging / "batches").iterdir():
        path.unlink()
    (instance.var / "secret").write_text("b" * 64)
    extract(instance)
    second = cases(instance)[0]
    assert first["case_key"] != second["case_key"]
    assert first["requester_key"] != second["requester_key"]


def test_no_identity_is_written_under_var(office: Any) -> None:
    """Ids of persons, cases and references leave no byte in var/, neither plain nor in UTF-16."""
    canaries = ["CANARY-PERSON-01", "CANARY-REQUEST-01", "CANARY-TRACKING-01", "CANARY-LETTER-01"]
    office.request(canaries[1], person=canaries[0], tracking=canaries[2])
    office.letter(canaries[3], tracking=canaries[2])
    instance = office.write()
    assert extract(instance).linkage.joined.letters_joined == 1
    for path in instance.var.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for canary in canaries:
            assert canary.encode() not in content
            assert canary.encode("utf-16-le") not in content
