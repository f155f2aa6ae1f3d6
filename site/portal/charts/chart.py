"""What a chart is, apart from how it is drawn: categories, series with a tone, a title and words for who cannot see it.

Kinds: `bar` (horizontal; a row per category, series stacked along it), `line` and `step` (over time), `strip` (columns of
dots, a hundred in all). Time runs left to right in both languages; bars start at the reading edge. Colour means one thing
and never stands alone: a tone also has a shape or hatch, and the table says it in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from etl.errors import UsageError

KINDS = ("bar", "line", "step", "strip")
TONES = ("done", "soft", "late", "open", "open_late", "hidden", "plain", "faint")


@dataclass(frozen=True)
class Series:
    """Values in the order of the chart's categories (None: no value), with a tone and, for bars, texts to print."""

    label: str
    values: tuple[float | None, ...]
    tone: str
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A dashed line before the category of this index, with its words (the legal limit)."""

    before: int
    label: str


@dataclass(frozen=True)
class Chart:
    """A chart; UsageError where kind, tones or lengths do not fit.

    categories: labels along the axis ("\\n" breaks a line). ticks: which of them are printed (all where empty).
    silent: indexes of categories without any data, marked so. notes: for bars, a few words at the far end of each category's
    line, under `note_heading` in the table. lang: fa or en. digits: how a number is written.
    """

    kind: str
    name: str
    title: str
    text: str
    lang: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    heading: str = ""
    mark: Mark | None = None
    ticks: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    silent_label: str = ""
    notes: tuple[str, ...] = ()
    note_heading: str = ""

    def __post_init__(self) -> None:
        """Check the chart."""
        if self.kind not in KINDS:
            raise _wrong("chart-kind", f"a chart of kind {self.kind!r}", f"one of {', '.join(KINDS)}")
        for series in self.series:
            if series.tone not in TONES:
                raise _wrong("chart-tone", f"the tone {series.tone!r}", f"one of {', '.join(TONES)}")
            if len(series.values) != len(self.categories):
                found = f"{len(series.values)} values for {len(self.categories)} categories"
                raise _wrong("chart-length", found, "a value for each category")
        if len(self.notes) not in (0, len(self.categories)):
            found = f"{len(self.notes)} notes for {len(self.categories)} categories"
            raise _wrong("chart-length", found, "a note for each category")

    @property
    def shown_ticks(self) -> tuple[int, ...]:
        """The indexes of the categories whose labels are printed."""
        return self.ticks or tuple(range(len(self.categories)))


def _wrong(slug: str, found: str, expected: str) -> UsageError:
    return UsageError(slug, found=found, expected=expected, todo="Correct the chart.")
