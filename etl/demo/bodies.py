"""A body of the office as the world draws on it: its units by role, its services, and one month of its random stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from etl.demo.catalogue import Catalogue, OfficeBody, OfficeService
from etl.demo.clock import OfficeClock
from etl.demo.outcomes import Choice, weighted
from etl.demo.people import Applicant


@dataclass(frozen=True)
class Offices:
    """A body's units by short name and the services it has."""

    body: OfficeBody
    number: int
    units: Mapping[str, str]
    parents: Mapping[str, str]
    services: Mapping[str, OfficeService]
    choice: Choice
    handlers: tuple[str, ...]  # units that handle letters, busiest first

    def unit_for(self, name: str | None) -> str:
        """Give the unit of that short name, else the head office."""
        return name if name is not None and name in self.units else "hozeh"

    def other(self, unit: str, draw: float) -> str:
        """Give another unit, the busier the likelier."""
        others = [name for name in self.handlers if name != unit] or ["hozeh"]
        return others[int(draw * draw * len(others))]

    def roles(self, unit: str, other: str) -> Mapping[str, str]:
        """Name the roles of a route whose handling unit is `unit`; a small body has no legal unit of its own."""
        known = self.units
        head = self.parents.get(unit, known["hozeh"])
        legal = known.get("hoghoghi", known["hozeh"])
        return {
            "D": known["miz"],
            "S": known["dabirkhaneh"],
            "H": head,
            "U": known[unit],
            "L": legal,
            "X": known[other],
        }


@dataclass(frozen=True)
class Month:
    """A Jalali month of the world: its working days are numbers of the clock."""

    year: int
    month: int
    first_index: int
    working_count: int


@dataclass(frozen=True)
class Stream:
    """One body's month being drawn."""

    rnd: Random
    clock: OfficeClock
    offices: Offices
    month: Month
    pace: float
    applicants: list[Applicant]


def offices_of(catalogue: Catalogue) -> tuple[Offices, ...]:
    """Arrange the catalogue by body."""
    common = {service.id: service for service in catalogue.services if service.body is None}
    arranged = []
    for number, body in enumerate(catalogue.bodies, 1):
        own = {service.id: service for service in catalogue.services if service.body == body.id}
        handlers = tuple(dict.fromkeys(service.unit for service in own.values() if service.unit))
        choice = weighted([(service.id, service.share) for service in own.values()])
        units, parents = catalogue.unit_codes(body.id), catalogue.parent_codes(body.id)
        arranged.append(Offices(body, number, units, parents, {**common, **own}, choice, handlers))
    return tuple(arranged)
