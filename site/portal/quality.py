"""How whole the records are: facts read once, told in one card on a body's page and on the page `quality.html`.

A body that records honestly must not look worse than one that records nothing, so no share is turned into a mark: ranges
stand beside one another in the order of names. All figures are released ones (tables `quality`, `margin`, `case_group`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.formats import sort_key
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import WINDOW
from portal.words import Words, mark

MANY = 60  # bodies above which the page names no single body; each body's page has its own card
MEASURES = ("followed", "registered_within_a_day", "promised", "notified_each", "inferred_steps")
NAMES = {
    "outcome": mark("outcome"),
    "lateness": mark("deadline"),
    "service": mark("service"),
    "unit": mark("unit"),
    "channel": mark("channel"),
}
COLUMNS = {
    "outcome": mark("Without a recorded outcome"),
    "lateness": mark("Without a usable deadline"),
    "service": mark("Without a recorded service"),
    "unit": mark("Without a recorded unit"),
    "channel": mark("Without a recorded channel"),
}


@dataclass(frozen=True)
class Quality:
    """Of one body: ranges of the newest closed year by measure, late entries by year, what is not recorded by column."""

    body: str
    year: str
    shares: Mapping[str, Row]
    late: Sequence[Row]
    missing: Mapping[str, Interval]
    addresses: Mapping[str, str]


def read_quality(released: Released, body: str, *, until: str = "") -> Quality:
    """Read the figures of a body up to a release (the newest where none is named); three queries, each on its own rows."""
    last = until or released.newest.release_id
    named = {"body": body, "first_release": released.since(last, months=WINDOW), "release": last}
    rows = released.ask("quality_of_body", **named)
    year = rows[0]["year_code"] if rows else ""
    names = ("quality_of_body", "late_entries", "not_recorded")
    return Quality(
        body=body,
        year=year,
        shares={row["measure_code"]: row for row in rows if row["year_code"] == year},
        late=released.ask("late_entries", **named),
        missing={
            row["column_code"]: Interval(row["at_least"], row["not_shown"], row["total"])
            for row in released.ask("not_recorded", **named)
        },
        addresses={name: released.address(name, **named) for name in names},
    )


def quality_lines(quality: Quality, released: Released, words: Words) -> list[dict[str, str]]:
    """Tell the figures of a body, a line each: name, words, address of the query."""
    lines, few = [], []
    address = quality.addresses["quality_of_body"]
    for measure in [measure for measure in MEASURES if measure in quality.shares]:
        row, title = quality.shares[measure], released.label("quality_measure", measure, lang=words.lang).text
        if (row["at_least"], row["at_most"]) == (0, 100):
            few.append(title)
        else:
            text = words.pct_range(row["at_least"] / 100, row["at_most"] / 100)
            lines.append({"title": title, "words": text, "address": address})
    if few:
        text = words.say("; ").join(few)
        lines.append({"title": words.say("Too few cases to give a share"), "words": text, "address": address})
    for row in [row for row in quality.late if row["registered_count"]][:1]:
        text = words.say(
            "%(late)s of %(all)s in %(year)s",
            late=words.num(row["late_registered_count"]),
            all=words.num(row["registered_count"]),
            year=words.period(row["year_code"]),
        )
        lines.append({"title": words.say("Entered late"), "words": text, "address": quality.addresses["late_entries"]})
    unknown = [column for column, share in quality.missing.items() if share.is_wide and not share.at_least]
    for column, share in quality.missing.items():
        if share.total and column not in unknown:
            text = words.pct_range(share.low, share.high)
            if share.is_wide:
                text = words.say("at least %(n)s cases; more cannot be said", n=words.num(share.at_least))
            title = words.say(COLUMNS[column])
            lines.append({"title": title, "words": text, "address": quality.addresses["not_recorded"]})
    if unknown:
        title = words.say("How often these are missing is not known, for much is not shown")
        text = words.say(", ").join(words.say(NAMES[column]) for column in unknown)
        lines.append({"title": title, "words": text, "address": quality.addresses["not_recorded"]})
    return lines


def quality_values(qualities: Sequence[Quality], released: Released, words: Words) -> dict[str, Any]:
    """Give what template `quality.html` needs."""
    last = released.newest.release_id
    aside = sorted(
        released.ask("quality_of_sources", release=last),
        key=lambda row: (row["reason_code"] or "", row["measure_code"]),
    )
    named = qualities if len(qualities) <= MANY else ()
    bodies = [
        {
            "id": quality.body,
            "title": released.label("body", quality.body, lang=words.lang),
            "year": words.period(quality.year) if quality.year else "",
            "lines": quality_lines(quality, released, words),
        }
        for quality in named
    ]
    return {
        "aside": [_aside(row, released, words) for row in aside],
        "aside_release": aside[0]["release_id"] if aside else "",
        "aside_address": released.address("quality_of_sources", release=last),
        "bodies": sorted(bodies, key=lambda body: sort_key(body["title"].text)),
        "body_count": len(qualities),
    }


def _aside(row: Row, released: Released, words: Words) -> dict[str, str]:
    kind = "quarantine_reason" if row["reason_code"] else "quality_measure"
    title = released.label(kind, row["reason_code"] or row["measure_code"], lang=words.lang).text
    return {"title": title, "words": _count(row, words), "is_part": "yes" if row["reason_code"] else ""}


def _count(row: Row, words: Words) -> str:
    if not row["at_most"]:
        return words.say("none")
    low, high = words.num(row["at_least"]), words.num(row["at_most"])
    if row["unit_code"] == "cell":
        return words.say("%(low)s to %(high)s cells", low=low, high=high)
    return words.say("%(low)s to %(high)s cases", low=low, high=high)
