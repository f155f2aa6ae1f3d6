"""Cohorts, open cases at the year's end and time in units: each figure is what counting the rows one by one gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from etl.instance import Instance
from portal import build_site
from portal.cohort import Cohort, ServiceCohort, cohort_values, read_cohort, service_cohort_values
from portal.formats import percent_range
from portal.intervals import Interval
from portal.released import open_released
from portal.scope import Scope
from portal.words import Words
from portal.year_waits import YearWaits, service_waits_words
from tests.site.maker import make_released
from tests.site.others import COHORT, OPEN, UNIT_TIMES
from tests.site.test_sentence import FACTS

YEAR = {
    "first_release": "1404-07",
    "release": "1405-06",
    "body": "mosharekat",
    "case_type": "service",
    "service": "shop",
}


def ask(instance: Instance, name: str, **more: object) -> list[dict[str, Any]]:
    """Ask a query about the services of the body that has every table."""
    with open_released(instance.datasets) as released:
        return released.ask(name, **(YEAR | more))


def cohort_rows(instance: Instance) -> list[Mapping[str, Any]]:
    """Give the published rows of the window as they are."""
    with open_released(instance.datasets) as released:
        return list(
            released.rows(
                "select * from cohort_group where body_id = 'mosharekat' and case_type_code = 'service'"
                " and release_id between '1404-07' and '1405-06'"
            )
        )


def page_text(built: Path, path: str, section: str) -> str:
    """Give the words of a section of a page, without markup."""
    page = (built / path).read_text(encoding="utf-8")
    found = re.search(rf'<section class="card [^"]*" id="{section}">(.*?)</section>', page, re.DOTALL)
    assert found, f"no section {section} on {path}"
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", found[1]))


def test_a_cohort_is_all_that_were_registered(site_instance: Instance) -> None:
    """Each state has what is known and what is not shown; the whole is every row, floors and open cases included."""
    rows = cohort_rows(site_instance)
    known = Counter[str | None]()
    for row in rows:
        known[row["cohort_state_code"]] += row["case_count"]
    answers = ask(site_instance, "cohort_states")
    assert known["open_late"] > 0
    assert known[None] > 0
    assert {row["cohort_state_code"] for row in answers} >= {"on_time", "late", "open_in_time", "open_late"}
    for row in answers:
        state = row["cohort_state_code"]
        assert row["at_least"] == known[state]
        assert row["at_most"] == known[state] + known[None]
        assert row["total"] == sum(known.values())


def test_periods_of_a_cohort_sum_to_the_whole(site_instance: Instance) -> None:
    """A year of months, in order; each month's counts follow from its own rows, and all of them make the year."""
    periods = ask(site_instance, "cohort_periods")
    assert [row["period_code"] for row in periods] == sorted(row["period_code"] for row in periods)
    assert len(periods) == 12
    for row in periods:
        month = int(row["period_code"][-2:])
        on_time = sum(count for _, _, state, count in COHORT if state == "on_time") + month
        hidden = sum(count for _, _, state, count in COHORT if state is None)
        assert (row["at_least"], row["at_most"]) == (on_time, on_time + hidden)
        assert row["total"] == sum(count for *_, count in COHORT) + month
        assert row["open_late_at_least"] == 11
    whole = next(row for row in ask(site_instance, "cohort_states") if row["cohort_state_code"] == "on_time")
    assert sum(row["at_least"] for row in periods) == whole["at_least"]
    assert sum(row["total"] for row in periods) == whole["total"]


def test_the_page_says_the_interval_of_those_who_asked(site_instance: Instance, built: Path) -> None:
    """The section of the body's page gives the share between its ends, in both languages, and counts who still waits."""
    rows = cohort_rows(site_instance)
    total = sum(row["case_count"] for row in rows)
    least = sum(row["case_count"] for row in rows if row["cohort_state_code"] == "on_time")
    most = least + sum(row["case_count"] for row in rows if row["cohort_state_code"] is None)
    for lang in ("fa", "en"):
        text = page_text(built, f"{lang}/body/mosharekat/service.html", "cohort")
        words = Words(lang, "jalali")
        assert percent_range(least / total, most / total, lang) in text
        for count in (total, least, most, 12 * 11):
            assert words.num(count) in text
        title = {"fa": "پایان در مهلت", "en": "Ended in time"}[lang]
        assert f"{title} {words.num(least)} {words.num(most)} " in text  # a row of the table under the drawing


def test_a_cohort_window_ends_with_its_own_newest_release(site_instance: Instance) -> None:
    """Cohorts come later than finished cases: their window is the twelve releases up to the newest that has one."""
    with open_released(site_instance.datasets) as released:
        scope = Scope("mosharekat", "foi", "1403-01", "1403-12")  # a quiet body's window, long ended
        cohort = read_cohort(released, scope)
        assert cohort is not None
        assert (cohort.named["first_release"], cohort.named["release"]) == ("1404-07", "1405-06")
        assert cohort.periods[-1]["period_code"] == "1405-05"
        assert read_cohort(released, Scope("archive", "foi", "1404-07", "1405-06")) is None


def test_service_share_of_a_cohort_holds_for_every_way_to_fill_what_is_hidden(site_instance: Instance) -> None:
    """However many of the family's and the unnamed cases are of the service, its share in time lies inside the interval."""
    row = ask(site_instance, "service_cohort")[0]
    rows = cohort_rows(site_instance)
    own = [each for each in rows if each["service_id"] == "shop"]
    possible = [each for each in rows if each["service_id"] in (None, "permits")]
    assert row["shown"] == sum(each["case_count"] for each in own)
    assert row["possible"] == sum(each["case_count"] for each in possible)
    in_time = sum(each["case_count"] for each in own if each["cohort_state_code"] == "on_time")
    shares = []
    for chosen in range(2 ** len(COHORT)):
        belongs = {each["rung_number"] for each in possible if chosen >> (each["rung_number"] - 1) & 1}
        more = [each for each in possible if each["rung_number"] in belongs]
        whole = row["shown"] + sum(each["case_count"] for each in more)
        for hidden_states in (("on_time",), ("on_time", None)):
            shares.append(
                (in_time + sum(each["case_count"] for each in more if each["cohort_state_code"] in hidden_states))
                / whole
            )
    assert row["low_share"] == pytest.approx(min(shares))
    assert row["high_share"] == pytest.approx(max(shares))


@pytest.mark.parametrize(
    ("query", "column", "place"), [("open_by_age", "age_band_code", 1), ("open_by_stage", "stage_code", 0)]
)
def test_open_cases_of_the_year_are_counted_between_their_ends(
    site_instance: Instance, query: str, column: str, place: int
) -> None:
    """Every age and stage has what surely is there and what may be; the whole is every open case."""
    known = Counter[str | None]()
    for row in OPEN:
        known[row[place]] += row[2]
    answers = ask(site_instance, query)
    assert {row[column] for row in answers} >= {code for code in known if code}
    for row in answers:
        assert row["period_code"] == "1404"
        assert (row["at_least"], row["at_most"]) == (known[row[column]], known[row[column]] + known[None])
        assert row["total"] == sum(known.values())


def test_open_cases_of_a_year_that_has_not_ended_are_not_told(site_instance: Instance) -> None:
    """A query on a release before the year's end gives nothing, and the one after it the year that ended."""
    assert {row["total"] for row in ask(site_instance, "open_by_age", release="1404-11")} == {0}
    assert ask(site_instance, "open_by_age", release="1404-12") == ask(site_instance, "open_by_age")


def test_stage_and_age_together_lose_no_case(site_instance: Instance, built: Path) -> None:
    """The cross table holds every open case once, those without stage or age in cells of their own."""
    rows = ask(site_instance, "open_stage_age")
    assert {(r["stage_code"], r["age_band_code"]): r["case_count"] for r in rows} == {
        (stage, age): count for stage, age, count in OPEN
    }
    text = page_text(built, "en/body/mosharekat/service.html", "waiting")
    table = text[text.index("Stage and days together") :]
    assert sum(int(n) for n in re.findall(r"(?<![\w.])\d+(?![\w_])", table)) == sum(count for *_, count in OPEN)


def test_too_few_alike_are_told_in_words(built: Path) -> None:
    """Where no age and no stage is shown the page gives the total in words and draws nothing."""
    text = page_text(built, "en/body/mosharekat/index.html", "waiting")
    assert "4 cases were open that day; too few waited alike" in text
    assert "Interactive chart" not in text


def test_units_stand_by_name_with_a_band_and_no_longest(built: Path) -> None:
    """Time in units is no ranking: the order of names, one colour, days, and for how many applicants as a band."""
    page = (built / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    text = page_text(built, "en/body/mosharekat/index.html", "units")
    assert text.index("Legal office") < text.index("Secretariat")
    assert "9 days" in text
    assert "under one day" in text
    assert "Registry" not in text  # whose time is of too few
    assert text.index("20 to 49") < text.index("200 or more")
    drawing = re.search(r'<svg class="chart bar"[^>]*aria-labelledby="unit_times.*?</svg>', page, re.DOTALL)
    assert drawing
    assert "t-late" not in drawing[0]
    assert len(UNIT_TIMES) == drawing[0].count('class="name"')


def test_waits_of_a_year_stand_on_the_body_and_the_service(built: Path) -> None:
    """Half and nine of ten, in days; a figure that is not shown is a dash, a service without any is not listed."""
    text = page_text(built, "en/body/mosharekat/service.html", "year")
    assert "How long it took, 1404" in text
    assert "Of 4,321 cases that ended in 1404: half ended within 6 working days and nine of ten within 17" in text
    assert re.search(r"Permits\s+3,210\s+7\s+–", text)
    assert "Building permit" not in text
    shop = (built / "en" / "service" / "shop.html").read_text(encoding="utf-8")
    assert (
        "Of 2,109 cases shown as of this service that ended in 1404: half ended on the same day and nine of ten" in shop
    )
    assert "that ended in 1404" not in (built / "en" / "service" / "build.html").read_text(encoding="utf-8")


def test_one_limit_of_days_is_said_once() -> None:
    """Where half and nine of ten took equally long, the second says both."""
    row = {"service_id": "shop", "scope_count": 219, "wait_median_days": 0, "wait_p90_days": 0}
    said = service_waits_words(YearWaits("1404", [row], "", ""), "shop", Words("en", "jalali"), FACTS)
    assert said.endswith("ended in 1404: nine of ten ended on the same day.")


@pytest.mark.parametrize(
    ("possible", "said"), [(0, "The share in time is 58%."), (3, "Up to 3 more may belong to it.")]
)
def test_the_share_of_a_service_is_a_sentence(possible: int, said: str) -> None:
    """Also where every case is shown and no interval is left to tell."""
    share = {"low_share": 0.58, "high_share": 0.58, "possible": possible}
    row = share | {"shown": 235, "on_time": 136, "late": 55, "open_late": 44}
    told = service_cohort_values(ServiceCohort(row, [{"period_code": "1404"}], ""), Words("en", "jalali"))
    assert told is not None
    assert str(told["share"]).startswith(said)


def test_attested_figures_lead_to_the_seal_of_their_release(tmp_path: Path) -> None:
    """Only where the hash stands beside the release: a release older than that is no broken link."""
    make_released(tmp_path / "datasets")
    page = Path("en", "body", "mosharekat", "service.html")
    assert "The seal of the release" not in (build_site(Instance(tmp_path)) / page).read_text(encoding="utf-8")
    (tmp_path / "datasets" / "attested").mkdir()
    (tmp_path / "datasets" / "attested" / "1404-12.json").write_text("{}", encoding="utf-8")
    text = (build_site(Instance(tmp_path)) / page).read_text(encoding="utf-8")
    assert '<a href="/datasets/attested/1404-12.json">The seal of the release</a>' in text


def test_a_body_without_these_tables_has_no_section(built: Path) -> None:
    """No cohort, no open groups, no unit times: no empty card, no figure that says nought."""
    for lang in ("fa", "en"):
        page = (built / lang / "body" / "archive" / "index.html").read_text(encoding="utf-8")
        assert not re.search('id="(cohort|waiting|units|year)"', page)


@pytest.mark.parametrize(
    ("share", "words"), [(Interval(9, 0, 15), "too few"), (Interval(0, 0, 300), "no limit is recorded")]
)
def test_no_share_where_none_can_be_given(site_instance: Instance, share: Interval, words: str) -> None:
    """With fewer than twenty cases, or without any recorded limit, the section says so and draws nothing."""
    nothing = Interval(0, 0, share.total)
    unlimited = Interval(share.total, 0, share.total) if "limit" in words else nothing
    shares = dict.fromkeys(("late", "open_in_time", "open_late"), nothing)
    cohort = Cohort(YEAR, {**shares, "on_time": share, "not_recorded": unlimited}, [{"period_code": "1404"}], {})
    with open_released(site_instance.datasets) as released:
        values = cohort_values(cohort, released, Words("en", "jalali"), case_type="foi")
    assert values["cohort"] is None
    assert words in str(values["cohort_told"]["sentence"])
