"""Write a chart as a table: the form that everybody can read, that prints, and that a screen reader walks."""

from __future__ import annotations

from dataclasses import dataclass

from portal.charts.chart import Chart
from portal.formats import number


@dataclass(frozen=True)
class ChartTable:
    """Head and rows of texts; `has_names`: the first cell of a row is its category."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_names: bool


def to_table(chart: Chart) -> ChartTable:
    """Give the table of a chart; bars of which each has one part become one column."""
    has_names = len(chart.categories) > 1
    cells: list[tuple[str, ...]]
    if chart.kind == "bar" and has_names:
        cells = [(" ".join(s.texts[i] for s in chart.series if s.texts).strip(),) for i in range(len(chart.categories))]
        head: tuple[str, ...] = (chart.unit,)
        if chart.notes:
            cells = [(*cell, note) for cell, note in zip(cells, chart.notes, strict=True)]
            head = (chart.unit, chart.note_heading)
    else:
        cells = [_cells(chart, i) for i in range(len(chart.categories))]
        head = tuple(series.label for series in chart.series)
    if not has_names:
        return ChartTable(head, tuple(cells), has_names)
    names = [category.replace("\n", " ") for category in chart.categories]
    rows = tuple((name, *row) for name, row in zip(names, cells, strict=True))
    return ChartTable((chart.heading, *head), rows, has_names)


def _cells(chart: Chart, i: int) -> tuple[str, ...]:
    return tuple(s.texts[i] if s.texts else number(s.values[i], chart.lang) for s in chart.series)
