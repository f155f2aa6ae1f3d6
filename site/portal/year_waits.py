"""How long cases took that ended in a year: by when half of them had ended, and nine of ten (table `duration`).

The days are order statistics over single cases, made inside the body (basis: attested), so they count every case whose
wait is known and not only those whose band of days is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.facts import Facts
from portal.released import Released, Row
from portal.scope import Scope
from portal.words import Words


@dataclass(frozen=True)
class YearWaits:
    """The newest year of a body and case type: rows by service, that of all cases first, and the addresses of query and seal."""

    year: str
    rows: Sequence[Row]
    address: str
    seal: str | None

    def of(self, service: str | None) -> Row | None:
        """Give the row of a service, or that of all cases; None where it tells no day by which cases had ended."""
        return next((row for row in self.rows if row["service_id"] == service and _is_told(row)), None)


def read_year_waits(released: Released, scope: Scope) -> YearWaits | None:
    """Read the newest year of a body and case type; None where nothing is published."""
    named = {"body": scope.body, "case_type": scope.case_type, "release": released.newest.release_id}
    rows = released.ask("waits_of_year", **named)
    if not rows:
        return None
    address = released.address("waits_of_year", **named)
    return YearWaits(rows[0]["year_code"], rows, address, released.seal(rows[0]["release_id"]))


def year_waits_values(waits: YearWaits | None, released: Released, words: Words, facts: Facts) -> dict[str, Any]:
    """Give what the section of a body's page needs; `year_waits` None: there is no section."""
    whole = waits.of(None) if waits else None
    if waits is None or whole is None:
        return {"year_waits": None}
    told = {
        "title": words.say("How long it took, %(year)s", year=words.period(waits.year)),
        "sentence": words.say(
            "Of %(n)s cases that ended in %(year)s: %(shares)s.",
            n=words.num(whole["scope_count"]),
            year=words.period(waits.year),
            shares=_shares(whole, words, facts),
        ),
        "address": waits.address,
        "seal": waits.seal,
        "rows": [
            {
                "title": released.label("service", row["service_id"], lang=words.lang),
                "is_part": row["parent_id"] is not None,
                "count": row["scope_count"],
                "half": _days(row["wait_median_days"], words),
                "most": _days(row["wait_p90_days"], words),
            }
            for row in waits.rows
            if row["service_id"] is not None and _is_told(row)
        ],
    }
    return {"year_waits": told}


def service_waits_words(waits: YearWaits | None, service: str, words: Words, facts: Facts) -> str:
    """Say in a sentence how long the cases of a service took; empty where it is not published."""
    row = waits.of(service) if waits else None
    if waits is None or row is None:
        return ""
    return words.say(
        "Of %(n)s cases shown as of this service that ended in %(year)s: %(shares)s.",
        n=words.num(row["scope_count"]),
        year=words.period(waits.year),
        shares=_shares(row, words, facts),
    )


def _is_told(row: Row) -> bool:
    return row["wait_median_days"] is not None or row["wait_p90_days"] is not None


def _shares(row: Row, words: Words, facts: Facts) -> str:
    half, most = row["wait_median_days"], row["wait_p90_days"]
    if half is None or half == most:
        return words.say("nine of ten ended %(most)s", most=_within(most, words, facts))
    if most is None:
        return words.say("half ended %(half)s", half=_within(half, words, facts))
    return words.say(
        "half ended %(half)s and nine of ten %(most)s",
        half=_within(half, words, facts),
        most=_within(most, words, facts),
    )


def _within(days: int, words: Words, facts: Facts) -> str:
    if days == 0:
        return words.say("on the same day")
    return words.say("within %(days)s", days=words.days(days, facts.wait_kind))


def _days(days: int | None, words: Words) -> str:
    return "–" if days is None else words.num(days)
