"""The charts of a body's page: outcomes with the hatched end, days by stage, flows and stock over 24 months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.body_facts import BodyFacts, is_one_longest
from portal.charts import Chart, Series
from portal.intervals import Interval
from portal.released import Released, Row
from portal.share_bar import share_bar
from portal.words import Words

_OUTCOME_TONES = {
    "granted_full": "done",
    "completed": "done",
    "positive": "soft",
    "granted_partial": "soft",
    "refused_exempt": "late",
    "rejected_unclear": "late",
    "not_eligible": "late",
    "negative": "late",
}
_TONE_ORDER = ("done", "soft", "late", "plain", "faint")
LISTED = 6


@dataclass(frozen=True)
class OutcomeLine:
    """An outcome in the legend: title, tone and its share as an interval; `code` None: all the others together.

    `is_rest`: a coarse outcome beside finer ones of it, that is, what is shown as no more than this.
    """

    code: str | None
    tone: str
    share: Interval
    is_rest: bool = False


def outcome_lines(rows: Sequence[Row]) -> tuple[OutcomeLine, ...]:
    """Give the outcomes that occur: those of a tone beside one another, the largest first; small ones joined."""
    known = sorted((line for row in rows if (line := _own_line(row, rows)).share.at_least), key=_smaller_last)
    lines, rest = known[:LISTED], [line.share for line in known[LISTED:]]
    if rest:
        joined = Interval(sum(s.at_least for s in rest), max(s.not_shown for s in rest), rest[0].total)
        lines.append(OutcomeLine(None, "faint", joined))
    ordered = sorted(lines, key=lambda line: _TONE_ORDER.index(line.tone))
    return tuple(_told_apart(line, before) for line, before in zip(ordered, [None, *ordered], strict=False))


def _own_line(row: Row, rows: Sequence[Row]) -> OutcomeLine:
    """Give an outcome as a part of the whole: a coarse one without the cases whose finer outcome is told."""
    code = row["outcome_code"]
    finer = sum(other["at_least"] for other in rows if other["parent_code"] == code)
    own = row["at_least"] - finer
    share = Interval(own, 0 if finer else row["not_shown"], row["total"])
    return OutcomeLine(code, _OUTCOME_TONES.get(code, "plain"), share, is_rest=finer > 0)


def _smaller_last(line: OutcomeLine) -> int:
    return -line.share.at_least


def _told_apart(line: OutcomeLine, before: OutcomeLine | None) -> OutcomeLine:
    """Give the second of two grey neighbours the lighter grey."""
    is_twin = before is not None and line.tone == before.tone == "plain"
    return replace(line, tone="faint") if is_twin else line


def outcome_chart(lines: Sequence[OutcomeLine], released: Released, words: Words) -> Chart | None:
    """Draw outcomes as one bar of all finished cases; the hatched end is what is not shown."""
    if not lines:
        return None
    total = lines[0].share.total
    known = sum(line.share.at_least for line in lines)
    return share_bar(
        "outcomes",
        [(outcome_title(line, released, words), line.tone, line.share) for line in lines],
        hidden=(total - known) / total if total else 0,
        title=words.say("Outcomes"),
        heading=words.say("Outcome"),
        words=words,
    )


def outcome_title(line: OutcomeLine, released: Released, words: Words) -> str:
    """Give the title of an outcome of the legend."""
    if not line.code:
        return words.say("other outcomes")
    title = released.label("outcome", line.code, lang=words.lang).text
    return words.say("%(outcome)s, no more is shown", outcome=title) if line.is_rest else title


def stage_chart(facts: BodyFacts, released: Released, words: Words) -> Chart | None:
    """Draw the median days of each stage, the longest in amber where one is."""
    rows = [row for row in facts.stages.rows if row["median_days"] is not None]
    names = tuple(released.activity(row["activity_code"], lang=words.lang).text for row in rows)
    return _days_chart(
        rows, names, words, name="stages", title=words.say("Where the days go"), heading=words.say("Stage")
    )


def unit_chart(facts: BodyFacts, released: Released, words: Words) -> Chart | None:
    """Draw the median days at each unit, the longest in amber; only where steps are shown with their units."""
    rows = facts.stages.units
    names = tuple(released.label("unit", row["unit_id"], lang=words.lang).text for row in rows)
    return _days_chart(rows, names, words, name="units", title=words.say("In which unit"), heading=words.say("Unit"))


def _days_chart(
    rows: Sequence[Row], names: tuple[str, ...], words: Words, *, name: str, title: str, heading: str
) -> Chart | None:
    if not rows:
        return None

    leads = is_one_longest([row["median_days"] for row in rows])

    def part(tone: str, label: str, chosen: bool) -> Series:
        picked = [(leads and i == 0) == chosen for i in range(len(rows))]
        values = tuple(float(row["median_days"]) if yes else 0.0 for row, yes in zip(rows, picked, strict=True))
        texts = tuple(
            words.median_days(row["median_days"]) if yes else "" for row, yes in zip(rows, picked, strict=True)
        )
        return Series(label, values, tone, texts)

    longest = part("late", words.say("the longest"), chosen=True)
    others = part("done", words.say("the others"), chosen=False)
    series = tuple(each for each in (longest, others) if any(each.texts))
    said = words.say("; ").join(f"{n} {words.median_days(r['median_days'])}" for n, r in zip(names, rows, strict=True))
    return Chart(
        kind="bar",
        name=name,
        title=title,
        text=said,
        lang=words.lang,
        categories=names,
        series=series,
        unit=words.say("days"),
        heading=heading,
    )


def flow_charts(facts: BodyFacts, words: Words) -> tuple[Chart, Chart] | None:
    """Draw what came in and went out, and what stayed open, over the months; silent months are marked."""
    rows = facts.flow
    if len(rows) < 2:
        return None
    months = tuple(words.tick(row["month_code"]) for row in rows)
    ticks = tuple(i for i in range(len(rows)) if (len(rows) - 1 - i) % max(1, len(rows) // 4) == 0)
    silent_label = words.say("months without any case")

    def series(column: str, label: str, tone: str) -> Series:
        values = tuple(
            None if i in facts.silent and column.startswith(("reg", "fin")) else float(r[column])
            for i, r in enumerate(rows)
        )
        return Series(label, values, tone)

    flows = (
        series("registered_count", words.say("registered"), "plain"),
        series("finished_count", words.say("finished"), "done"),
    )
    stock = (
        series("open_count", words.say("open at the end of the month"), "open"),
        series("open_overdue_count", words.say("of these, past the limit"), "late"),
    )
    first, last = words.period(rows[0]["month_code"]), words.period(rows[-1]["month_code"])
    text = words.say("Monthly counts from %(first)s to %(last)s.", first=first, last=last)

    def chart(kind: str, name: str, title: str, parts: tuple[Series, ...]) -> Chart:
        return Chart(
            kind=kind,
            name=name,
            title=title,
            text=text,
            lang=words.lang,
            categories=months,
            series=parts,
            unit=words.say("cases"),
            heading=words.say("Month"),
            ticks=ticks,
            silent=facts.silent,
            silent_label=silent_label if facts.silent else "",
        )

    return (
        chart("line", "flow", words.say("Came in, went out"), flows),
        chart("step", "stock", words.say("Still open"), stock),
    )
