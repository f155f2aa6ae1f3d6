"""Write a chart as a Plotly figure: a plain dict of lists, without template, calendar axis or locale.

Plotly's own calendars and `fa` locale are never used: categories, ticks and hover texts are words made in Python, so that
the figure says the same as the drawing and its table. Lists, not arrays, so that a person can read the JSON.
"""

from __future__ import annotations

from typing import Any

from portal.charts.chart import Chart, Mark, Series
from portal.formats import number

COLOURS = {
    "done": "#0b6e69",
    "soft": "#8cc0bb",
    "late": "#c26a12",
    "open": "#2b5ea8",
    "open_late": "#c26a12",
    "hidden": "#94896d",
    "plain": "#b4bcc4",
    "faint": "#d7dbdf",
}
_PATTERNS = {"hidden": "/", "open": ".", "open_late": "x"}  # not by colour alone
_PAPER = "#f6f3ea"
_INK = "#17222c"


def to_plotly(chart: Chart) -> dict[str, Any]:
    """Give the figure as a dict that `json.dumps` takes; keys data and layout."""
    categories = _names(chart)
    is_bar = chart.kind == "bar"
    layout: dict[str, Any] = {
        "title": {"text": chart.title},
        "barmode": "stack",
        "showlegend": len(chart.series) > 1 and not _is_one_a_row(chart),
        "separators": "٫٬" if chart.lang == "fa" else ".,",
    }
    value_axis = _value_axis(chart)
    name_axis: dict[str, Any] = {"type": "category", "categoryarray": categories, "automargin": True}
    if is_bar:
        name_axis["autorange"] = "reversed"
        if chart.lang == "fa":
            value_axis["autorange"] = "reversed"
            name_axis["side"] = "right"
    elif chart.ticks:
        name_axis["tickvals"] = [categories[i] for i in chart.ticks]
    layout |= {"xaxis": value_axis, "yaxis": name_axis} if is_bar else {"xaxis": name_axis, "yaxis": value_axis}
    if chart.mark is not None:
        layout |= _limit(chart.mark)
    return {"data": [_trace(chart, series, categories) for series in chart.series], "layout": layout}


def _names(chart: Chart) -> list[str]:
    """Give the categories as one-line texts that differ, or Plotly would draw two rows of one name as one."""
    names: list[str] = []
    for category in chart.categories:
        name = category.replace("\n", " ")
        while name in names:
            name += "\u200b"
        names.append(name)
    return names


def _is_one_a_row(chart: Chart) -> bool:
    """Say whether each bar has one part, so that the parts' names say nothing that the row does not."""
    return chart.kind == "bar" and len(chart.categories) > 1


def _value_axis(chart: Chart) -> dict[str, Any]:
    totals = [sum(s.values[i] or 0 for s in chart.series) for i in range(len(chart.categories))]
    single = [value or 0 for s in chart.series for value in s.values]
    values = _steps(max(single if chart.kind in ("line", "step") else totals, default=0))
    return {
        "title": {"text": chart.unit},
        "rangemode": "tozero",
        "tickvals": values,
        "ticktext": [number(value, chart.lang) for value in values],
    }


def _steps(highest: float) -> list[float]:
    """Give about five marks of an axis, at 1, 2 or 5 times a power of ten."""
    size = 1.0
    while size * 50 <= highest:
        size *= 10
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor * 6 >= highest)
    return [step * i for i in range(int(highest / step) + 2)]


def _limit(mark: Mark) -> dict[str, Any]:
    at = mark.before - 0.5
    line = {"color": _INK, "width": 1.5, "dash": "dash"}
    return {
        "shapes": [{"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": line}],
        "annotations": [
            {"x": at, "y": 1, "xref": "x", "yref": "paper", "text": mark.label, "showarrow": False, "yanchor": "bottom"}
        ],
    }


def _trace(chart: Chart, series: Series, categories: list[str]) -> dict[str, Any]:
    colour = COLOURS[series.tone]
    texts = series.texts or tuple(number(v, chart.lang) if v is not None else "" for v in series.values)
    if chart.notes:
        texts = tuple(f"{text} ({chart.note_heading}: {note})" for text, note in zip(texts, chart.notes, strict=True))
    told = "%{hovertext}<extra></extra>" if _is_one_a_row(chart) else "%{hovertext} %{fullData.name}<extra></extra>"
    shared = {"name": series.label, "hovertext": list(texts), "hovertemplate": told}
    values: list[float | None] = list(series.values)
    if chart.kind in ("bar", "strip"):
        is_bar = chart.kind == "bar"
        if is_bar:
            values = [value or None for value in values]
        marker: dict[str, Any] = {"color": colour}
        if series.tone in _PATTERNS:
            marker["pattern"] = {"shape": _PATTERNS[series.tone], "fgcolor": colour, "bgcolor": _PAPER}
        along = {"orientation": "h", "x": values, "y": categories} if is_bar else {"x": categories, "y": values}
        return shared | along | {"type": "bar", "marker": marker}
    line = {"color": colour, "shape": "hv" if chart.kind == "step" else "linear"}
    if series.tone == "plain":
        line |= {"color": _INK, "dash": "dash"}
    return shared | {"type": "scatter", "mode": "lines+markers", "x": categories, "y": values, "line": line}
