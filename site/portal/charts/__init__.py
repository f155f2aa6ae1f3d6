"""Charts: defined once, written twice (inline SVG at build time, Plotly figure JSON on demand)."""

from portal.charts.chart import KINDS, Chart, Mark, Series
from portal.charts.figure import to_plotly
from portal.charts.svg import to_svg

__all__ = ["KINDS", "Chart", "Mark", "Series", "to_plotly", "to_svg"]
