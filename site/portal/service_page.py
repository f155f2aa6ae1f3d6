"""The page of a service in one language: its sentence, strip, due dates, steps, and what to do if it is late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from portal.body_page import file_of, strip_title, window
from portal.cohort import service_cohort_values
from portal.due_dates import DueDate
from portal.facts import Facts
from portal.letter_page import due_note
from portal.released import Released, Row
from portal.scope import FEWEST, Scope
from portal.service_facts import ServiceFacts
from portal.waits import strip_chart, strip_note
from portal.words import Words
from portal.year_waits import service_waits_words


def service_values(
    service: ServiceFacts,
    scopes: Sequence[Scope],
    due: Sequence[DueDate],
    released: Released,
    words: Words,
    facts: Facts,
    *,
    parent: str | None,
) -> dict[str, Any]:
    """Give what template `service.html` needs."""
    scope = service.scope
    body = None
    if scope:
        title = released.label("body", scope.body, lang=words.lang)
        body = {"id": scope.body, "title": title, "file": file_of(scope, scopes)}
    name = "strip"
    has_gap = any(row["is_gap"] for row in service.steps)
    longest = None if has_gap else _longest(service.steps)  # a longer wait may lie in the gap
    return {
        "title": released.label("service", service.service, lang=words.lang),
        "family": released.label("service", parent, lang=words.lang) if parent else None,
        "body": body,
        "kicker": window(scope, words) if scope else words.say("Service"),
        "sentence": _sentence(service, words, facts),
        "proof": _proof(service, words),
        "year_waits": service_waits_words(service.year_waits, service.service, words, facts),
        "year_address": service.year_waits.address if service.year_waits else "",
        "strip": strip_chart(service.strip, words, name=name, title=strip_title(words, facts))
        if service.strip
        else None,
        "strip_note": strip_note(service.strip, words) if service.strip else "",
        "shown": service.shown.at_least,
        "possible": service.shown.not_shown,
        "due": due,
        "due_note": due_note(words, facts),
        "steps": [_step(row, released, words, is_longest=row is longest) for row in service.steps],
        "has_gap": has_gap,
        "cohort": service_cohort_values(service.cohort, words),
        "step_count": service.steps[0]["case_count"] if service.steps else 0,
        "addresses": service.addresses,
    }


def _sentence(service: ServiceFacts, words: Words, facts: Facts) -> Markup:
    if not service.is_told:
        return words.rich("Too few cases are shown to say how many are answered in time.")
    row = service.on_time
    law = ""
    if facts.headline and facts.headline.is_fixed:
        law = words.say("; the law allows %(days)s", days=words.days(facts.headline.days, facts.headline.kind))
    if service.is_narrow and row["low_share"] >= 0.1:
        some = words.say("at least %(n)s", n=words.num(int(10 * row["low_share"] + 1e-9)))
        return words.rich(
            "Of every 10 requests for this service, [%(some)s were answered in time]%(law)s.", some=some, law=law
        )
    if not row["on_time"]:
        return words.rich("How many requests for this service were answered in time is not shown%(law)s.", law=law)
    late = service.shown.at_least - row["on_time"] - row["unclear"]
    if not late:
        return words.rich(
            "[At least %(on_time)s] requests for this service were answered in time%(law)s.",
            on_time=words.num(row["on_time"]),
            law=law,
        )
    return words.rich(
        "[At least %(on_time)s] requests for this service were answered in time and at least %(late)s late%(law)s.",
        on_time=words.num(row["on_time"]),
        late=words.num(late),
        law=law,
    )


def _proof(service: ServiceFacts, words: Words) -> str:
    if not service.is_told:
        return words.say(
            "Cases shown: fewer than %(n)s. The body's own page counts them in its totals.", n=words.num(FEWEST)
        )
    row = service.on_time
    if not service.shown.not_shown and row["low_share"] == row["high_share"]:
        return words.say(
            "All %(shown)s finished cases of this service are shown; %(share)s of them were answered in time.",
            shown=words.num(service.shown.at_least),
            share=words.pct(row["low_share"]),
        )
    text = words.say(
        "%(shown)s finished cases are shown as of this service; up to %(possible)s more may belong to it.",
        shown=words.num(service.shown.at_least),
        possible=words.num(service.shown.not_shown),
    )
    if not service.is_narrow:
        none = words.say("So many that no share in time is given.")
        return f"{text} {none}"
    share = words.say(
        "Whichever they are, the share in time lies between %(low)s and %(high)s.",
        low=words.pct(row["low_share"]),
        high=words.pct(row["high_share"]),
    )
    return f"{text} {share}"


def _longest(steps: Sequence[Row]) -> Row | None:
    """Give the step that was waited for longest; None where no step took a day or two took equally long."""
    waits = sorted((row["since_previous_median_days"] or 0 for row in steps), reverse=True)
    if not waits or waits[0] < 1 or waits[0] == (waits[1] if len(waits) > 1 else 0):
        return None
    return next(row for row in steps if row["since_previous_median_days"] == waits[0])


def _step(row: Row, released: Released, words: Words, *, is_longest: bool) -> dict[str, Any]:
    days = row["since_start_median_days"]
    return {
        "is_gap": row["is_gap"],
        "title": released.activity(row["activity_code"], lang=words.lang),
        "unit": released.label("unit", row["unit_id"], lang=words.lang) if row["unit_id"] else None,
        "longest": _waited(row["since_previous_median_days"], words) if is_longest else "",
        "days": words.say("day %(n)s", n=words.num(days)) if days is not None else "",
    }


def _waited(days: float, words: Words) -> str:
    return words.say("the longest wait, %(days)s", days=words.median_days(days))
