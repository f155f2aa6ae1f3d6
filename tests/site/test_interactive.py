"""The interactive chart: on its own page only, from this site only, never with a button that sends data away."""

from __future__ import annotations

import json
import re
from pathlib import Path

from portal.interactive import write_scripts


def test_chart_page_loads_its_scripts_from_the_site(built: Path) -> None:
    """Both scripts stand under a name that holds their hash."""
    page = (built / "fa" / "chart.html").read_text(encoding="utf-8")
    names = re.findall(r'<script src="\.\./static/([\w.-]+)">', page)
    assert [name.partition("-")[0] for name in names] == ["plotly", "chart"]
    assert all((built / "static" / name).is_file() for name in names)


def test_every_drawing_of_every_page_has_its_figure(built: Path) -> None:
    """Each drawing has a link to its interactive form, and the figure that the link names is there."""
    seen: set[str] = set()
    for page in sorted(built.glob("*/**/*.html")):
        text = page.read_text(encoding="utf-8")
        drawn = set(re.findall(r'<svg class="chart[^>]*aria-labelledby="(\w+)-t', text))
        linked = set(re.findall(r'chart\.html\?page=([\w/.-]+)&amp;chart=(\w+)"', text))
        here = page.relative_to(built).as_posix().partition("/")[2]
        assert linked == {(here, name) for name in drawn}, page
        if drawn:
            assert set(json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["charts"]) == drawn
        seen |= drawn
    assert seen == {
        "strip",
        "outcomes",
        "stages",
        "units",
        "flow",
        "stock",
        "cohort",
        "ages",
        "waiting_stages",
        "unit_times",
    }


def test_figures_speak_the_language_of_their_page(built: Path) -> None:
    """Marks and hover texts of a Persian figure hold no Latin digit; its title is that of the body."""
    page = json.loads((built / "fa" / "body" / "mosharekat" / "index.json").read_text(encoding="utf-8"))
    flow = page["charts"]["flow"]
    told = flow["layout"]["yaxis"]["ticktext"] + flow["data"][0]["hovertext"] + flow["data"][0]["x"]
    assert told
    assert not re.search("[0-9]", "".join(told))
    assert re.search("[آ-ی]", page["title"])


def test_nothing_can_be_sent_away(built: Path) -> None:
    """The button of plotly.js that uploads a chart is off, and so is its mark."""
    [script] = (built / "static").glob("chart-*.js")
    text = script.read_text(encoding="utf-8")
    assert "showSendToCloud: false" in text
    assert "displaylogo: false" in text
    assert "http" not in text


def test_scripts_keep_their_names_while_they_stay_the_same(tmp_path: Path) -> None:
    """Two builds give the same names and bytes, so that a browser's copy stays good."""
    assert write_scripts(tmp_path) == write_scripts(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
