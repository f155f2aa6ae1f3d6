"""The deadline strip: a hundred dots in columns of waiting time, open cases counted; and the cells it is made of.

A dot is a case of a hundred. Left of the dashed line in time, right of it late, then the cases whose days are not shown,
then those still open. Columns past the limit are joined so that a phone can show them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.charts import Chart, Mark, Series
from portal.facts import Facts
from portal.intervals import hundred
from portal.released import Row
from portal.words import Words

BEYOND = 2  # bands kept apart past the limit; the rest is one column
NARROW = 5  # columns of bands where no fixed limit divides them
ROOMY = 7  # columns beside one another with labels on one line
HIDDEN = "hidden"
OPEN = "open"
_TONES = ("done", "late", "plain", "hidden", "open", "open_late")
_TONE_OF = {"on_time": "done", "late": "late", "not_recorded": "plain"}  # a cell without a value is hidden


@dataclass(frozen=True)
class Band:
    """A duration band as its code says it; `last` is None for the open one."""

    code: str
    first: int
    last: int | None


@dataclass(frozen=True)
class Strip:
    """A strip in cells of 100: (column, tone) -> dots; columns are joined bands, then HIDDEN and OPEN."""

    columns: tuple[str, ...]
    labels: tuple[tuple[int, int | None] | str, ...]
    dots: Mapping[tuple[str, str], int]
    limit_before: int | None
    counted: int

    def of(self, tone: str) -> int:
        """Count the dots of a tone."""
        return sum(count for (_, each), count in self.dots.items() if each == tone)


def read_bands(codes: Sequence[str]) -> tuple[Band, ...]:
    """Read bands from their codes.

    >>> read_bands(["00_02", "61_up"])
    (Band(code='00_02', first=0, last=2), Band(code='61_up', first=61, last=None))
    """
    bands = []
    for code in codes:
        first, _, last = code.partition("_")
        bands.append(Band(code, int(first), None if last == "up" else int(last)))
    return tuple(bands)


def make_strip(rows: Sequence[Row], bands: Sequence[Band], facts: Facts, *, stock: Row | None) -> Strip:
    """Share 100 dots among the cells of query `waits` and the waiting and open cases of `stock` (None: not counted)."""
    limit = facts.headline.days if facts.headline and facts.headline.is_fixed else None
    edge = next((i for i, band in enumerate(bands) if limit is not None and band.last == limit), None)
    keep = (edge + 1 + BEYOND) if edge is not None else NARROW
    column_of = {band.code: bands[min(i, keep)].code for i, band in enumerate(bands)}
    columns = tuple(band.code for band in bands[: keep + 1])
    spans = tuple((b.first, b.last if i < keep else None) for i, b in enumerate(bands[: keep + 1]))
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        column = column_of.get(row["duration_band_code"], HIDDEN)
        tone = _TONE_OF.get(row["lateness_code"], "hidden")
        counts[column, tone] = counts.get((column, tone), 0) + row["case_count"]
    if stock is not None:
        counts[HIDDEN, "hidden"] = counts.get((HIDDEN, "hidden"), 0) + stock["awaiting_count"]
        counts[OPEN, "open_late"] = stock["open_overdue_count"]
        counts[OPEN, "open"] = stock["open_count"] - stock["open_overdue_count"]
    has_hidden = any(column == HIDDEN and count for (column, _), count in counts.items())
    has_open = stock is not None and stock["open_count"] > 0
    columns += ((HIDDEN,) if has_hidden else ()) + ((OPEN,) if has_open else ())
    cells = sorted(
        (cell for cell, count in counts.items() if count),
        key=lambda cell: (columns.index(cell[0]), _TONES.index(cell[1])),
    )
    dots = dict(zip(cells, hundred([counts[cell] for cell in cells]), strict=True))
    labels: tuple[tuple[int, int | None] | str, ...] = (*spans, *columns[len(spans) :])
    return Strip(columns, labels, dots, None if edge is None else edge + 1, sum(counts.values()))


def strip_chart(strip: Strip, words: Words, *, name: str, title: str) -> Chart:
    """Turn a strip into its chart."""
    labels = {
        "done": words.say("in time"),
        "late": words.say("past the limit"),
        "plain": words.say("without a recorded deadline"),
        "hidden": words.say("not shown at this detail"),
        "open": words.say("still open"),
        "open_late": words.say("open past the limit"),
    }
    series = tuple(
        Series(labels[tone], tuple(float(strip.dots.get((column, tone), 0)) for column in strip.columns), tone)
        for tone in _TONES
        if strip.of(tone)
    )
    said = words.say("; ").join(f"{labels[s.tone]} {words.num(strip.of(s.tone))}" for s in series)
    return Chart(
        kind="strip",
        name=name,
        title=title,
        text=words.say("Of a hundred: %(said)s.", said=said),
        lang=words.lang,
        categories=_columns(strip, words),
        series=series,
        unit=words.say("of a hundred"),
        heading=words.say("Days"),
        mark=None if strip.limit_before is None else Mark(strip.limit_before, words.say("legal limit")),
    )


def strip_note(strip: Strip, words: Words) -> str:
    """Explain the column of cases whose days are not shown, where there is one."""
    if HIDDEN not in strip.columns:
        return ""
    return words.say("Cases whose days are not shown stand in a column of their own.")


def _columns(strip: Strip, words: Words) -> tuple[str, ...]:
    labels = [_column(label, words) for label in strip.labels]
    if len(labels) > ROOMY:
        labels = [label if "\n" in label else label.replace(" ", "\n", 1) for label in labels]
    return tuple(labels)


def _column(label: tuple[int, int | None] | str, words: Words) -> str:
    if isinstance(label, str):
        return words.say("days\nhidden") if label == HIDDEN else words.say("open")
    first, last = label
    if last is None:
        return words.say("over\n%(n)s", n=words.num(first - 1))
    if first == last:
        return words.num(last)
    return words.say("%(first)s–%(last)s", first=words.num(first), last=words.num(last))
