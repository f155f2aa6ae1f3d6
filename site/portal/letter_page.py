"""The page "my letter": how to follow a letter, when an answer is due, whom to turn to. It looks up no letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.due_dates import DueDate
from portal.facts import Facts, Limit
from portal.words import Words


def letter_values(due: Sequence[DueDate], words: Words, facts: Facts) -> dict[str, Any]:
    """Give what template `letter.html` needs."""
    law = facts.law if facts.law and facts.law.is_fixed else None
    return {
        "due": due,
        "due_note": due_note(words, facts),
        "limits": limit_words(words, facts),
        "has_law": law is not None,
        "law_head": words.say("By the Act (%(days)s)", days=words.days(law.days, law.kind)) if law else "",
    }


def limit_words(words: Words, facts: Facts) -> list[str]:
    """Say each legal limit in a sentence."""
    said = []
    for limit, source in ((facts.headline, "bylaw"), (facts.law, "law")):
        if limit is None:
            continue
        if not limit.is_fixed:
            said.append(words.say("Each case is measured against the date by which the body had to answer it."))
            continue
        start = words.say("from registration") if limit.start == "registered" else words.say("from receipt")
        days = words.days(limit.days, limit.kind)
        if facts.is_iran and source == "bylaw":
            text = words.say("%(days)s %(start)s (executive bylaw of the Act, Art. 8)", days=days, start=start)
        elif facts.is_iran:
            text = words.say("%(days)s %(start)s (the Act, Art. 8)", days=days, start=start)
        else:
            text = words.say("%(days)s %(start)s", days=days, start=start)
        said.append(text)
    return said


def due_note(words: Words, facts: Facts) -> str:
    """Say how the table of due dates counts."""
    limit: Limit | None = facts.headline
    if limit is None or not limit.is_fixed:
        return ""
    return (
        words.say(
            "%(days)s after the day of registration, holidays left out; for the 30 working days up to the next release.",
            days=words.days(limit.days, limit.kind),
        )
        if limit.kind == "working"
        else words.say(
            "%(days)s after the day of registration; for the 30 working days up to the next release.",
            days=words.days(limit.days, limit.kind),
        )
    )
