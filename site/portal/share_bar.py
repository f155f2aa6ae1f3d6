"""One bar of all cases of a scope, cut into known shares; its hatched end is what is not shown (CONTRACT "Intervals")."""

from __future__ import annotations

from collections.abc import Iterable

from portal.charts import Chart, Series
from portal.intervals import Interval
from portal.words import Words


def share_bar(
    name: str, shares: Iterable[tuple[str, str, Interval]], *, hidden: float, title: str, heading: str, words: Words
) -> Chart:
    """Draw shares (label, tone, share), each at its lower end; hidden: the part of all cases that is not shown, 0 to 1."""
    series = [Series(label, (100 * share.low,), tone, (words.pct(share.low),)) for label, tone, share in shares]
    if hidden > 0:
        series.append(Series(words.say("not shown at this detail"), (100 * hidden,), "hidden", (words.pct(hidden),)))
    said = words.say("; ").join(f"{each.label} {each.texts[0]}" for each in series)
    return Chart(
        kind="bar",
        name=name,
        title=title,
        text=said,
        lang=words.lang,
        categories=("",),
        series=tuple(series),
        unit="٪" if words.lang == "fa" else "%",
        heading=heading,
    )
