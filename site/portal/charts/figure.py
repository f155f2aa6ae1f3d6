"""Write a chart as a Plotly figure: a plain dict of lists, without template, calendar axis or locale.

Plotly's own calendars and `fa` locale are never used: categories are labels made in Python. Lists, not arrays, so that a
person can read the JSON.
"""

from __future__ import annotations

from typing import Any

from portal.charts.chart import Chart, Series

COLOURS = {
    "done": "#0b6e69",
    "soft": "#5b9c96",
    "late": "#c26a12",
    "open": "#2b5ea8",
    "open_late": "#c26a12",
    "hidden": "#d9d2c0",
    "plain": "#17222c",
    "faint": "#8a8f94",
}


def to_plotly(chart: Chart) -> dict[str, Any]:
    """Give the figure as a dict that `json.dumps` takes; keys data and layout."""
    categories = [category.replace("\n", " ") for category in chart.categories]
    is_bar = chart.kind == "bar"
    layout: dict[str, Any] = {
        "title": {"text": chart.title},
        "barmode": "stack",
        "showlegend": len(chart.series) > 1,
        "separators": "٫٬" if chart.lang == "fa" else ".,",
    }
    value_axis: dict[str, Any] = {"title": {"text": chart.unit}, "rangemode": "tozero"}
    name_axis: dict[str, Any] = {"type": "category", "categoryarray": categories}
    if is_bar:
        name_axis["autorange"] = "reversed"
        if chart.lang == "fa":
            value_axis["autorange"] = "reversed"
            name_axis["side"] = "right"
    layout |= {"xaxis": value_axis, "yaxis": name_axis} if is_bar else {"xaxis": name_axis, "yaxis": value_axis}
    return {"data": [_trace(chart, series, categories) for series in chart.series], "layout": layout}


def _trace(chart: Chart, series: Series, categories: list[str]) -> dict[str, Any]:
    values = list(series.values)
    colour = COLOURS[series.tone]
    if chart.kind == "bar":
        return {
            "type": "bar",
            "orientation": "h",
            "name": series.label,
            "x": values,
            "y": categories,
            "marker": {"color": colour},
        }
    if chart.kind == "strip":
        return {"type": "bar", "name": series.label, "x": categories, "y": values, "marker": {"color": colour}}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": series.label,
        "x": categories,
        "y": values,
        "line": {"color": colour, "shape": "hv" if chart.kind == "step" else "linear"},
    }
