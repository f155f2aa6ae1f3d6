"""Stock and flow across populations: what they would give away is found, and what a release brings stands back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise.guard import guard
from etl.anonymise.history import History
from etl.anonymise.population import Peeled, Population, peel_population
from etl.calendars import parse_period
from etl.metadata import Policy
from etl.metadata.settings import Node
from etl.model.identity import COHORT, FINISHED, FLOWS, STOCK, Books, Cell, Narrow, Value

KIND = ("alef", "service")
POLICY = Policy(k=10, services=(Node("permits", None, {}), Node("build", "permits", {}), Node("tax", None, {})))
COLUMNS = {"service": "service_id", "channel": "channel_code", "cohort_state": "cohort_state_code"}
GROUPS = pa.schema(
    [
        *((name, pa.string()) for name in ("body_id", "case_type_code", "period_code", "release_id", "service_id")),
        ("channel_code", pa.string()),
        ("case_count", pa.int64()),
    ]
)


def margin(month: str, body: str = "alef", **counts: int) -> dict[str, Any]:
    """Make a row of monthly counts."""
    named = {f"{name}_count": count for name, count in counts.items()}
    return dict.fromkeys(FLOWS, 0) | {"body_id": body, "case_type_code": "service", "month_code": month} | named


def cell(population: str, period: str, release: str, family: str, count: int) -> Cell:
    """Make a cell of the body."""
    return Cell(population, *KIND, period, release, Value((family,)), count)


def books(*, floor: int) -> Books:
    """63 registered in a month, 60 by family, `floor` more without; 56 of them finished, all by family."""
    made = Books()
    made.add([margin("1403-01", registered=60 + floor, finished=56, open=4 + floor)], ())
    cells = [(FINISHED, "permits", 36), (FINISHED, "tax", 20), (COHORT, "permits", 40), (COHORT, "tax", 20)]
    made.add((), [cell(population, "1403-01", "1403-01", family, count) for population, family, count in cells])
    return made


def test_a_number_that_stock_and_flow_give_away_is_found() -> None:
    """Of seven open cases four to seven are permits, though open cases are shown without a service."""
    assert books(floor=3).narrow("1403-01", k=10) == [Narrow(*KIND, "1403-01", Value(("permits",)))]


def test_what_is_not_shown_widens() -> None:
    """With twelve registered cases of unknown service, four to sixteen of the open cases are permits."""
    assert books(floor=12).narrow("1403-01", k=10) == []


def test_one_family_alone_says_nothing_more_than_the_type() -> None:
    """Where every shown case is a permit, the identity tells what the margins tell."""
    made = books(floor=3)
    made.cells[KIND] = [each for each in made.cells[KIND] if each.value == Value(("permits",))]
    assert made.narrow("1403-01", k=10) == []


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (Value(("permits", "shop")), {("permits", "build")}),  # of the same family, another service
        (Value(("tax",)), {("permits", "build"), ("permits",)}),
        (Value(("permits",)), set()),  # may be the very service: all hidden cases can be of it
    ],
)
def test_a_service_is_solved_like_a_family(other: Value, found: set[tuple[str, ...]]) -> None:
    """Forty of sixty are permits to build, 36 of them are shown as finished, and nothing is open: four more are."""
    made = Books()
    made.add([margin("1403-01", registered=60, finished=60)], ())
    build = Value(("permits", "build"))
    known = [(COHORT, build, 40), (COHORT, other, 20), (FINISHED, build, 36), (FINISHED, other, 20)]
    made.add((), [Cell(name, *KIND, "1403-01", "1403-01", value, count) for name, value, count in known])
    assert {each.value.service for each in made.narrow("1403-01", k=10)} == found


def test_a_channel_is_solved_like_a_service() -> None:
    """Forty came by the web, 36 of them are shown as finished, and nothing is open: four more came by the web."""
    made = Books()
    made.add([margin("1403-01", registered=60, finished=60)], ())
    known = [(COHORT, "web", 40), (COHORT, "post", 20), (FINISHED, "web", 36), (FINISHED, "post", 12)]
    made.add((), [Cell(name, *KIND, "1403-01", "1403-01", Value((), by), count) for name, by, count in known])
    assert {each.value.channel for each in made.narrow("1403-01", k=10)} == {"web", "post"}


def test_the_cohort_of_a_year_is_solved_with_the_groups_of_the_year_before() -> None:
    """A body that releases by the year: its cohort comes with the first month of the next."""
    made = Books()
    months = [margin(f"1403-{month:02}") for month in range(1, 12)]
    made.add([*months, margin("1403-12", registered=60, finished=60), margin("1404-01")], ())
    finished = [cell(FINISHED, "1403", "1403-12", "permits", 36), cell(FINISHED, "1403", "1403-12", "tax", 20)]
    cohort = [cell(COHORT, "1403", "1404-01", "permits", 40), cell(COHORT, "1403", "1404-01", "tax", 20)]
    made.add((), finished)
    assert made.narrow("1403-12", k=10) == []
    assert {each.value for each in made.with_cells(cohort).narrow("1404-01", k=10)} == {Value(("permits",))}


def test_a_year_begins_with_the_open_groups_of_the_one_before() -> None:
    """Open groups of two year ends and all that came and went between: a finished permit that no group shows is found."""
    made = Books()
    months = [margin("1402-12", open=60), *(margin(f"1403-{month:02}", open=60) for month in range(1, 12))]
    made.add([*months, margin("1403-12", registered=50, finished=54, open=56)], ())
    known = [cell(STOCK, "1402", "1402-12", "permits", 40), cell(STOCK, "1402", "1402-12", "tax", 20)]
    known += [cell(COHORT, "1403-12", "1403-12", "permits", 30), cell(COHORT, "1403-12", "1403-12", "tax", 20)]
    known += [cell(FINISHED, "1403-12", "1403-12", "permits", 30), cell(FINISHED, "1403-12", "1403-12", "tax", 20)]
    made.add((), known)
    assert made.narrow("1403-12", k=10) == []
    after = [cell(STOCK, "1403", "1403-12", "permits", 36), cell(STOCK, "1403", "1403-12", "tax", 20)]
    assert made.with_cells(after).narrow("1403-12", k=10) == [Narrow(*KIND, "1403-12", Value(("permits",)))]


def test_the_middle_of_a_year_is_looked_at_as_well() -> None:
    """Two months with many cases of unknown service hide nothing of the third, in which every one is known."""
    made = Books()
    made.add([margin("1403-01", registered=90, finished=60, open=30)], ())
    made.add([margin("1403-02", registered=60, finished=88, open=2)], ())
    made.add([margin("1403-03", registered=60, finished=53, open=9)], ())
    known = [cell(COHORT, "1403-03", "1403-03", "permits", 40), cell(COHORT, "1403-03", "1403-03", "tax", 20)]
    known += [cell(FINISHED, "1403-03", "1403-03", "permits", 36), cell(FINISHED, "1403-03", "1403-03", "tax", 17)]
    made.add((), known)
    assert made.narrow("1403-03", k=10) == [Narrow(*KIND, "1403-03", Value((family,))) for family in ("permits", "tax")]
    assert made.narrow("1403-02", k=10) == []


def after_a_year(permits: int, tax: int, *, others: int = 0, went: int = 0, withdrawn: int = 0) -> Books:
    """80 permits, 40 tax cases and others are open at a year's end; so many are seen to end in the next month, `went` more."""
    made, shown, size = Books(), permits + tax, 120 + others
    made.add([margin("1402-12", open=size)], ())
    gone = {"finished": shown + went, "withdrawn": withdrawn}
    made.add([margin("1403-01", **gone, open=size - shown - went - withdrawn)], ())
    made.add((), [cell(STOCK, "1402", "1402-12", family, count) for family, count in (("permits", 80), ("tax", 40))])
    made.add((), [cell(FINISHED, "1403-01", "1403-01", "permits", permits)])
    made.add((), [cell(FINISHED, "1403-01", "1403-01", "tax", tax)])
    return made


@pytest.mark.parametrize(
    ("made", "found"),
    [
        # two of the twenty left are permits: so many when all have ended; of the last three that are open one is tax
        (after_a_year(78, 22, went=10), {"permits", "tax"}),
        (after_a_year(60, 40, others=8), {"permits"}),  # 20 of 28 that are open: of nine that end one is
        (after_a_year(30, 40, others=8, went=10, withdrawn=12), {"permits"}),  # of the last nine that are open one is
        (after_a_year(68, 40, others=4, went=10, withdrawn=4), {"permits"}),  # of five that are withdrawn one is
        (after_a_year(60, 30, others=8, went=4), set()),  # 20 of 38, and ten of 38: of nine that end none need be
        (after_a_year(69, 31, others=20), set()),  # eleven and nine of 40, and the others may be of either
    ],
)
def test_months_to_come_are_looked_at_ahead(made: Books, found: set[str]) -> None:
    """The month itself tells nothing, but whoever is open ends in some month, and each says how many did."""
    assert made.narrow("1403-01", k=10) == []
    assert made.narrow("1403-01", k=10, ahead=True) == [
        Narrow(*KIND, "1403-01", Value((each,))) for each in sorted(found)
    ]


def test_who_came_and_is_not_shown_widens_the_months_to_come() -> None:
    """Two of the open cases are permits, or as many more as came."""
    made = after_a_year(78, 22, went=10)
    made.months[KIND]["1403-01"] |= {"registered_count": 8, "open_count": 18}
    assert made.narrow("1403-01", k=10, ahead=True) == []


def test_open_groups_of_a_year_end_hide_nobody_in_months_to_come() -> None:
    """What a year's end shows of open cases is not shown in the months after it: of these 20 permits are left, not ten."""
    made = after_a_year(60, 20, went=4)
    made.months[KIND]["1403-12"] = made.months[KIND].pop("1403-01")
    made.cells[KIND][2:] = [each._replace(period_code="1403-12", release_id="1403-12") for each in made.cells[KIND][2:]]
    assert made.narrow("1403-12", k=10, ahead=True) == []
    open_ = [cell(STOCK, "1403", "1403-12", family, count) for family, count in (("permits", 10), ("tax", 16))]
    assert made.with_cells(open_).narrow("1403-12", k=10, ahead=True) == []


def test_a_cohort_that_would_give_a_number_away_stands_back(backend: Any) -> None:
    """All cases of the body and type lose service and channel, none is lost, and another body keeps its own."""
    ladder = ({"service": "leaf"}, {"channel": "code"}, {"cohort_state": "code"})
    population = Population(COHORT, COLUMNS, ladder)
    services = ["build"] * 40 + ["tax"] * 20 + [None] * 3
    rows = [
        {"case_number": place, "requester_key": None, "release_id": "1403-01", "body_id": body}
        | {
            "case_type_code": "service",
            "period_code": "1403-01",
            "channel_at_code": "web",
            "cohort_state_at_code": "late",
        }
        | {"service_at_leaf": service or f"rare{place}"}
        for place, (body, service) in enumerate([(body, each) for body in ("alef", "be") for each in services])
    ]
    schema = pa.schema(
        [(name, pa.int32() if name == "case_number" else pa.string()) for name in rows[0]],
    )
    case = backend.create_table("cohort_case", pa.Table.from_pylist(rows, schema=schema), temp=True)
    totals = {("1403-01", body, "service", "1403-01"): 63 for body in ("alef", "be")}
    cohort = Peeled(population, case, peel_population(case, population, k=10), totals)
    shown = [("alef", "build", 36), ("alef", "tax", 20), ("be", "build", 20), ("be", "tax", 13)]
    finished = [
        dict(zip(GROUPS.names, (b, "service", "1403-01", "1403-01", s, None, n), strict=True)) for b, s, n in shown
    ]
    groups = backend.create_table("finished_group", pa.Table.from_pylist(finished, schema=GROUPS), temp=True)
    margins = [margin("1403-01", registered=63, finished=56, open=7)]
    margins += [margin("1403-01", "be", registered=63, finished=33, open=30)]
    month = parse_period("jalali", "1403-01")
    (guarded,), alone = guard([cohort], groups, margins=margins, policy=POLICY, history=History((month,), month))
    assert alone == set()
    found = {(row["body_id"], row["service_id"], row["rung_number"], row["case_count"]) for row in guarded.rows()}
    assert found == {("alef", None, 3, 63), ("be", "build", 1, 40), ("be", "tax", 1, 20), ("be", None, 4, 3)}
    assert {row["body_id"] for row in cohort.rows() if row["service_id"] is not None} == {"alef", "be"}
    assert {row["body_id"] for row in guarded.rows() if row["channel_code"] is not None} <= {"be"}


def test_a_ladder_may_show_nothing_but_a_count(backend: Any) -> None:
    """A rung without columns takes all cases of its floor, if they have the company."""
    population = Population(STOCK, {"service": "service_id"}, ({},))
    names = ("requester_key", "release_id", "body_id", "case_type_code", "period_code")
    schema = pa.schema([("case_number", pa.int32()), *((name, pa.string()) for name in names)])
    where = dict(zip(names[1:], ("1403-12", "alef", "service", "1403"), strict=True))
    case = pa.Table.from_pylist([{"case_number": place} | where for place in range(12)], schema=schema)
    held = backend.create_table("case_without_values", case, temp=True)
    (row,) = peel_population(held, population, k=10)
    assert (row["rung_number"], row["service_id"], row["case_count"]) == (1, None, 12)


@pytest.mark.parametrize("known", [True, False])
def test_what_earlier_releases_showed_counts(backend: Any, *, known: bool) -> None:
    """An open group of last year's end is in the memory of a run; without it nothing could be solved."""
    population = Population(STOCK, {"service": "service_id"}, ({"service": "leaf"},))
    schema = pa.schema([("case_number", pa.int32()), *((n, pa.string()) for n in ("requester_key", "service_at_leaf"))])
    for name in ("release_id", "body_id", "case_type_code", "period_code"):
        schema = schema.append(pa.field(name, pa.string()))
    rows = [
        {"case_number": place, "service_at_leaf": "build" if place < 36 else "tax", "release_id": "1403-01"}
        | {"body_id": "alef", "case_type_code": "service", "period_code": "1403"}
        for place in range(56)
    ]
    case = backend.create_table(f"open_case_{known}", pa.Table.from_pylist(rows, schema=schema), temp=True)
    groups = backend.create_table(f"no_group_{known}", GROUPS.empty_table(), temp=True)
    stock = Peeled(population, case, peel_population(case, population, k=10), {})
    month = parse_period("jalali", "1403-01")
    before = [cell(STOCK, "1402", "1402-12", "permits", 40), cell(STOCK, "1402", "1402-12", "tax", 20)]
    history = replace(History((month,), month), cells=before if known else ())
    margins = [margin("1402-12", open=60), margin("1403-01", finished=4, open=56)]
    (guarded,), _ = guard([stock], groups, margins=margins, policy=POLICY, history=history)
    assert all(row["service_id"] is None for row in guarded.groups) == known


@pytest.mark.parametrize("known", [True, False])
def test_finished_groups_that_would_give_a_number_away_stand_back(backend: Any, *, known: bool) -> None:
    """22 of tax were open, 20 went, nobody came: two are left. Only the month that tells it stands back, of one body."""
    rows = [
        dict(zip(GROUPS.names, (body, "service", month, month, family, None, count), strict=True))
        for month, family, count in (("1403-01", "permits", 36), ("1403-01", "tax", 20), ("1403-02", "permits", 30))
        for body in ("alef", "be")
    ]
    groups = backend.create_table(f"both_{known}", pa.Table.from_pylist(rows, schema=GROUPS), temp=True)
    first, second = (parse_period("jalali", code) for code in ("1403-01", "1403-02"))
    before = [cell(STOCK, "1402", "1402-12", "permits", 100), cell(STOCK, "1402", "1402-12", "tax", 22)]
    history = replace(History((first, second), first), cells=before if known else ())
    margins = [
        row
        for body in ("alef", "be")
        for row in (
            margin("1402-12", body, open=122),
            margin("1403-01", body, finished=56, open=66),
            margin("1403-02", body, finished=30, open=36),
        )
    ]
    _, alone = guard([], groups, margins=margins, policy=POLICY, history=history)
    assert alone == ({("1403-01", *KIND)} if known else set())
