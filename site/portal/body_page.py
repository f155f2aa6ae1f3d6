"""The page of a body and case type in one language: words around the figures that `body_facts` has read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.body_charts import flow_charts, outcome_chart, outcome_lines, outcome_title, stage_chart, unit_chart
from portal.body_facts import BodyFacts, Stages
from portal.cohort import cohort_values
from portal.facts import Facts
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import FEWEST, Scope
from portal.sentence import tell
from portal.unit_times import unit_time_values
from portal.waits import strip_chart, strip_note
from portal.words import Words
from portal.year_end import year_end_values
from portal.year_waits import year_waits_values

MOST_SERVICES = 40
NOT_RECORDED = "not_recorded"


def file_of(scope: Scope, scopes: Sequence[Scope]) -> str:
    """Give the file name of a body's page for a case type: the leading type is index.html."""
    return "index.html" if scope.case_type == scopes[0].case_type else f"{scope.case_type}.html"


def body_values(
    body: BodyFacts, scopes: Sequence[Scope], released: Released, words: Words, facts: Facts
) -> dict[str, Any]:
    """Give what template `body.html` needs."""
    return {
        **_first_screen(body, scopes, released, words, facts),
        **_outcomes(body, released, words),
        **_details(body, released, words),
        **cohort_values(body.cohort, released, words, case_type=body.scope.case_type),
        **year_waits_values(body.year_waits, released, words, facts),
        **year_end_values(body.year_end, released, words, facts),
        **unit_time_values(body.unit_times if body.scope == scopes[0] else None, released, words, facts),
        "addresses": body.addresses,
    }


def _first_screen(
    body: BodyFacts, scopes: Sequence[Scope], released: Released, words: Words, facts: Facts
) -> dict[str, Any]:
    scope = body.scope
    has_strip = body.strip.counted >= FEWEST
    return {
        "title": released.label("body", scope.body, lang=words.lang),
        "type_title": released.label("case_type", scope.case_type, lang=words.lang).text,
        "types": _types(scope, scopes, released, words),
        "window": window(scope, words),
        "window_words": words.say("finished in the releases of this window or open at its end"),
        "sentence": tell(body.finding, words, facts, case_type=scope.case_type),
        "proof": proof(body.on_time, words),
        "hidden_words": hidden_words(body.on_time, words),
        "quiet": quiet_words(scope, words),
        "sentence_address": body.addresses[body.finding.query],
        "strip": strip_chart(body.strip, words, name="strip", title=strip_title(words, facts)) if has_strip else None,
        "strip_note": strip_note(body.strip, words),
        "counted": body.strip.counted,
        "stock": body.stock,
        "longest": _longest(body.stages, released, words),
        "finished": sum(row["finished_count"] for row in body.flow[-12:]),
        "silent": _silent(body, words),
    }


def _outcomes(body: BodyFacts, released: Released, words: Words) -> dict[str, Any]:
    lines = outcome_lines(body.outcomes)
    known = sum(line.share.at_least for line in lines)
    is_silent = [line.code for line in lines] == [NOT_RECORDED]
    return {
        "outcomes": None if is_silent else outcome_chart(lines, released, words),
        "no_outcome": words.pct_range(lines[0].share.low, lines[0].share.high) if is_silent else "",
        "outcome_lines": [
            {
                "tone": line.tone,
                "title": outcome_title(line, released, words),
                "words": words.pct_range(line.share.low, line.share.high),
            }
            for line in lines
        ],
        "outcome_note": _outcome_note(lines[0].share, known, words) if lines else "",
    }


def _details(body: BodyFacts, released: Released, words: Words) -> dict[str, Any]:
    flows = flow_charts(body, words)
    return {
        "stages": stage_chart(body, released, words),
        "units": unit_chart(body, released, words),
        "coverage": _coverage(body.stages, words),
        "flow": flows[0] if flows else None,
        "open_flow": flows[1] if flows else None,
        "services": [
            {
                "id": row["service_id"],
                "title": released.label("service", row["service_id"], lang=words.lang),
                "count": row["at_least"],
            }
            for row in body.services[:MOST_SERVICES]
        ],
        "statutory": _statutory(released, body.scope, words),
    }


def window(scope: Scope, words: Words) -> str:
    """Say which months a scope covers."""
    if scope.first_release == scope.release:
        return words.period(scope.release)
    return words.say("%(first)s to %(last)s", first=words.period(scope.first_release), last=words.period(scope.release))


def strip_title(words: Words, facts: Facts) -> str:
    """Ask the question that the strip answers."""
    if facts.wait_kind == "working":
        return words.say("Of every 100 cases, how many working days?")
    return words.say("Of every 100 cases, how many days?")


def quiet_words(scope: Scope, words: Words) -> str:
    """Say that nothing came in since a month, and that the figures are therefore of the months before; mostly empty."""
    if not scope.quiet_since:
        return ""
    return words.say(
        "Nothing was registered after %(month)s; these figures are of the time before, what is open is of today.",
        month=words.period(scope.quiet_since),
    )


def proof(on_time: Interval, words: Words) -> str:
    """Say in counts what was in time, and why it is an interval."""
    if not on_time.total:
        return words.say("No case has been published yet.")
    low, total = words.num(on_time.at_least), words.num(on_time.total)
    if on_time.not_shown == on_time.total:
        return words.say(
            "Whether they were in time is shown for none of %(total)s cases, open ones counted.", total=total
        )
    if not on_time.not_shown:
        return words.say("%(low)s of %(total)s cases in time, open ones counted.", low=low, total=total)
    return words.say(
        "At least %(low)s and at most %(high)s of %(total)s cases in time, open ones counted.",
        low=low,
        high=words.num(on_time.at_most),
        total=total,
    )


def hidden_words(on_time: Interval, words: Words) -> str:
    """Say for how many cases it is not shown whether they were in time."""
    if not on_time.not_shown:
        return ""
    return words.say(
        "For %(hidden)s cases it is not shown whether they were in time; no case is left out of the total.",
        hidden=words.num(on_time.not_shown),
    )


def _types(scope: Scope, scopes: Sequence[Scope], released: Released, words: Words) -> list[dict[str, Any]]:
    return [
        {
            "href": file_of(each, scopes),
            "title": released.label("case_type", each.case_type, lang=words.lang).text,
            "current": each.case_type == scope.case_type,
        }
        for each in scopes
    ]


def _longest(stages: Stages, released: Released, words: Words) -> dict[str, str] | None:
    row = stages.longest
    if row is None:
        return None
    days = words.say("one day") if row["median_days"] == 1 else words.say("%(n)s days", n=words.num(row["median_days"]))
    return {"title": released.activity(row["activity_code"], lang=words.lang).text, "days": days}


def _silent(body: BodyFacts, words: Words) -> str:
    if not body.silent:
        return ""
    months = [words.period(body.flow[i]["month_code"]) for i in body.silent]
    if len(months) > 4:
        return words.say("Silent: no case came in or went out in %(n)s months.", n=words.num(len(months)))
    return words.say("Silent: no case came in or went out in %(months)s.", months=words.say(", ").join(months))


def _coverage(stages: Stages, words: Words) -> str:
    shown, others = stages.shown_on_time, stages.other_on_time
    text = words.say(
        "Median days in each stage, shown for %(share)s of cases; of these %(shown)s were in time",
        share=words.pct(stages.shown.low),
        shown=words.pct_range(shown.low, shown.high),
    )
    if not others.total or (others.low, others.high) == (0, 1):
        return text + words.say(".")
    return text + words.say(", of the others %(others)s.", others=words.pct_range(others.low, others.high))


def _outcome_note(share: Interval, known: int, words: Words) -> str:
    hidden = share.total - known
    if not hidden:
        return ""
    return words.say(
        "For %(hidden)s of %(total)s cases the outcome is not shown, because too few cases shared it "
        "or their period is not closed yet.",
        hidden=words.num(hidden),
        total=words.num(share.total),
    )


def _statutory(released: Released, scope: Scope, words: Words) -> dict[str, Any] | None:
    named = {"body": scope.body, "release": released.newest.release_id}
    rows: list[Row] = [
        row
        for row in released.ask("statutory_year", **named)
        if row["case_type_code"] == scope.case_type and row["dimension_code"] == "outcome"
    ]
    if not rows:
        return None
    year = max(row["year_code"] for row in rows)
    listed = sorted((r for r in rows if r["year_code"] == year and r["case_count"]), key=lambda r: -r["case_count"])
    return {
        "year": words.period(year),
        "rows": [
            {"title": released.label("outcome", r["value_code"], lang=words.lang).text, "count": r["case_count"]}
            for r in listed
        ],
        "address": released.address("statutory_year", **named),
    }
