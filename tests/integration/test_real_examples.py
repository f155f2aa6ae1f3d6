"""Real input by mapping alone, three more files: each runs from file to site and agrees with a recount of its raw rows.

The recount reads the brought CSV with the csv module and counts in loops. It shares with the code it checks the spelling
of body ids (`slug`) and, for the permits, the pattern of deciding steps, written here once more.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from etl.model.text import slug
from tests.integration.conftest import Built
from tests.integration.real import check_groups, check_laws, check_shares, read_rows, run_example, staged_office
from tests.integration.recount import query

pytestmark = [pytest.mark.long, pytest.mark.real, pytest.mark.timeout(300)]

LAST_MONTH = "2012-02"  # of Boston's 101 months; all of them are run by hand
Step = tuple[datetime, str, str]
Timelines = dict[str, list[Step]]


@pytest.fixture(scope="module")
def boston(project: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """58,251 requests to a city, to the second month of 2012."""
    return run_example(project, tmp_path_factory.mktemp("real") / "boston311", real_data, period=LAST_MONTH)


@pytest.fixture(scope="module")
def permits(project: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """52,217 events of building permits, to the end."""
    return run_example(project, tmp_path_factory.mktemp("real") / "bpic15", real_data)


@pytest.fixture(scope="module")
def incidents(project: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """65,533 events of a service desk, to the end."""
    return run_example(project, tmp_path_factory.mktemp("real") / "bpic13", real_data)


@pytest.fixture(scope="module")
def requests(real_data: Path) -> list[dict[str, str]]:
    """Boston's raw rows."""
    return read_rows(real_data / "boston311_2011.csv.gz")


@pytest.fixture(scope="module")
def permit_steps(real_data: Path) -> Timelines:
    """Raw steps of each permit by time, ties in the order of the file."""
    timelines: Timelines = defaultdict(list)
    for row in read_rows(real_data / "bpic15_municipality1_permits.csv.gz"):
        at = datetime.strptime(row["timestamp_utc"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        name = f"{row['activity_code']} {row['activityNameEN']}"
        timelines[row["case_id"]].append((at.astimezone(ZoneInfo("Europe/Amsterdam")), slug(name), "not_recorded"))
    return {case: sorted(steps, key=_time) for case, steps in timelines.items()}


@pytest.fixture(scope="module")
def incident_steps(real_data: Path) -> Timelines:
    """Raw steps of each incident by time, ties in the order of the file."""
    timelines: Timelines = defaultdict(list)
    for row in read_rows(real_data / "bpic13_service_desk_incidents.csv.gz"):
        at = datetime.fromisoformat(row["time:timestamp"]).astimezone(ZoneInfo("Europe/Stockholm"))
        name = f"{row['concept:name']} {row['lifecycle:transition']}"
        timelines[row["case:concept:name"]].append((at, slug(name), slug(row["org:group"])))
    return {case: sorted(steps, key=_time) for case, steps in timelines.items()}


@pytest.mark.parametrize("name", ["boston", "permits", "incidents"])
def test_an_example_keeps_the_laws(name: str, request: pytest.FixtureRequest) -> None:
    """k, nothing lost at any release, margins close, no statutory cell, and every case agrees with its row."""
    built: Built = request.getfixturevalue(name)
    assert built.report.extracted is not None
    assert built.report.extracted.quarantined == 0
    check_laws(built)
    check_groups(built)
    assert (built.instance.public / built.report.releases[-1].release_id / "en" / "index.html").is_file()


def test_boston_counts_equal_the_file(boston: Built, requests: list[dict[str, str]]) -> None:
    """Opened and closed of every month and body, and what stays open."""
    true = {
        "registered_count": Counter((row["open_dt"][:7], slug(row["subject"])) for row in requests),
        "finished_count": Counter(
            (row["closed_dt"][:7], slug(row["subject"])) for row in requests if "" < row["closed_dt"][:7] <= LAST_MONTH
        ),
    }
    for name, expected in true.items():
        rows = query(boston.database, f"select month_code, body_id, sum({name}) as n from margin group by 1, 2")
        assert +Counter({(row["month_code"], row["body_id"]): row["n"] for row in rows}) == expected, name
    left = query(boston.database, f"select sum(open_count) as n from margin where month_code = '{LAST_MONTH}'")
    assert left[0]["n"] == sum(not "" < row["closed_dt"][:7] <= LAST_MONTH for row in requests)


def test_boston_true_shares_lie_in_their_intervals(boston: Built, requests: list[dict[str, str]]) -> None:
    """Lateness by the city's own promise, kinds of service and queues, of every body and year."""
    done = [row for row in requests if "" < row["closed_dt"][:7] <= LAST_MONTH]
    for view, column in (("service", "type"), ("unit", "queue")):
        true = Counter((slug(row["subject"]), row["closed_dt"][:4], " ".join(row[column].split())) for row in done)
        assert check_shares(boston, view, true) > 50
    promised = Counter((slug(row["subject"]), row["closed_dt"][:4], _lateness(row)) for row in done)
    assert check_shares(boston, "lateness", promised, name="lateness_code") > 10


def test_boston_spells_a_ward_once(boston: Built, requests: list[dict[str, str]]) -> None:
    """46 spellings are 22 wards; a blank is one space and none of them."""
    wards = Counter(int(row["ward"].removeprefix("Ward ")) for row in requests if row["ward"].strip())
    staged = Counter(case["applicant_province_code"] for case in staged_office(boston).cases)
    assert staged.pop(None) == len(requests) - wards.total()
    assert staged == Counter({f"ward_{ward}": count for ward, count in wards.items()})
    assert len(staged) == 22


def test_timelines_of_permits_are_those_of_the_file(permits: Built, permit_steps: Timelines) -> None:
    """1,199 timelines in order of time; 23,556 ties keep the order of the file; days are those of Amsterdam."""
    assert _staged(permits) == _raw(permit_steps)


def test_permit_counts_equal_the_file(permits: Built, permit_steps: Timelines) -> None:
    """A permit begins with its first step and ends with its first decision, else with its last closing."""
    begun = Counter(f"{steps[0][0]:%Y-%m}" for steps in permit_steps.values())
    ended = Counter(f"{day:%Y-%m}" for day in map(_decided, permit_steps.values()) if day is not None)
    for name, expected in (("registered_count", begun), ("finished_count", ended)):
        rows = query(permits.database, f"select month_code, sum({name}) as n from margin group by 1")
        assert +Counter({row["month_code"]: row["n"] for row in rows}) == expected, name


def test_timelines_of_incidents_are_those_of_the_file(incidents: Built, incident_steps: Timelines) -> None:
    """7,554 timelines of joined states and groups, in order."""
    assert _staged(incidents) == _raw(incident_steps)


def test_hand_overs_are_those_of_the_file(incidents: Built, incident_steps: Timelines) -> None:
    """9,454 changes of group, in their bands; a loop is a group that has the incident again."""
    changes, loops = Counter[str](), 0
    for steps in incident_steps.values():
        units = [unit for _, _, unit in steps]
        held = [unit for place, unit in enumerate(units) if place == 0 or units[place - 1] != unit]
        changes[_band(len(held) - 1)] += 1
        loops += len(held) > len(set(held))
    assert sum(len(steps) for steps in incident_steps.values()) == 65_533
    cases = staged_office(incidents).cases
    assert Counter(case["referral_band_code"] for case in cases) == changes
    assert sum(case["is_loop"] for case in cases) == loops


def _staged(built: Built) -> Counter[tuple[tuple[date, str, str], ...]]:
    office = staged_office(built)
    return Counter(
        tuple((step["occurred_on"], step["activity_code"], step["to_unit_id"] or "not_recorded") for step in timeline)
        for timeline in office.events.values()
    )


def _raw(timelines: Timelines) -> Counter[tuple[tuple[date, str, str], ...]]:
    return Counter(tuple((at.date(), name, unit) for at, name, unit in steps) for steps in timelines.values())


def _time(step: Step) -> datetime:
    return step[0]


def _decided(steps: list[Step]) -> date | None:
    decided = [at.date() for at, name, _ in steps if re.match("01_hoofd_49", name)]
    closed = [at.date() for at, name, _ in steps if re.match("05_eind|01_hoofd_8[12]", name)]
    return min(decided) if decided else max(closed, default=None)


def _lateness(row: dict[str, str]) -> str:
    if not row["target_dt"]:
        return "not_recorded"
    return "on_time" if row["closed_dt"][:10] <= row["target_dt"][:10] else "late"


def _band(count: int) -> str:
    return str(count) if count < 3 else "3_5" if count < 6 else "6_up"
