"""Of all that were registered: how many ended in time, late, or still wait past their limit (table `cohort_group`).

The other way to count: by when a case came in, not by when it ended. A period is published once, when its last due date has
passed, so whoever still waits is counted in and nothing can become "in time" any more. Every share is an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from portal.charts import Chart
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import FEWEST, WINDOW, Scope
from portal.sentence import noun_of, verb_of
from portal.share_bar import share_bar
from portal.words import Words

NOT_RECORDED = "not_recorded"
USEFUL_SHARE = 0.5  # a wider share is told in counts only
_TONES = {"on_time": "done", "late": "late", "open_late": "open_late", "open_in_time": "open", NOT_RECORDED: "plain"}


@dataclass(frozen=True)
class Cohort:
    """What became of the cases registered in the periods of a window: a share by state, and a row by period.

    named: the parameters of the queries.
    """

    named: Mapping[str, Any]
    shares: Mapping[str, Interval]
    periods: Sequence[Row]
    addresses: Mapping[str, str]

    @property
    def on_time(self) -> Interval:
        """The cases that ended in time."""
        return self.shares["on_time"]

    @property
    def is_unlimited(self) -> bool:
        """Say whether every case whose state is shown has no limit, so that nothing can be in time or late."""
        known = sum(share.at_least for share in self.shares.values())
        return known > 0 and self.shares[NOT_RECORDED].at_least == known


def read_cohort(released: Released, scope: Scope) -> Cohort | None:
    """Read the twelve releases that end with the newest cohort of a body and case type; None where none is published."""
    ever = scope.parameters | {"first_release": released.releases[0].release_id, "release": released.newest.release_id}
    periods = released.ask("cohort_periods", **ever)
    if not periods:
        return None
    last = max(row["release_id"] for row in periods)
    named = scope.parameters | {"first_release": released.since(last, months=WINDOW), "release": last}
    shares = {
        row["cohort_state_code"]: Interval(row["at_least"], row["not_shown"], row["total"])
        for row in released.ask("cohort_states", **named)
    }
    addresses = {name: released.address(name, **named) for name in ("cohort_states", "cohort_periods")}
    return Cohort(named, shares, [row for row in periods if row["release_id"] >= named["first_release"]], addresses)


def cohort_values(cohort: Cohort | None, released: Released, words: Words, *, case_type: str) -> dict[str, Any]:
    """Give what the section of a body's page needs; `cohort_told` None: there is no section."""
    if cohort is None:
        return {"cohort_told": None, "cohort": None}
    is_chart = cohort.on_time.total >= FEWEST and not cohort.is_unlimited
    chart = _chart(cohort, released, words) if is_chart else None
    return {
        "cohort": chart,
        "cohort_told": {
            "sentence": _sentence(cohort, words, case_type=case_type),
            "waiting": _still_waiting(cohort.shares["open_late"].at_least if is_chart else 0, words),
            "lines": _lines(cohort, released, words) if is_chart else [],
            "states": [
                {
                    "title": released.label("cohort_state", state, lang=words.lang).text,
                    "at_least": share.at_least,
                    "at_most": share.at_most,
                }
                for state, share in _known(cohort)
            ],
            "periods": [_period(row, words) for row in reversed(cohort.periods)] if is_chart else [],
            "addresses": cohort.addresses,
        },
    }


def span(periods: Sequence[Row], words: Words) -> str:
    """Say from which period to which."""
    first, last = periods[0]["period_code"], periods[-1]["period_code"]
    if first == last:
        return words.say("in %(period)s", period=words.period(last))
    return words.say("from %(first)s to %(last)s", first=words.period(first), last=words.period(last))


def _sentence(cohort: Cohort, words: Words, *, case_type: str) -> Markup:
    share = cohort.on_time
    told = {"total": words.num(share.total), "noun": noun_of(case_type, words), "span": span(cohort.periods, words)}
    if cohort.is_unlimited:
        return words.rich(
            "%(total)s %(noun)s were registered %(span)s; no limit is recorded for them, so none was in time or late.",
            **told,
        )
    if share.total < FEWEST:
        return words.rich("%(total)s %(noun)s were registered %(span)s: too few to give a share.", **told)
    return words.rich(
        "Of %(total)s %(noun)s registered %(span)s, [%(share)s %(verb)s in time]: %(count)s.",
        verb=verb_of(case_type, words),
        share=words.pct_range(share.low, share.high),
        count=count_range(share, words),
        **told,
    )


def count_range(share: Interval, words: Words) -> str:
    """Write a count between its ends; one number where both are the same."""
    if share.at_least == share.at_most:
        return words.say("%(n)s cases", n=words.num(share.at_most))
    return words.say(
        "at least %(low)s and at most %(high)s cases", low=words.num(share.at_least), high=words.num(share.at_most)
    )


def _still_waiting(waiting: int, words: Words) -> str:
    if not waiting:
        return ""
    return words.say(
        "At least %(n)s of them were still open past their limit when their period was published.", n=words.num(waiting)
    )


def _known(cohort: Cohort) -> list[tuple[str, Interval]]:
    """Give the states that occur, in the order in which they are drawn."""
    return [
        (state, cohort.shares[state]) for state in _TONES if state in cohort.shares and cohort.shares[state].at_least
    ]


def _chart(cohort: Cohort, released: Released, words: Words) -> Chart:
    """Draw one bar of all registered cases; the hatched end is what is not shown."""
    shares = [
        (released.label("cohort_state", state, lang=words.lang).text, _TONES[state], share)
        for state, share in _known(cohort)
    ]
    return share_bar(
        "cohort",
        shares,
        hidden=cohort.on_time.not_shown / cohort.on_time.total,
        title=words.say("Of all that were registered"),
        heading=words.say("What became of them"),
        words=words,
    )


def _lines(cohort: Cohort, released: Released, words: Words) -> list[dict[str, str]]:
    lines = [
        {
            "tone": _TONES[state],
            "title": released.label("cohort_state", state, lang=words.lang).text,
            "words": words.pct_range(share.low, share.high),
        }
        for state, share in _known(cohort)
    ]
    hidden = cohort.on_time.not_shown / cohort.on_time.total
    if hidden:
        lines.append({"tone": "hidden", "title": words.say("Not shown at this detail"), "words": words.pct(hidden)})
    return lines


def _period(row: Row, words: Words) -> dict[str, Any]:
    share = Interval(row["at_least"], row["not_shown"], row["total"])
    return {
        "title": words.period(row["period_code"]),
        "count": row["total"],
        "share": words.pct_range(share.low, share.high) if share.total >= FEWEST else "–",
        "open_late": row["open_late_at_least"],
    }


@dataclass(frozen=True)
class ServiceCohort:
    """The registered cases of a service: one row of `service_cohort`, its periods and its address."""

    row: Row
    periods: Sequence[Row]
    address: str


def read_service_cohort(released: Released, service: str, *, cohort: Cohort | None) -> ServiceCohort | None:
    """Read what is shown of a service in the cohort of its body and case type; None where too little is."""
    if cohort is None or cohort.is_unlimited:
        return None
    named = dict(cohort.named) | {"service": service}
    row = released.ask("service_cohort", **named)[0]
    if row["shown"] < FEWEST:
        return None
    return ServiceCohort(row, cohort.periods, released.address("service_cohort", **named))


def service_cohort_values(cohort: ServiceCohort | None, words: Words) -> dict[str, Any] | None:
    """Give what the section of a service's page needs: its sentence, what more may belong to it, and the share."""
    if cohort is None:
        return None
    row = cohort.row
    return {
        "sentence": words.rich(
            "Of %(shown)s cases shown as of this service and registered %(span)s, [at least %(on_time)s ended in time].",
            shown=words.num(row["shown"]),
            span=span(cohort.periods, words),
            on_time=words.num(row["on_time"]),
        ),
        "late": words.say("At least %(n)s of them ended late.", n=words.num(row["late"])) if row["late"] else "",
        "waiting": _still_waiting(row["open_late"], words),
        "share": _service_share(row, words),
        "address": cohort.address,
    }


def _service_share(row: Row, words: Words) -> str:
    possible = words.say("Up to %(possible)s more may belong to it.", possible=words.num(row["possible"]))
    text = possible if row["possible"] else ""
    if row["high_share"] - row["low_share"] >= USEFUL_SHARE:
        none = words.say("So many that no share in time is given.")
        return f"{text} {none}".strip()
    share = words.say(
        "Whichever they are, the share in time lies between %(low)s and %(high)s.",
        low=words.pct(row["low_share"]),
        high=words.pct(row["high_share"]),
    )
    if text:
        return f"{text} {share}"
    return words.say("The share in time is %(share)s.", share=words.pct_range(row["low_share"], row["high_share"]))
