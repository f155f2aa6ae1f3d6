"""Columns that only the full timeline can tell, and what is never invented."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from etl.extract import extract
from etl.instance import Instance

Read = Callable[[Instance], list[Any]]


def _case(office: Any, cases: Read) -> dict[str, Any]:
    instance = office.write()
    extract(instance)
    return dict(cases(instance)[0])


def test_both_clocks_run_from_their_own_start(office: Any, cases: Read) -> None:
    """Bylaw: 10 working days from registration. Law: 10 days from receipt. Thursday and Friday do not count."""
    office.request("q1", received="1404/04/30 09:00", registered="1404/05/01", decided="1404/05/12")
    case = _case(office, cases)
    assert case["due_law_on"] == date(2025, 7, 31)  # 1404/05/09
    assert case["due_bylaw_on"] == date(2025, 8, 6)  # 1404/05/15: 1 Mordad is a Wednesday
    assert (case["lateness_bylaw_code"], case["lateness_law_code"], case["wait_days"]) == ("on_time", "late", 7)


def test_the_last_day_is_still_on_time(office: Any, cases: Read) -> None:
    """A decision on the due date is on time, one day later it is late."""
    office.request("q1", decided="1404/05/11")
    office.request("q2", decided="1404/05/12", registered="1404/05/02", received="1404/05/01 10:00")
    instance = office.write()
    extract(instance)
    assert [case["lateness_law_code"] for case in cases(instance)] == ["on_time", "late"]


def test_a_case_finishes_with_its_first_final_decision(office: Any, cases: Read) -> None:
    """Decided before closed: the decision counts; open: no finish, no lateness, no wait."""
    office.request("q1", decided="1404/05/04", closed="1404/06/04")
    office.request("q2", registered="1404/05/02")
    instance = office.write()
    extract(instance)
    done, still_open = cases(instance)
    assert done["finished_on"] == date(2025, 7, 26)
    assert [still_open[name] for name in ("finished_on", "lateness_bylaw_code", "wait_days", "outcome_code")] == [
        None
    ] * 4
    assert still_open["status_code"] == "registered"


def test_events_of_both_systems_are_one_timeline_in_order_of_time(office: Any, events: Read) -> None:
    """Ties keep the source's order; numbering starts at 1."""
    office.request("q1", tracking="T1")
    office.letter("l1", tracking="T1")
    office.steps = [("q1", "received", "1404/05/01 09:00", None), ("q1", "notified", "1404/05/03 12:00", None)]
    office.referrals = [
        ("l1", "registered", "1404/05/02 08:00", None, "post"),
        ("l1", "refer_b", "1404/05/03 08:00", "post", "b"),
        ("l1", "refer_a", "1404/05/03 08:00", "b", "a"),
    ]
    instance = office.write()
    extract(instance)
    timeline = [(event["seq"], event["activity_code"], event["milestone_code"]) for event in events(instance)]
    assert timeline == [
        (1, "received", "received"),
        (2, "registered", "registered"),
        (3, "refer_b", "assigned"),
        (4, "refer_a", "assigned"),
        (5, "notified", "notified"),
    ]


def test_an_event_without_a_time_keeps_its_place_and_stays_without(office: Any, events: Read) -> None:
    """A missing time is NULL of unknown precision, after the event that its source put before it."""
    office.letter("l1")
    office.referrals = [
        ("l1", "registered", "1404/05/02 08:00", None, "post"),
        ("l1", "refer_b", "", "post", "b"),
        ("l1", "refer_a", "1404/05/04 08:00", "b", "a"),
    ]
    instance = office.write()
    extract(instance)
    rows = events(instance)
    assert [row["activity_code"] for row in rows] == ["registered", "refer_b", "refer_a"]
    assert (rows[1]["occurred_at"], rows[1]["time_precision_code"]) == (None, "unknown")


def test_a_status_that_the_events_do_not_give_is_a_derived_event_without_time(office: Any, events: Read) -> None:
    """Closed by status, no closing step: one event more, marked and untimed; a complete timeline gets none."""
    office.request("q1", closed="1404/05/06", status="closed")
    office.steps = [("q1", "received", "1404/05/01 09:00", None)]
    instance = office.write()
    assert extract(instance).derived_events == 1
    last = events(instance)[-1]
    assert (last["milestone_code"], last["is_derived"], last["occurred_at"], last["occurred_on"]) == (
        "closed",
        True,
        None,
        None,
    )
    office.steps.append(("q1", "closed", "1404/05/06 10:00", None))
    assert extract(office.write()).derived_events == 0


def test_a_finished_status_without_a_date_is_quarantined(office: Any, quarantine: Read) -> None:
    """No day of finishing is invented."""
    office.request("q1", status="closed")
    instance = office.write()
    office.request("q2")
    office.request("q3")
    instance = office.write()
    extract(instance)
    assert quarantine(instance) == [("case", 1, "closed_on", "finished_without_date")]


@pytest.mark.parametrize(
    ("units", "referrals", "distinct", "is_loop"),
    [
        (["a"], "0", "1", False),
        (["a", "a"], "0", "1", False),
        (["a", "b"], "1", "2", False),
        (["a", "b", "a"], "2", "2", True),
        (["a", None, "b", "c", "a"], "3_5", "3_5", True),
        (list("abcdefg"), "6_up", "6_up", False),
    ],
)
def test_bands_and_loops_come_from_hand_overs(
    office: Any, cases: Read, units: list[str | None], referrals: str, distinct: str, is_loop: bool
) -> None:
    """A hand-over is a change of the unit that has the case; a loop is a unit that has it again."""
    office.letter("l1")
    office.referrals = [("l1", "refer", f"1404/05/{day:02} 08:00", None, unit) for day, unit in enumerate(units, 3)]
    case = _case(office, cases)
    assert (case["referral_band_code"], case["unit_band_code"], case["is_loop"]) == (referrals, distinct, is_loop)


def test_the_unit_of_a_case_is_the_one_that_decided(office: Any, cases: Read) -> None:
    """Where no unit is stated: the unit that had the case at the decision, not the archive that had it last."""
    office.letter("l1")
    office.referrals = [
        ("l1", "refer", "1404/05/03 08:00", None, "legal"),
        ("l1", "signed", "1404/05/04 08:00", None, None),
        ("l1", "refer", "1404/05/05 08:00", None, "archive"),
    ]
    assert _case(office, cases)["unit_id"] == "legal"


def test_pauses_and_the_first_action_are_working_days(office: Any, cases: Read) -> None:
    """Waiting for the applicant from Saturday to Tuesday is three days; the weekend before the first action is none."""
    office.letter("l1", registered="1404/05/01")
    office.referrals = [
        ("l1", "registered", "1404/05/01 08:00", None, "post"),
        ("l1", "refer", "1404/05/04 08:00", None, "a"),
        ("l1", "asked", "1404/05/04 09:00", None, None),
        ("l1", "signed", "1404/05/07 09:00", None, None),
    ]
    case = _case(office, cases)
    assert (case["first_action_days"], case["paused_days"]) == (1, 3)


def test_an_event_whose_case_is_unknown_is_quarantined(office: Any, quarantine: Read) -> None:
    """A referral without its letter stands in quarantine as an event; no case is lost by it."""
    office.letter("l1")
    office.referrals = [("l9", "refer", "1404/05/03 08:00", None, "a")]
    instance = office.write()
    report = extract(instance)
    assert quarantine(instance) == [("event", 1, "case_ref", "event_without_case")]
    assert (report.read, report.staged, report.quarantined) == (1, 1, 0)


def test_a_broken_event_rejects_its_case(office: Any, quarantine: Read) -> None:
    """A timeline with a hole is not staged."""
    office.letter("l1")
    office.letter("l2")
    office.referrals = [("l2", "refer", "1404/07/31 08:00", None, "a"), ("l1", "refer", "1404/05/03 08:00", None, "a")]
    instance = office.write()
    report = extract(instance)
    assert quarantine(instance) == [
        ("case", 2, None, "event_rejected"),
        ("event", 1, "occurred_at", "impossible_date"),
    ]
    assert (report.staged, report.quarantined) == (1, 1)


def test_an_unreachable_database_is_an_error_of_the_source(office: Any) -> None:
    """A missing table is told with the kind of error and without the text of any row."""
    instance = office.write()
    (instance.sources / "desk" / "case.sql").write_text("select * from nothing_here")
    with pytest.raises(Exception, match="the database refuses") as caught:
        extract(instance)
    assert getattr(caught.value, "exit_code", None) == 21
