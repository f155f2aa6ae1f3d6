"""The home page: the sentence and the strip over all bodies, and the bodies in the order of their names (never ranked)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.body_facts import BodyFacts, interval
from portal.body_page import hidden_words, proof, quiet_words, strip_title, window
from portal.facts import Facts
from portal.formats import sort_key
from portal.intervals import Interval
from portal.released import Released, Row
from portal.scope import WINDOW, Scope, leading_order, make_scope
from portal.sentence import Finding, brief, find, tell
from portal.waits import Band, Strip, make_strip, strip_chart, strip_note
from portal.words import Words

LONG = 60  # bodies from which the list shows names only


@dataclass(frozen=True)
class HomeFacts:
    """The figures over all bodies, for the case type that leads."""

    scope: Scope
    on_time: Interval
    finding: Finding
    strip: Strip
    stock: Row
    addresses: Mapping[str, str]


def read_home(
    released: Released, scopes: Mapping[str, Sequence[Scope]], *, facts: Facts, bands: Sequence[Band]
) -> HomeFacts:
    """Read the figures over all bodies: twelve releases, open and waiting cases counted."""
    last = released.newest.release_id
    first = released.since(last, months=WINDOW)
    scope = _everywhere(released, _leading(released, first, last), scopes)
    named = scope.parameters
    on_time = interval(released.ask("on_time_everywhere", **named)[0])
    rows = released.ask("waits_everywhere", **named)
    stock_then = released.ask("stock_everywhere", **named)[0]
    today = dict(named) | {"release": last}
    within = {
        band: interval(released.ask("within_days_everywhere", **named, band=band.code)[0])
        for band in bands
        if band.last is not None
    }
    finding = find(on_time, within)
    band = next((b.code for b in within if b.last == finding.days), "")
    finding = replace(finding, query=f"{finding.query}_everywhere")
    addresses = {
        "sentence": released.address(finding.query, **named, band=band),
        "waits": released.address("waits_everywhere", **named),
        "stock": released.address("stock_everywhere", **today),
        "bodies": released.address("bodies", **named),
    }
    strip = make_strip(rows, bands, facts, stock=stock_then)
    stock = released.ask("stock_everywhere", **today)[0]
    return HomeFacts(scope, on_time, finding, strip, stock, addresses)


def _everywhere(released: Released, case_type: str, scopes: Mapping[str, Sequence[Scope]]) -> Scope:
    """Give the window over all bodies: the newest twelve releases, or, where every body is quiet, the last busy ones."""
    own = [scope for each in scopes.values() for scope in each if scope.case_type == case_type]
    quiet = max((scope.quiet_since for scope in own), default="")
    registered = quiet if own and all(scope.quiet_since for scope in own) else None
    told = [release.release_id for release in released.releases]
    return make_scope(released, "", case_type, told=told, registered=registered)


def _leading(released: Released, first: str, last: str) -> str:
    finished: dict[str, int] = {}
    for row in released.ask("bodies", first_release=first, release=last):
        finished[row["case_type_code"]] = finished.get(row["case_type_code"], 0) + row["finished_count"]
    return next(iter(leading_order(finished)), "foi")


def home_values(
    home: HomeFacts, leads: Mapping[str, BodyFacts], released: Released, words: Words, facts: Facts
) -> dict[str, Any]:
    """Give what template `home.html` needs."""
    listed = [_line(body, lead, released, words) for body, lead in leads.items()]
    return {
        "type_title": released.label("case_type", home.scope.case_type, lang=words.lang).text,
        "window": window(home.scope, words),
        "window_words": words.say("finished in the releases of this window or open at its end"),
        "sentence": tell(home.finding, words, facts, case_type=home.scope.case_type),
        "proof": proof(home.on_time, words),
        "hidden_words": hidden_words(home.on_time, words),
        "quiet": quiet_words(home.scope, words),
        "sentence_address": home.addresses["sentence"],
        "strip": strip_chart(home.strip, words, name="strip", title=strip_title(words, facts)),
        "strip_note": strip_note(home.strip, words),
        "counted": home.strip.counted,
        "waits_address": home.addresses["waits"],
        "stock": home.stock,
        "stock_address": home.addresses["stock"],
        "bodies_address": home.addresses["bodies"],
        "bodies": sorted(listed, key=lambda line: sort_key(line["title"].text)),
        "long": len(listed) > LONG,
    }


def _line(body: str, lead: BodyFacts, released: Released, words: Words) -> dict[str, Any]:
    last = next((row["month_code"] for i, row in reversed(list(enumerate(lead.flow))) if i not in lead.silent), None)
    is_silent = bool(lead.flow) and lead.flow[-1]["month_code"] != last
    return {
        "id": body,
        "title": released.label("body", body, lang=words.lang),
        "brief": brief(lead.on_time, words),
        "cases": words.say("%(n)s cases", n=words.num(lead.on_time.total)),
        "address": lead.addresses["on_time"],
        "silent": _silent(lead.scope.quiet_since or (last if is_silent and last else ""), words),
    }


def _silent(month: str, words: Words) -> str:
    return words.say("silent since %(month)s", month=words.period(month)) if month else ""
