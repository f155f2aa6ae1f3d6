"""The bodies, units and services of the synthetic office, read from `office.yml`.

They stand for what a body's own two systems know: their codes and names. The instance maps these codes to its ids
(`sources/*/source.toml`), as any operator does. Pure data; reads one file of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class OfficeBody:
    """A body of the office: `code` is its number in both systems, `monthly` its cases in an average month of 2,500."""

    id: str
    code: str
    monthly: float
    province: str
    name: str


@dataclass(frozen=True)
class OfficeUnit:
    """A unit as the automation knows it."""

    id: str
    code: str
    body: str
    parent: str | None
    name: str


@dataclass(frozen=True)
class OfficeService:
    """A service: its share of the body's service requests, its usual wait (working days) and the unit that handles it.

    body and unit are None for services that every body has; `legal` and `instant` are the shares of cases that pass
    through the legal unit, and that the desk answers at once.
    """

    id: str
    code: str
    body: str | None
    share: float
    wait: float
    unit: str | None
    legal: float
    instant: float
    name: str


@dataclass(frozen=True)
class Catalogue:
    """Everything `office.yml` says."""

    bodies: tuple[OfficeBody, ...]
    units: tuple[OfficeUnit, ...]
    services: tuple[OfficeService, ...]

    def unit_codes(self, body: str) -> Mapping[str, str]:
        """Give unit code by short name (the id without the body) of a body."""
        return {unit.id.removeprefix(body + "_"): unit.code for unit in self.units if unit.body == body}

    def parent_codes(self, body: str) -> Mapping[str, str]:
        """Give the department's unit code by short name of the unit below it."""
        codes = {unit.id: unit.code for unit in self.units if unit.body == body}
        below = [unit for unit in self.units if unit.body == body and unit.parent is not None]
        return {unit.id.removeprefix(body + "_"): codes[unit.parent] for unit in below if unit.parent is not None}


@lru_cache(maxsize=1)
def read_catalogue() -> Catalogue:
    """Read `office.yml` of the package."""
    raw = yaml.safe_load(files("etl.demo").joinpath("office.yml").read_text(encoding="utf-8"))
    return Catalogue(
        tuple(OfficeBody(**row) for row in raw["bodies"]),
        tuple(OfficeUnit(**row) for row in raw["units"]),
        tuple(OfficeService(**row) for row in raw["services"]),
    )
