"""What the synthetic office tells: seasons, a reform, a silent body, a legal unit where letters settle.

Everything here is told in docs/tour.md and visible by SQL in the office's databases and in what is published.
Months are Jalali. Rates are probabilities of one case.
"""

from __future__ import annotations

from collections.abc import Mapping

# How busy each month of the year is: the Nowruz dip in Farvardin, the rush before the year's end.
SEASON: Mapping[int, float] = {
    1: 0.52,
    2: 0.98,
    3: 1.02,
    4: 1.03,
    5: 0.97,
    6: 0.98,
    7: 1.10,
    8: 1.08,
    9: 1.06,
    10: 1.06,
    11: 1.08,
    12: 1.12,
}
REFORM_BODY, REFORM_MONTH, REFORM_FACTOR = "sabt", (1404, 7), 0.5
SILENT: Mapping[str, tuple[tuple[int, int], ...]] = {"mohit": ((1404, 10), (1404, 11))}
SETTLING_BODY, SETTLING_DAYS, LEGAL_DAYS = "shahrdari", (11, 30), (3, 8)

DESK_SHARE = 0.665  # cases that begin at the desk; the others are letters of other bodies and of the body itself
FOI_SHARE, COMPLAINT_SHARE = 0.052, 0.038  # of those at the desk
INQUIRY_SHARE, INTERNAL_SHARE = 0.20, 0.27  # of those that are letters only

CONTESTED = 0.013  # thirty events and more
STUCK = 0.010  # waits for months in one unit
RETURNED = 0.050
CLARIFIED = 0.075
INQUIRED = 0.050
REOPENED = 0.004
CORRECTED = 0.003  # the recorded outcome is changed after closing
ENTERED_LATE = 0.012  # typed in a month or two after it happened
FLAWED = 0.0048  # breaks the contract: goes to quarantine
BROKEN_LINK = 0.058
TWICE = 0.003  # a second request that names the same letter
CLASSIFIED = 0.024  # of letters that do not come from the desk
SPAWN_LATE, SPAWN_REFUSED, SPAWN_OTHER = 0.040, 0.080, 0.005  # complaints about an earlier case
PROMISED = 0.86  # requests with a promised date
SURVEYED = 0.18  # closed requests with a score
DIRECT = 0.953  # of the wanted number; the rest are complaints about earlier cases and halves of broken links
LIMIT_DAYS = 10  # working days of the bylaw


def silent(body: str, year: int, month: int) -> bool:
    """Say whether a body records nothing in a month."""
    return (year, month) in SILENT.get(body, ())


def pace(body: str, year: int, month: int) -> float:
    """Give the factor on waits of a body's cases of a month: 1, or less after the reform."""
    if body == REFORM_BODY and (year, month) >= REFORM_MONTH:
        return REFORM_FACTOR
    return 1.0
