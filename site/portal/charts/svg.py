"""Write a chart as inline SVG for a page without JavaScript: title, description, real text, same bytes every time.

The drawing is left to right in itself (`direction:ltr`, texts `unicode-bidi:plaintext`, both in site.css): an inherited
rtl would turn `text-anchor` around. Colours and hatches are classes of site.css, so that print and dark paper can change
them. Everything lies inside the viewBox (a test holds it). Units: 320 wide, phone width.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from portal.charts.chart import Chart, Series
from portal.formats import number

WIDTH = 320.0
EDGE = 2.0
DOT = 9.2  # distance of two dots
LANES = 3
ROWS = 15  # dots above one another before a column gets another lane
ROW = 46.0  # a bar with its label
BAR = 15.0
LETTER = 5.8  # a letter of an axis label, on the wide side
VALUE_LETTER = 6.6  # a letter behind a bar
BEHIND = 62.0  # room behind a bar, if its words need no more
PLOT = 118.0  # height of a line chart


@dataclass
class _Drawing:
    """Marks collected from top to bottom; the height grows with them."""

    height: float
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, *, anchor: str = "middle", tone: str = "") -> None:
        css = f' class="{tone}"' if tone else ""
        for i, line in enumerate(words.split("\n")):
            at = f' x="{_n(x)}" y="{_n(y + 12 * i)}" text-anchor="{anchor}"'
            self.parts.append(f"<text{css}{at}>{escape(line)}</text>")

    def line(self, x1: float, y1: float, x2: float, y2: float, tone: str) -> None:
        self.parts.append(f'<line class="{tone}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>')

    def box(self, x: float, y: float, width: float, height: float, tone: str) -> None:
        size = f'width="{_n(width)}" height="{_n(height)}"'
        self.parts.append(f'<rect class="t-{tone}" x="{_n(x)}" y="{_n(y)}" {size}/>')


def to_svg(chart: Chart) -> str:
    """Draw a chart; the caller puts its table beside it."""
    draw = {"strip": _strip, "bar": _bars, "line": _lines, "step": _lines}[chart.kind](chart)
    head = (
        f'<svg class="chart {chart.kind}" viewBox="0 0 {_n(WIDTH)} {_n(draw.height)}" role="img" '
        f'aria-labelledby="{chart.name}-t {chart.name}-d">'
        f'<title id="{chart.name}-t">{escape(chart.title)}</title>'
        f'<desc id="{chart.name}-d">{escape(chart.text)}</desc>'
    )
    return head + "".join(draw.parts) + "</svg>"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _strip(chart: Chart) -> _Drawing:
    columns = [
        [s.tone for s in chart.series for _ in range(int(s.values[i] or 0))] for i in range(len(chart.categories))
    ]
    highest = max((len(column) for column in columns), default=0)
    lanes = max(1, min(LANES, -(-highest // ROWS)))
    rows = -(-highest // lanes)
    step = (WIDTH - 2 * EDGE) / max(len(columns), 1)
    top = 20.0 if chart.mark else 6.0
    floor = top + max(rows, 4) * DOT
    lines = max((category.count("\n") + 1 for category in chart.categories), default=1)
    draw = _Drawing(floor + 8 + 12 * lines)
    for i, column in enumerate(columns):
        middle = EDGE + step * (i + 0.5)
        left = middle - DOT * (lanes - 1) / 2
        dots = [
            f'<use href="#d-{tone}" x="{_n(left + DOT * (j % lanes))}" y="{_n(floor - DOT * (j // lanes) - DOT / 2)}"/>'
            for j, tone in enumerate(column)
        ]
        draw.parts.append("".join(dots))
        draw.text(_inside(middle, chart.categories[i]), floor + 13, chart.categories[i], tone="axis")
    draw.line(EDGE, floor + 2, WIDTH - EDGE, floor + 2, "base")
    if chart.mark and chart.mark.before <= len(columns):
        x = EDGE + step * chart.mark.before
        draw.line(x, 4, x, floor + 2, "limit")
        draw.text(x + 4, 12, chart.mark.label, anchor="start", tone="axis strong")
    return draw


def _inside(middle: float, words: str) -> float:
    """Move the middle of a label so that its longest line stays in the box."""
    half = LETTER * max(len(line) for line in words.split("\n")) / 2
    return min(max(middle, half), WIDTH - half)


def _bars(chart: Chart) -> _Drawing:
    is_single = len(chart.categories) == 1 and not chart.categories[0]
    row = BAR + 14 if is_single else ROW
    draw = _Drawing(row * len(chart.categories) + 2)
    scale = _scale(chart, is_single=is_single)
    for i, category in enumerate(chart.categories):
        y = 2 + row * i
        if not is_single:
            draw.text(*_at(chart, EDGE, y + 12), category, anchor=_edge(chart), tone="name")
        if chart.notes:
            anchor = "start" if chart.lang == "fa" else "end"
            draw.text(*_at(chart, WIDTH - EDGE, y + 12), chart.notes[i], anchor=anchor, tone="axis")
        _bar(draw, chart, i, y=y if is_single else y + 19, scale=scale, thick=is_single)
    return draw


def _scale(chart: Chart, *, is_single: bool) -> float:
    """Give the width of one: as wide as leaves room for every bar's words behind it."""
    scales = []
    for i in range(len(chart.categories)):
        words = " ".join(s.texts[i] for s in chart.series if s.texts)
        room = WIDTH - 2 * EDGE - (0 if is_single else max(BEHIND, 5 + VALUE_LETTER * len(words)))
        total = sum(s.values[i] or 0 for s in chart.series)
        scales += [room / total] if total else []
    return min(scales, default=0.0)


def _bar(draw: _Drawing, chart: Chart, i: int, *, y: float, scale: float, thick: bool) -> None:
    start = EDGE
    height = BAR + 11 if thick else BAR
    for series in chart.series:
        width = max(0.0, (series.values[i] or 0) * scale)
        if not width:
            continue
        gap = 1.0 if thick else 0.0
        drawn = max(1.5, width - gap)
        x = WIDTH - start - drawn if chart.lang == "fa" else start
        draw.box(x, y, drawn, height, series.tone)
        words = series.texts[i] if series.texts else ""
        if thick and words and width >= 30:
            draw.text(x + drawn / 2, y + height / 2 + 4.5, words, tone=f"on-{series.tone}")
        start += width
    if not thick:
        words = " ".join(s.texts[i] for s in chart.series if s.texts)
        draw.text(*_at(chart, start + 5, y + BAR - 3), words, anchor=_edge(chart), tone="value")


def _at(chart: Chart, x: float, y: float) -> tuple[float, float]:
    return (WIDTH - x if chart.lang == "fa" else x), y


def _edge(chart: Chart) -> str:
    return "end" if chart.lang == "fa" else "start"


def _lines(chart: Chart) -> _Drawing:
    highest = max((value for s in chart.series for value in s.values if value is not None), default=0)
    top_value = _nice(highest)
    left = 8.0 + 6.2 * len(number(top_value, chart.lang))
    right, top = WIDTH - 8, 10.0
    floor = top + PLOT
    lines = max((chart.categories[i].count("\n") + 1 for i in chart.shown_ticks), default=1)
    draw = _Drawing(floor + 6 + 12 * lines)
    count = len(chart.categories)
    is_step = chart.kind == "step"  # a stock lasts a whole month, a flow is a point
    step = (right - left) / max(count if is_step else count - 1, 1)
    for i in chart.silent:
        start = max(left, left + step * (i if is_step else i - 0.5))
        draw.box(start, top, min(step, right - start), PLOT, "silent")
    for value in (0.0, top_value / 2, top_value):
        y = floor - PLOT * value / top_value
        draw.line(left, y, right, y, "base" if value == 0 else "grid")
        if value == int(value):
            draw.text(left - 4, y + 4, number(value, chart.lang), anchor="end", tone="axis")
    for series in chart.series:
        draw.parts.append(_path(chart, series, left=left, step=step, floor=floor, unit=PLOT / top_value))
    for i in chart.shown_ticks:
        middle = left + step * (i + 0.5 if is_step else i)
        x = _inside(middle, chart.categories[i])
        draw.line(middle, floor, middle, floor + 3, "base")
        draw.text(x, floor + 14, chart.categories[i], tone="axis")
    return draw


def _path(chart: Chart, series: Series, *, left: float, step: float, floor: float, unit: float) -> str:
    words: list[str] = []
    pen_down = False
    for i, value in enumerate(series.values):
        if value is None:
            pen_down = False
            continue
        x, y = _n(left + step * i), _n(floor - value * unit)
        if pen_down and chart.kind == "step":
            words.append(f"H{x}V{y}")
        else:
            words.append(f"{'L' if pen_down else 'M'}{x} {y}")
        pen_down = True
    if chart.kind == "step" and pen_down:
        words.append(f"H{_n(left + step * len(series.values))}")
    return f'<path class="l-{series.tone}" d="{"".join(words)}"/>'


def _nice(value: float) -> float:
    """Give the next round number above a value, for the top of an axis."""
    if value <= 4:
        return 4.0
    size = 1.0
    while size * 10 < value:
        size *= 10
    return next(size * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10) if size * factor >= value)
