"""The one sentence that a page leads with: how many of ten were answered within how many days, and what the law allows.

It is always about all cases (finished, waiting for their group, open), so it is "at least" wherever something is not
shown; with fewer than twenty cases it says that they are too few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from portal.facts import Facts
from portal.intervals import Interval
from portal.scope import FEWEST
from portal.waits import Band
from portal.words import Words, mark

GOAL = 8  # of ten
USEFUL = 5  # tenths: a wider share is said in counts
_NOUNS = {
    "foi": mark("requests"),
    "service": mark("service requests"),
    "complaint": mark("complaints"),
    "appeal": mark("appeals"),
    "inquiry": mark("consultations"),
    "correspondence": mark("letters"),
    "other": mark("cases"),
}


@dataclass(frozen=True)
class Finding:
    """What the sentence says: `kind` (few, within, on_time, counts), the interval behind it, and days for `within`."""

    kind: str
    interval: Interval
    days: int = 0
    query: str = "on_time"


def find(on_time: Interval, within: Mapping[Band, Interval]) -> Finding:
    """Choose what can honestly be said: the shortest wait within which 8 of 10 were answered, else the share in time."""
    if on_time.total < FEWEST:
        return Finding("few", on_time)
    for band, interval in within.items():
        if band.last is not None and interval.tenths[0] >= GOAL:
            return Finding("within", interval, band.last, "within_days")
    low, high = on_time.tenths
    return Finding("on_time" if high - low < USEFUL else "counts", on_time)


def tell(finding: Finding, words: Words, facts: Facts, *, case_type: str) -> Markup:
    """Write the sentence."""
    noun, verb = noun_of(case_type, words), verb_of(case_type, words)
    law = _law(words, facts)
    if finding.kind == "few":
        return words.rich(
            "Fewer than %(n)s cases: too few to say how many are answered in time%(law)s.", n=words.num(FEWEST), law=law
        )
    if finding.kind == "counts":
        share = finding.interval
        return words.rich(
            "Of %(total)s %(noun)s, [at least %(low)s %(verb)s in time]; for %(hidden)s this is not shown%(law)s.",
            total=words.num(share.total),
            noun=noun,
            verb=verb,
            low=words.num(share.at_least),
            hidden=words.num(share.not_shown),
            law=law,
        )
    if finding.kind == "within":
        return words.rich(
            "Of every 10 %(noun)s, [%(some)s %(verb)s within %(days)s]%(law)s.",
            noun=noun,
            some=_some(words, finding.interval),
            days=words.days(finding.days, facts.wait_kind),
            verb=verb,
            law=law,
        )
    return words.rich(
        "Of every 10 %(noun)s, [%(some)s %(verb)s in time]%(law)s.",
        noun=noun,
        some=_some(words, finding.interval),
        verb=verb,
        law=law,
    )


def noun_of(case_type: str, words: Words) -> str:
    """Give what the cases of a type are called, many of them."""
    return words.say(_NOUNS.get(case_type, "cases"))


def verb_of(case_type: str, words: Words) -> str:
    """Give what happens to them at their end: letters are closed, what people ask is answered."""
    return words.say("were closed") if case_type == "correspondence" else words.say("were answered")


def brief(interval: Interval, words: Words) -> str:
    """Say a share in time in a list: "at least 8 of 10", or that cases are too few."""
    if interval.total < FEWEST:
        return words.say("too few cases")
    low, high = interval.tenths
    if high - low >= USEFUL:
        return words.say("at least %(low)s cases in time", low=words.num(interval.at_least))
    return words.say("%(some)s of 10 in time", some=_some(words, interval))


def _some(words: Words, interval: Interval) -> str:
    low, high = interval.tenths
    if low == 10:
        return words.say("all")
    if low == high == 0:
        return words.say("fewer than one")
    if 10 * interval.at_least == low * interval.total and interval.at_least == interval.at_most:
        return words.say("%(n)s", n=words.num(low))
    if low == 0:
        return words.say("at most %(n)s", n=words.num(high + 1))
    return words.say("at least %(n)s", n=words.num(low))


def _law(words: Words, facts: Facts) -> str:
    limit = facts.headline
    if limit is None or not limit.is_fixed:
        return ""
    return words.say("; the law allows %(days)s", days=words.days(limit.days, limit.kind))
