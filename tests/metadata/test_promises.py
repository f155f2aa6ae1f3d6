"""What a policy may change between releases, and what it may not while cases wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from etl.anonymise.cadence import yearly_cadences
from etl.errors import PrivacyError
from etl.metadata import Policy, check_promises, policy_changes, promises_of
from etl.metadata.settings import Cadence, Node, Sensitive, Statutory

SERVICES = (
    Node("permits", None, {}),
    Node("welfare", None, {}),
    Node("loan", None, {}, sensitive=True),
    Node("aid", "welfare", {}),
)
HIDING = Sensitive(("welfare",), {"outcome": {"not_eligible": "negative"}}, ordinary=("completed",))
POLICY = Policy(k=10, services=SERVICES, sensitive=HIDING)
STRICTER = replace(POLICY, k=12, cadence=Cadence(month=90))
RELEASED = [("1404-11", POLICY.decisive, 4), ("1405-02", STRICTER.decisive, 1)]


@pytest.mark.parametrize(
    "weaker",
    [
        replace(POLICY, k=11),
        replace(POLICY, k=12, sensitive=Sensitive()),
        replace(POLICY, k=12, services=(*SERVICES[:2], replace(SERVICES[2], sensitive=False), SERVICES[3])),
        replace(POLICY, k=12, services=(*SERVICES[:3], replace(SERVICES[3], parent="permits"))),
        *(
            replace(POLICY, k=12, sensitive=replace(HIDING, **{name: value}))
            for name, value in {
                "coarsen": {},
                "implies": (),
                "known_to_outsiders": (("service",),),
                "largest_share": 0.9,
                "ordinary": ("completed", "not_eligible"),
            }.items()
        ),
        replace(POLICY, k=12, statutory=Statutory(("foi", "complaint"))),
    ],
    ids=[
        *("smaller k", "no mark in metadata.yml", "no mark in services.csv", "moved out of a marked family"),
        *("finer outcomes", "a trace that tells", "an outsider who knows less", "a larger share", "one more ordinary"),
        "a case type counted exactly",
    ],
)
def test_protection_does_not_shrink_while_cases_wait(weaker: Policy) -> None:
    """What protects less is refused while one case waits; allowed once nobody does, and then for good."""
    with pytest.raises(PrivacyError) as error:
        check_promises(weaker, promises_of(RELEASED))
    assert error.value.slug == "policy-lowered"
    freed = [*RELEASED[:1], ("1405-02", STRICTER.decisive, 0)]
    check_promises(weaker, promises_of(freed))
    check_promises(weaker, promises_of([*freed, ("1405-03", weaker.decisive, 7)]))


def test_protection_may_grow_and_services_may_go() -> None:
    """A larger k, another mark, a sensitive service that is no longer offered: nothing was promised against them."""
    grown = replace(
        POLICY, k=20, services=SERVICES[:1], sensitive=replace(HIDING, services=("permits",), largest_share=0.5)
    )
    check_promises(grown, promises_of(RELEASED))


def test_a_mark_in_either_file_changes_the_policy() -> None:
    """Marks of services.csv decide published values, so they are in what is hashed and released."""
    bare = replace(POLICY, services=(*SERVICES[:2], replace(SERVICES[2], sensitive=False), SERVICES[3]))
    assert bare.sha256 != POLICY.sha256
    assert policy_changes(POLICY.decisive, bare.decisive) == ("sensitive_services",)


def test_limits_of_cadence_are_those_of_the_first_release_of_the_year() -> None:
    """A change in the middle of a year leaves the year's cadences as they are, and decides the next year's."""
    months = [f"{year}-{month:02}" for year in (1404, 1405) for month in range(1, 13)]
    margins = [{"body_id": "b", "case_type_code": "foi", "month_code": code, "finished_count": 70} for code in months]
    begun = promises_of([("1405-01", POLICY.decisive, 4), *RELEASED[1:]]).cadence
    assert begun == {"1405": Cadence()}
    fixed = yearly_cadences(margins, policy=Cadence(month=90), begun=begun)
    assert fixed == {("b", "foi", "1405"): "month", ("b", "foi", "1406"): "season"}


def test_which_case_types_are_counted_exactly_is_fixed_for_a_year() -> None:
    """The table of a year says what groups of its first months hid; nobody has to wait for that."""
    exact, promises = (
        replace(POLICY, statutory=Statutory(("foi", "complaint"))),
        promises_of([("1405-02", POLICY.decisive, 0)]),
    )
    with pytest.raises(PrivacyError) as error:
        check_promises(exact, promises, year="1405")
    assert error.value.slug == "policy-lowered"
    check_promises(exact, promises, year="1406")
