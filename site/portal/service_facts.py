"""Every figure of a service's page: what is shown of it, what more may belong to it, and how it usually went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.body_facts import BodyFacts
from portal.cohort import ServiceCohort, read_service_cohort
from portal.facts import Facts
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import FEWEST, Scope
from portal.waits import Band, Strip, make_strip
from portal.year_waits import YearWaits

USEFUL_SHARE = 0.5


@dataclass(frozen=True)
class ServiceFacts:
    """A service in the body and case type where most of its cases are shown; `scope` None: nothing is shown."""

    service: str
    scope: Scope | None
    shown: Interval
    on_time: Row
    strip: Strip | None
    steps: Sequence[Row]
    cohort: ServiceCohort | None
    year_waits: YearWaits | None
    addresses: Mapping[str, str]

    @property
    def is_told(self) -> bool:
        """Say whether enough cases are shown for a sentence."""
        return self.shown.at_least >= FEWEST

    @property
    def is_narrow(self) -> bool:
        """Say whether the share in time is narrow enough to be said as a share."""
        return bool(self.on_time["high_share"] - self.on_time["low_share"] < USEFUL_SHARE)


def main_scopes(released: Released, scopes: Mapping[str, Sequence[Scope]]) -> dict[str, Scope]:
    """Find for each service the body and case type that show most cases of it: one question a scope, none a service."""
    best: dict[str, tuple[int, Scope]] = {}
    for each in scopes.values():
        for scope in each:
            for row in released.ask("services_of_body", **scope.parameters):
                found = best.get(row["service_id"])
                if row["service_id"] and (found is None or row["at_least"] > found[0]):
                    best[row["service_id"]] = row["at_least"], scope
    return {service: scope for service, (_, scope) in best.items()}


def read_service(
    released: Released,
    service: str,
    *,
    scope: Scope | None,
    facts: Facts,
    bands: Sequence[Band],
    body: BodyFacts | None,
) -> ServiceFacts:
    """Read the figures of a service; `body` holds those of the body and case type of its scope."""
    if scope is None or body is None:
        empty = {"on_time": 0, "low_share": 0.0, "high_share": 1.0}
        return ServiceFacts(service, None, Interval(0, 0, 0), empty, None, [], None, None, {})
    named = scope.parameters | {"service": service}
    on_time = released.ask("service_on_time", **named)[0]
    shown = Interval(
        on_time["shown"] or 0, on_time["possible"] or 0, (on_time["shown"] or 0) + (on_time["possible"] or 0)
    )
    is_told = shown.at_least >= FEWEST
    strip = make_strip(released.ask("service_waits", **named), bands, facts, stock=None) if is_told else None
    names = ("service_on_time", "service_waits", "service_steps", "service_bodies")
    return ServiceFacts(
        service,
        scope,
        shown,
        on_time,
        strip,
        released.ask("service_steps", **named) if is_told else [],
        read_service_cohort(released, service, cohort=body.cohort),
        body.year_waits,
        {name: released.address(name, **named) for name in names},
    )
