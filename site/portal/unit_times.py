"""How long cases stay in each unit: one median a year, in the order of the organisation chart (table `unit_time`).

No ranking, and no colour that judges: units do different work. The medians are made inside the body from single cases and
cannot be made again from published rows, which the page says (basis: attested).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.charts import Chart, Series
from portal.facts import Facts
from portal.formats import sort_key
from portal.released import Released, Row
from portal.words import Words


@dataclass(frozen=True)
class UnitTimes:
    """The units of a body in a year, a row each, the query's address, and that of the seal of its release."""

    year: str
    rows: Sequence[Row]
    address: str
    seal: str | None


def read_unit_times(released: Released, body: str) -> UnitTimes | None:
    """Read the newest year of a body; None where no unit has a published time."""
    named = {"body": body, "release": released.newest.release_id}
    rows = released.ask("unit_times", **named)
    if not rows:
        return None
    address = released.address("unit_times", **named)
    return UnitTimes(rows[0]["year_code"], rows, address, released.seal(rows[0]["release_id"]))


def unit_time_values(times: UnitTimes | None, released: Released, words: Words, facts: Facts) -> dict[str, Any]:
    """Give what the section of a body's page needs; `unit_times` None: there is no section."""
    if times is None:
        return {"unit_times": None, "unit_year": ""}
    titles = {row["unit_id"]: released.label("unit", row["unit_id"], lang=words.lang).text for row in times.rows}
    rows = in_chart_order(times.rows, titles)
    names = tuple(titles[row["unit_id"]] for row in rows)
    days = tuple(words.median_days(row["stay_median_days"]) for row in rows)
    bands = tuple(released.label("timed_band", row["timed_band_code"], lang=words.lang).text for row in rows)
    chart = Chart(
        kind="bar",
        name="unit_times",
        title=words.say("Time in each unit"),
        text=words.say("; ").join(f"{name} {text}" for name, text in zip(names, days, strict=True)),
        lang=words.lang,
        categories=names,
        series=(
            Series(words.say("median days"), tuple(float(row["stay_median_days"]) for row in rows), "plain", days),
        ),
        unit=words.say("working days") if facts.wait_kind == "working" else words.say("days"),
        heading=words.say("Unit"),
        notes=tuple(words.digits(band) for band in bands),
        note_heading=words.say("applicants"),
    )
    return {
        "unit_times": chart,
        "unit_year": words.period(times.year),
        "unit_address": times.address,
        "unit_seal": times.seal,
    }


def in_chart_order(rows: Sequence[Row], titles: Mapping[str, str]) -> list[Row]:
    """Order units as the organisation chart does: each below the one it belongs to, those beside one another by name.

    >>> rows = [{"unit_id": "b", "parent_id": "a"}, {"unit_id": "c", "parent_id": None}, {"unit_id": "a", "parent_id": None}]
    >>> [row["unit_id"] for row in in_chart_order(rows, {"a": "Z office", "b": "A desk", "c": "M office"})]
    ['c', 'a', 'b']
    """
    listed = {row["unit_id"] for row in rows}
    below: dict[str | None, list[Row]] = {}
    for row in sorted(rows, key=lambda each: (sort_key(titles[each["unit_id"]]), each["unit_id"])):
        parent = row["parent_id"] if row["parent_id"] in listed else None
        below.setdefault(parent, []).append(row)
    ordered: list[Row] = []
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting.extend(reversed(below.get(row["unit_id"], [])))
    return ordered
