"""A case of the synthetic office with its whole life: what the world draws, and what the databases show of it later."""

from __future__ import annotations

from typing import NamedTuple

from etl.demo.catalogue import OfficeBody, OfficeService
from etl.demo.people import Applicant
from etl.demo.routes import Step

# Numbers: (months since 1390 * 100 + body) * BODY_MONTH + index; a case keeps its number whenever the office is read.
BODY_MONTH = 10_000_000
SPAWNED = 5_000_000  # a complaint about case n has the number n + SPAWNED
TWIN = 2_500_000  # the second request about the same letter


class Correction(NamedTuple):
    """An outcome that is changed after closing."""

    day: int
    outcome: str


class Case(NamedTuple):
    """A case whole; days are ordinals of civil days, texts are codes of `etl.demo.vocabulary`."""

    number: int
    body: OfficeBody
    service: OfficeService
    kind: str
    channel: str | None
    urgency: str
    applicant: Applicant | None  # None: a letter without a request at the desk
    sender: str  # who wrote the letter
    direction: str  # incoming or internal
    handler: str  # code of the unit that answers for it
    received: tuple[int, int]
    entered_day: int
    steps: tuple[Step, ...]
    outcome: str | None
    flaw: str | None
    style: int  # how its dates are written
    is_arabic: bool  # typed on a keyboard with Arabic ي and ك
    dice: float  # for texts
    link: str = "none"  # both, tracking, letter, missing, mistyped; none: no letter, or no request
    secrecy: str | None = "normal"
    promised_day: int | None = None
    correction: Correction | None = None
    exemption: str | None = None
    is_reason_given: bool = False
    ground: str | None = None
    parent: int | None = None
    told: tuple[bool, bool, bool] = (False, False, False)  # an SMS at registration, decision, closing
    score: str | None = None
    has_twin: bool = False

    @property
    def has_dossier(self) -> bool:
        """Whether it has a dossier in the automation."""
        return self.applicant is None or self.link != "none"
