"""Real input by mapping alone: two examples run from file to site, the large one in `make long`; figures equal a recount.

The recount reads the brought CSV with the csv module and counts in loops; it shares the spelling of body ids (`slug`)
and the outcome map of source.toml with the code it checks, and nothing else. The data stay where they are.
"""

from __future__ import annotations

import statistics
import tomllib
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from etl.model.text import slug
from tests.integration import recount
from tests.integration.conftest import Built
from tests.integration.real import check_groups, check_laws, read_rows, run_example
from tests.integration.recount import Row, query

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

WIDEST_MEDIAN = 0.15
LEAST_KEPT = 0.80
BODY_YEAR_CASES = 100


@pytest.fixture(scope="module")
def brazil(project: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """598,461 requests to 308 bodies, from CSV to site."""
    return run_example(project, tmp_path_factory.mktemp("real") / "br_lai", real_data)


@pytest.fixture(scope="module")
def wabo(project: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """8,577 events of a permit desk, from CSV to site."""
    return run_example(project, tmp_path_factory.mktemp("real") / "wabo", real_data)


@pytest.fixture(scope="module")
def requests(project: Path, real_data: Path) -> list[Row]:
    """The raw rows as body, registered, answered, outcome."""
    mapping = tomllib.loads(
        next((project / "examples" / "br_lai" / "sources").glob("*/source.toml")).read_text("utf-8")
    )
    outcomes = mapping["map"]["outcome"]
    return [
        {
            "body": row["orgao"],
            "registered": row["ts_registro"],
            "finished": row["ts_resposta"],
            "outcome": outcomes[row["decisao"]],
        }
        for row in read_rows(real_data / "br_lai_requests.csv.gz")
    ]


@pytest.fixture(scope="module")
def body_ids(requests: list[Row]) -> dict[str, str]:
    """The id of each name in the file."""
    return {name: slug(name) for name in {row["body"] for row in requests}}


@pytest.mark.long
def test_brazil_keeps_the_laws(brazil: Built) -> None:
    """k, nothing lost at any release, margins close."""
    check_laws(brazil)


def test_wabo_keeps_the_laws(wabo: Built) -> None:
    """k, nothing lost at any release, margins close."""
    assert wabo.report.extracted is not None
    assert (wabo.report.extracted.read, wabo.report.extracted.events) == (1434, 8577)
    check_laws(wabo)


@pytest.mark.long
def test_brazil_counts_equal_the_file(brazil: Built, requests: list[Row], body_ids: dict[str, str]) -> None:
    """Registered and finished of every month and body."""
    assert brazil.report.extracted is not None
    assert brazil.report.extracted.read == brazil.report.extracted.staged == len(requests) == 598_461
    assert brazil.report.extracted.events == 2 * len(requests)
    for name, column in (("registered_count", "registered"), ("finished_count", "finished")):
        rows = query(brazil.database, f"select month_code, body_id, sum({name}) as n from margin group by 1, 2")
        said = Counter({(row["month_code"], row["body_id"]): row["n"] for row in rows})
        assert +said == Counter((row[column][:7], body_ids[row["body"]]) for row in requests), name


@pytest.mark.long
def test_brazil_statutory_years_equal_the_file(brazil: Built, requests: list[Row], body_ids: dict[str, str]) -> None:
    """Outcomes and lateness of every whole year and body are exact."""
    rows = query(brazil.database, "select * from statutory")
    years = {row["year_code"] for row in rows}
    assert years == {"2015", "2016", "2017", "2018", "2019", "2020"}
    said = Counter(
        {(r["dimension_code"], r["year_code"], r["body_id"], r["value_code"]): r["case_count"] for r in rows}
    )
    true: Counter[tuple[str, ...]] = Counter()
    for row in requests:
        year, body = row["finished"][:4], body_ids[row["body"]]
        if year in years:
            waited = (date.fromisoformat(row["finished"]) - date.fromisoformat(row["registered"])).days
            true["outcome", year, body, row["outcome"]] += 1
            true["lateness_law", year, body, "late" if waited > 20 else "on_time"] += 1
    assert +said == true


@pytest.mark.long
def test_brazil_true_shares_lie_in_their_intervals(
    brazil: Built, requests: list[Row], body_ids: dict[str, str]
) -> None:
    """Every outcome of every body and year: at_least ≤ true ≤ at_most; and intervals are narrow enough to be used."""
    parents = recount.parents_of(brazil.database)["outcome"]
    above = {code: recount.ancestors(parents, code) for code in {row["outcome"] for row in requests}}
    true: Counter[tuple[str, ...]] = Counter()
    for row in requests:
        for value in above[row["outcome"]]:
            true[body_ids[row["body"]], row["finished"][:4], str(value)] += 1
    widths: dict[tuple[str, str], float] = defaultdict(float)
    wrong = []
    for row in query(brazil.database, "select * from total_by_outcome_v1"):
        body_year = row["body_id"], row["year_code"]
        if not row["at_least"] <= true[*body_year, row["outcome_code"]] <= row["at_most"]:
            wrong.append(row)
        if row["total"] >= BODY_YEAR_CASES:
            widths[body_year] = max(widths[body_year], (row["at_most"] - row["at_least"]) / row["total"])
    assert wrong == []
    assert len(widths) > 500
    assert statistics.median(widths.values()) <= WIDEST_MEDIAN


@pytest.mark.long
def test_brazil_keeps_outcomes_in_each_cadence(brazil: Built) -> None:
    """At least 80 % of the cases keep their outcome, whether released by month, season or year."""
    rows = query(
        brazil.database,
        """select cadence_code, 1.0 * sum(case when outcome_code is null then 0 else case_count end) / sum(case_count) as kept
           from case_group group by 1""",
    )
    assert {row["cadence_code"] for row in rows} == {"month", "season", "year"}
    assert [row for row in rows if row["kept"] < LEAST_KEPT] == []


def test_wabo_agrees_with_a_recount(wabo: Built) -> None:
    """Each case of a permit group agrees with what its row shows, timelines too."""
    check_groups(wabo)
