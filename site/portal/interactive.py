"""Interactive charts, only for who asks: plotly.js from the installed wheel, our own small script, and a page's figures.

No page loads the scripts but `chart.html`. It fetches the figures that `to_plotly` wrote beside the page it was asked from
(`index.json` beside `index.html`): every chart of a page, defined once, in both forms. plotly.js comes as the wheel ships
it (MIT licence, 4.8 MB), by hash, never from another host.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from portal.charts import Chart, to_plotly

SCRIPTS = {"plotly": ("plotly", "package_data/plotly.min.js"), "chart": ("portal", "templates/chart.js")}
_DIGITS = 12


def write_scripts(static: Path) -> dict[str, str]:
    """Write both scripts into the folder under names that hold their hash; give name -> file name."""
    written = {}
    for name, (package, inner) in SCRIPTS.items():
        content = files(package).joinpath(*inner.split("/")).read_bytes()
        written[name] = f"{name}-{sha256(content).hexdigest()[:_DIGITS]}.js"
        (static / written[name]).write_bytes(content)
    return written


def write_figures(page: Path, charts: Sequence[Chart], *, title: str) -> None:
    """Write the figures of a page's charts beside it, by name; a page without charts gets no file."""
    if charts:
        figures = {"title": title, "charts": {chart.name: to_plotly(chart) for chart in charts}}
        page.with_suffix(".json").write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")
