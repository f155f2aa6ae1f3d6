"""The interactive charts, drawn: each figure of a body's page appears with its title, asked from this site alone."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import LANGUAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # the first one makes the demo

CHARTS = ("strip", "outcomes", "stages", "units", "flow", "stock")
WRAPPED = """() => [...document.querySelectorAll("table.dates td")].filter(cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
}).map(cell => cell.textContent)"""


@pytest.mark.parametrize("width", [360])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn_when_it_is_asked_for(scripted, site, name, language, width):
    """The heading says what it is, the way back leads to its page, and nothing fails or comes from elsewhere."""
    place = "body/shahrdari/index.html"
    figures = json.loads((site.folder / language / place).with_suffix(".json").read_text(encoding="utf-8"))["charts"]
    page, wrong = scripted.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(site.address) else wrong.append(asked.url))
    page.goto(f"{site.address}/{language}/chart.html?page={place}&chart={name}")
    page.wait_for_selector("#chart .main-svg", timeout=20_000)
    assert page.locator("#title").inner_text() == figures[name]["layout"]["title"]["text"]
    assert page.locator("#from").get_attribute("href") == place
    assert page.locator("a.twin").get_attribute("href").endswith(f"/chart.html?page={place}&chart={name}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []


@pytest.mark.parametrize("width", [360])
def test_dates_stay_on_one_line_on_a_phone(scripted, site, width):
    """A day, its number and its month are read at once."""
    page = scripted.new_page()
    page.goto(f"{site.address}/fa/letter.html")
    assert page.locator("table.dates td").count() > 0
    assert page.evaluate(WRAPPED) == []
