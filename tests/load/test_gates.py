"""Each gate refuses what it must, names table and rule, shows no value, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ibis
import pytest

from etl.errors import PrivacyError
from etl.instance import Instance
from etl.load import write_releases
from etl.load.texts import TextCheck
from etl.model.canaries import HASHES, NAME, read_canaries, write_hashes
from tests.load.builder import AS_OF, METADATA, Office, floor, group, make_instance

KEY = ("1403-01", "alef", "foi")
STATUTORY = {"release_id": "1403-01", "year_code": "1403", "body_id": "alef", "case_type_code": "foi"}

COHORT = {
    "release_id": "1403-01",
    "body_id": "alef",
    "case_type_code": "foi",
    "period_code": "1403-01",
    "cadence_code": "month",
    "rung_number": 6,
    "is_floor": False,
    "cohort_state_code": "late",
    "case_count": 12,
}
OPEN = {
    "release_id": "1403-01",
    "body_id": "alef",
    "case_type_code": "foi",
    "period_code": "1403",
    "rung_number": 4,
    "is_floor": False,
    "age_band_code": "00_10",
    "case_count": 12,
}
WAIT = {"release_id": "1403-01", "year_code": "1403", "body_id": "alef", "scope_count": 12, "wait_median_days": 4}
BARE = {"is_floor": True, "cohort_state_code": None, "age_band_code": None, "rung_number": 8}


def others(table: str, *rows: dict[str, Any]) -> Office:
    """An office with one group, as many registered cases, and rows of another population."""
    stock = {"registered_count": 24, "open_count": 12} if table == "open_group" else {}
    return Office(["1403-01"], [group()], numbers={table: rows}, margin={KEY: stock})


def stock_and_flow(hidden: int) -> Office:
    """36 permits and 20 of welfare finished in a month, 40 and 20 registered, `hidden` more of an unknown service."""
    shown = {"rung_number": 3, "service_level": "family"}
    groups = [group(case_count=36, service_id="permits", **shown), group(case_count=20, service_id="welfare", **shown)]
    cohorts = [COHORT | {"service_id": name, "case_count": n} for name, n in (("permits", 40), ("welfare", 20))]
    cohorts.append(COHORT | BARE | {"case_count": hidden})
    margin = {KEY: {"registered_count": 60 + hidden, "open_count": 4 + hidden}}
    return Office(["1403-01"], groups, numbers={"cohort_group": cohorts}, margin=margin)


REFUSED = {
    "a number that stock and flow give away": ("gate-identity", stock_and_flow(3)),
    "a cohort below k": (
        "gate-k",
        others("cohort_group", COHORT | {"case_count": 9}, COHORT | BARE | {"case_count": 3}),
    ),
    "two floors of a cohort": (
        "gate-floor",
        others("cohort_group", COHORT | BARE | {"case_count": 5}, COHORT | BARE | {"case_count": 7}),
    ),
    "a floor of a cohort with detail": (
        "gate-floor",
        others("cohort_group", COHORT | BARE | {"cohort_state_code": "late"}),
    ),
    "two cohorts alike": ("gate-partition", others("cohort_group", COHORT, COHORT)),
    "a cohort that lost a case": ("gate-nothing-lost", others("cohort_group", COHORT | {"case_count": 11})),
    "open groups that lost a case": ("gate-nothing-lost", others("open_group", OPEN | {"case_count": 11})),
    "an open group below k": (
        "gate-k",
        others("open_group", OPEN | {"case_count": 9}, OPEN | BARE | {"case_count": 3}),
    ),
    "a wait of a year over too few people": ("gate-times", others("duration", WAIT)),
    "a group below k": ("gate-k", Office(["1403-01"], [group(case_count=9, outcome_code="not_held")])),
    "an empty floor": ("gate-k", Office(["1403-01"], [floor(case_count=0)])),
    "two floor rows": ("gate-floor", Office(["1403-01"], [floor(), floor(case_count=4)])),
    "a floor row with detail": ("gate-floor", Office(["1403-01"], [floor(outcome_code="not_held")])),
    "a floor row with a time": ("gate-floor", Office(["1403-01"], [floor(timed_band_code="10", wait_median_days=3)])),
    "a floor rung without the mark": ("gate-floor", Office(["1403-01"], [group(rung_number=7)])),
    "two groups alike": ("gate-partition", Office(["1403-01"], [group(), group(case_count=20)])),
    "a time without its band": ("gate-times", Office(["1403-01"], [group(wait_median_days=4)])),
    "an unknown outcome": ("gate-code", Office(["1403-01"], [group(outcome_code="xyzzy")])),
    "an unknown body": ("gate-id", Office(["1403-01"], [group(body_id="xyzzy")])),
    "an unknown service": ("gate-id", Office(["1403-01"], [group(service_id="xyzzy")])),
    "a period that is none": ("gate-period", Office(["1403-01"], [group() | {"period_code": "xyzzy"}])),
    "cases that got lost": (
        "gate-nothing-lost",
        Office(["1403-01"], [group()], margin={KEY: {"finished_count": 13, "registered_count": 13}}),
    ),
    "a stock that does not follow": ("gate-margin", Office(["1403-01"], [group()], margin={KEY: {"open_count": 1}})),
    "an unknown dimension value": (
        "gate-code",
        Office(
            ["1403-01"],
            [group()],
            statutory=[
                STATUTORY | {"dimension_code": "outcome", "value_code": "xyzzy", "case_count": 2, "basis_code": "exact"}
            ],
        ),
    ),
}


@pytest.mark.parametrize("office", [others("cohort_group", COHORT), others("open_group", OPEN), stock_and_flow(12)])
def test_other_populations_that_close_pass(release: Callable[[Office], Any], office: Office) -> None:
    """Cohorts that are all registered cases, and open groups that are all open ones, are released."""
    assert len(release(office)) == 1


@pytest.mark.parametrize(("slug", "office"), REFUSED.values(), ids=REFUSED.keys())
def test_a_release_that_breaks_a_rule_is_refused(
    instance: Instance, release: Callable[[Office], Any], slug: str, office: Office
) -> None:
    """The error names the rule and no value, and no byte of the release is on disk."""
    with pytest.raises(PrivacyError) as error:
        release(office)
    assert error.value.slug == slug
    assert "xyzzy" not in str(error.value)
    assert not list(instance.datasets.rglob("*"))
    assert not list(instance.placement.rglob("*"))


def test_the_same_office_unbroken_is_released(release: Callable[[Office], Any]) -> None:
    """The gates let a good release pass (else the tests above would prove nothing)."""
    statutory = [
        STATUTORY | {"dimension_code": "outcome", "value_code": "not_held", "case_count": 2, "basis_code": "exact"}
    ]
    office = Office(["1403-01"], [group(outcome_code="not_held"), group(), floor()], statutory=statutory)
    assert release(office)[0].case_count == 27


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ({"case_count": 15, "floor_count": "< k", "awaiting_count": 0}, False),
        ({"kept_shares": {"outcome_code": 0.8, "service_id": 0.0, "trace_key": 0.0}}, False),
        ({"linkage": [{"body_id": "alef", "desk_count": "< k", "i1_followed_share": "80-100 %"}]}, False),
        ({"floor_count": 3}, True),
        ({"case_count": 14}, True),
        ({"kept_shares": {"outcome_code": 0.8333}}, True),
        ({"kept_shares": {"reason_code": 0.8}}, True),
        ({"refused_count": 20}, True),
        ({"linkage": [{"body_id": "alef", "desk_count": "100-999"}, {"body_id": "be", "desk_count": 0}]}, False),
        ({"linkage": [{"body_id": "alef", "desk_count": 4}]}, True),
        ({"linkage": [{"body_id": "alef", "desk_count": 148}]}, True),
        ({"linkage": [{"body_id": "alef", "desk_count": "140-149"}]}, True),
        ({"linkage": [{"body_id": "alef", "desk_count": "5-9"}]}, True),
        ({"linkage": [{"body_id": "alef", "i1_followed_share": "85-90 %"}]}, True),
        ({"linkage": [{"body_id": "alef", "requester": "xyzzy"}]}, True),
    ],
)
def test_a_report_says_bands_and_sums_only(
    instance: Instance, backend: Any, said: dict[str, Any], *, is_refused: bool
) -> None:
    """A count below k, a figure that is no sum of the release's rows, a key nobody knows: nothing leaves."""
    office = Office(["1403-01"], [group(outcome_code="not_held"), floor()])
    published = replace(office.published(), report={"1403-01": {"k_basis": "cases", **said}})
    if not is_refused:
        assert write_releases(instance, backend, published, as_of=AS_OF, due=office.months)
        return
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, published, as_of=AS_OF, due=office.months)
    assert error.value.slug == "gate-report"
    assert "xyzzy" not in str(error.value)


@pytest.mark.parametrize("change", ["more", "less"])
def test_the_columns_are_an_allow_list(instance: Instance, backend: Any, change: str) -> None:
    """A column that the dictionary does not name, or a missing one, stops the release."""
    office = Office(["1403-01"], [group()])
    published = office.published()
    margin = published.margin
    margin = margin.mutate(case_key=ibis.literal("x")) if change == "more" else margin.drop("open_count")
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, replace(published, margin=margin), as_of=AS_OF, due=office.months)
    assert error.value.slug == "release-columns"


def test_a_column_of_another_type_is_refused(instance: Instance, backend: Any) -> None:
    """A count that is text, say, could carry anything."""
    office = Office(["1403-01"], [group()])
    published = office.published()
    margin = published.margin.mutate(open_count=published.margin.open_count.cast("string"))
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, replace(published, margin=margin), as_of=AS_OF, due=office.months)
    assert error.value.slug == "release-types"


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+98", "-x", "@x", "الف\u202eب"])
def test_formulas_and_direction_controls_are_refused(tmp_path: Any, backend: Any, title: str) -> None:
    """A label that a spreadsheet would run, or that turns the reading direction, is refused and not altered."""
    instance = make_instance(tmp_path / "bad", metadata=METADATA.replace("Body Alef", f'"{title}"'))
    office = Office(["1403-01"], [group()])
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    assert error.value.slug == "gate-text"


@pytest.mark.parametrize("spelling", ["0499370899", "۰۴۹۹۳۷۰۸۹۹", "خانه ٠٤٩٩٣٧٠٨٩٩ الف"])
def test_a_planted_identity_is_refused(tmp_path: Any, backend: Any, spelling: str) -> None:
    """A canary of the demo's office stops the release in any script and inside any text."""
    instance = make_instance(tmp_path / "bad", metadata=METADATA.replace("Body Alef", f'"{spelling}"'))
    instance.office.mkdir()
    (instance.office / "canaries.txt").write_text("0499370899\nزهرا موسوی‌نژاد\n", encoding="utf-8")
    office = Office(["1403-01"], [group()])
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    assert error.value.slug == "gate-text"
    assert spelling not in str(error.value)


@pytest.mark.parametrize("is_whole", [True, False], ids=["of another list", "half"])
def test_hashes_that_are_not_of_the_list_hide_no_planted_identity(
    tmp_path: Any, backend: Any, *, is_whole: bool
) -> None:
    """The list counts: hashes kept of an earlier one, or a half of them, are not believed."""
    instance = make_instance(tmp_path / "bad", metadata=METADATA.replace("Body Alef", "0499370899"))
    instance.office.mkdir()
    (instance.office / NAME).write_text("0499370898\n", encoding="utf-8")
    write_hashes(instance.office)
    if not is_whole:
        (instance.office / HASHES).write_bytes((instance.office / HASHES).read_bytes()[:100])
    (instance.office / NAME).write_text("0499370899\n", encoding="utf-8")
    office = Office(["1403-01"], [group()])
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    assert error.value.slug == "gate-text"


def test_hashes_of_the_list_find_what_the_list_finds(tmp_path: Any) -> None:
    """A planted identity in any spelling is found by the hashes that the office keeps, and nothing else is."""
    (tmp_path / NAME).write_text("0499370899\nزهرا موسوی‌نژاد\n", encoding="utf-8")
    write_hashes(tmp_path)
    texts = TextCheck(read_canaries(tmp_path))
    found = [texts.refuse_text(text) for text in ("خانه ٠٤٩٩٣٧٠٨٩٩ الف", "زهرا موسوي‌نژاد", "0499370890")]
    assert found == ["a planted identity", "a planted identity", None]


def test_a_group_has_exactly_its_cases(instance: Instance, backend: Any) -> None:
    """Placements that do not fit the sizes of the groups stop the release."""
    office = Office(["1403-01"], [group()])
    published = office.published()
    fewer = published.placement.filter(published.placement.case_key != "first-0-0")
    with pytest.raises(PrivacyError) as error:
        write_releases(instance, backend, replace(published, placement=fewer), as_of=AS_OF, due=office.months)
    assert error.value.slug == "placement-mismatch"


def test_sums_reach_back_over_earlier_releases(release: Callable[[Office], Any]) -> None:
    """Cases that waited in an earlier release are grouped later, and the balance closes over all of them."""
    release(Office(["1403-01"], [group()], awaiting={KEY: 10}))
    waited = {("alef", "foi"): 10}
    summary = release(Office(["1403-02"], [group("1403-02", 10, outcome_code="not_held")], before=waited))
    assert summary[0].case_count == 10
    with pytest.raises(PrivacyError):
        release(Office(["1403-03"], [group("1403-03", 10, outcome_code="not_held")], before=waited))
