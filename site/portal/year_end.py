"""What was waiting at the end of the year: open cases by days of waiting and by stage (table `open_group`).

Once a year. Each bar is what is surely there; its hatched end is what may be there, since age or stage is not shown for
all. The ends of several bars are the same cases, so they must not be added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.charts import Chart, Series
from portal.facts import Facts
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import Scope
from portal.words import Words

NOT_RECORDED = "not_recorded"
_QUERIES = ("open_by_age", "open_by_stage", "open_stage_age")


@dataclass(frozen=True)
class YearEnd:
    """The open cases of a body and case type at the end of a year, by age, by stage, and by both."""

    year: str
    total: int
    ages: Sequence[tuple[str, Interval]]
    stages: Sequence[tuple[str, Interval]]
    both: Sequence[Row]
    addresses: Mapping[str, str]


def read_year_end(released: Released, scope: Scope) -> YearEnd | None:
    """Read the newest year's end; None where no year has been told or nothing was open."""
    named = scope.parameters | {"release": released.newest.release_id}
    ages = released.ask("open_by_age", **named)
    if not ages or not ages[0]["total"]:
        return None
    stages = released.ask("open_by_stage", **named)
    return YearEnd(
        ages[0]["period_code"],
        ages[0]["total"],
        _bars(ages, "age_band_code", keep=True),
        _bars(stages, "stage_code", keep=False),
        released.ask("open_stage_age", **named),
        {name: released.address(name, **named) for name in _QUERIES},
    )


def _bars(rows: Sequence[Row], column: str, *, keep: bool) -> list[tuple[str, Interval]]:
    """Give the codes that surely occur; with `keep` all of them, but for what nobody recorded."""
    ordered = sorted(rows, key=lambda row: row[column] == NOT_RECORDED)
    return [
        (row[column], Interval(row["at_least"], row["not_shown"], row["total"]))
        for row in ordered
        if row["at_least"] or (keep and row[column] != NOT_RECORDED)
    ]


def year_end_values(end: YearEnd | None, released: Released, words: Words, facts: Facts) -> dict[str, Any]:
    """Give what the section of a body's page needs; `year_end` None: there is no section."""
    if end is None:
        return {"year_end": None, "ages": None, "waiting_stages": None}
    hidden = end.ages[0][1].not_shown if end.ages else 0
    is_shown = any(share.at_least for _, share in end.ages) or bool(end.stages)
    ages = _chart(end.ages, released, words, name="ages", facts=facts) if is_shown and hidden < end.total else None
    stages = _chart(end.stages, released, words, name="waiting_stages", facts=facts) if end.stages else None
    return {
        "ages": ages,
        "waiting_stages": stages,
        "year_end": {
            "year": words.period(end.year),
            "total": end.total,
            "hidden_ages": hidden,
            "hidden_stages": end.stages[0][1].not_shown if end.stages else end.total,
            "table": _table(end, released, words) if stages else None,
            "addresses": end.addresses,
        },
    }


def _chart(
    bars: Sequence[tuple[str, Interval]], released: Released, words: Words, *, name: str, facts: Facts
) -> Chart | None:
    is_age = name == "ages"
    kind = "age_band" if is_age else "stage"
    names = tuple(_name(code, kind, released, words) for code, _ in bars)
    sure = tuple(float(share.at_least) for _, share in bars)
    texts = tuple(_between(share, words) for _, share in bars)
    series = [Series(words.say("surely"), sure, "open", texts)]
    if any(share.not_shown for _, share in bars):
        more = tuple(float(share.at_most - share.at_least) for _, share in bars)
        series.append(Series(words.say("perhaps: not shown at this detail"), more, "hidden"))
    heading = words.say("Working days since registration") if facts.wait_kind == "working" else ""
    age_title = heading or words.say("Days since registration")
    return Chart(
        kind="bar",
        name=name,
        title=age_title if is_age else words.say("In which stage"),
        text=words.say("; ").join(f"{title} {text}" for title, text in zip(names, texts, strict=True)),
        lang=words.lang,
        categories=names,
        series=tuple(series),
        unit=words.say("cases"),
        heading=age_title if is_age else words.say("Stage"),
    )


def _name(code: str | None, kind: str, released: Released, words: Words) -> str:
    if code is None:
        return words.say("not shown")
    return words.digits(released.label(kind, code, lang=words.lang).text)


def _between(share: Interval, words: Words) -> str:
    if share.at_least == share.at_most:
        return words.num(share.at_least)
    return words.say("%(low)s to %(high)s", low=words.num(share.at_least), high=words.num(share.at_most))


def _table(end: YearEnd, released: Released, words: Words) -> dict[str, Any]:
    """Cross stages with ages: exact counts of the published rows, the undisclosed ones in a row and column of their own."""
    ages = [code for code, _ in end.ages] + ([None] if any(row["age_band_code"] is None for row in end.both) else [])
    stages = [code for code, _ in end.stages] + ([None] if any(row["stage_code"] is None for row in end.both) else [])
    counts = {(row["stage_code"], row["age_band_code"]): row["case_count"] for row in end.both}
    return {
        "head": [_name(age, "age_band", released, words) for age in ages],
        "rows": [
            {
                "title": _name(stage, "stage", released, words),
                "cells": [words.num(counts[stage, age]) if (stage, age) in counts else "" for age in ages],
            }
            for stage in stages
        ],
    }
