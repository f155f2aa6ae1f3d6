"""Charts: defined once, written twice (inline SVG at build time, Plotly figure JSON on demand)."""

from portal.charts.chart import KINDS, Chart, Mark, Series
from portal.charts.figure import to_plotly
from portal.charts.svg import to_svg
from portal.charts.table import ChartTable, to_table

__all__ = ["KINDS", "Chart", "ChartTable", "Mark", "Series", "to_plotly", "to_svg", "to_table"]
