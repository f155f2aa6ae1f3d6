"""The interactive chart: on its own page only, from this site only, never with a button that sends data away."""

from __future__ import annotations

import re
from pathlib import Path

from portal.interactive import write_scripts


def test_chart_page_loads_its_scripts_from_the_site(built: Path) -> None:
    """Both scripts stand under a name that holds their hash."""
    page = (built / "fa" / "chart.html").read_text(encoding="utf-8")
    names = re.findall(r'<script src="\.\./static/([\w.-]+)">', page)
    assert [name.partition("-")[0] for name in names] == ["plotly", "chart"]
    assert all((built / "static" / name).is_file() for name in names)


def test_interactive_links_name_the_right_table(built: Path) -> None:
    """The number in a link is the place of its table among the tables of the page."""
    page = (built / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    links = list(re.finditer(r'chart\.html\?page=body/mosharekat/index\.html&amp;kind=time&amp;chart=(\d+)"', page))
    assert len(links) == 2
    for link in links:
        assert page[: link.start()].count('<details class="table">') == int(link[1]) + 1


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
