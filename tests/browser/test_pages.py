"""Every template, in both languages, on a phone and a desk: opens bare, fits, reads, and is accessible."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .conftest import BOTH, PAGES, WIDTHS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("width", WIDTHS),
    pytest.mark.parametrize(("kind", "language"), PAGES),
]
EXPECTED_STATUS = {"nothing": 404, "error": 404}

SPILLED = """() => {
  const wide = document.documentElement.clientWidth;
  const spilled = [...document.querySelectorAll("body *")].filter(e => {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest(".skip, pre, svg")) return false;
    for (let frame = e.parentElement; frame && frame !== document.body; frame = frame.parentElement)
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(frame).overflowX)) return false;
    return box.left < -1 || box.right > wide + 1;
  });
  return {over: document.documentElement.scrollWidth - wide,
          names: spilled.slice(0, 5).map(e => e.tagName + "." + e.className)};
}"""

# A text's box is as tall as its font allows, so its baseline stands for its height.
OUTSIDE = """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  if (!frame.width) return [];
  return [...svg.querySelectorAll("text, rect, line, path, use")].filter(mark => {
    const box = mark.getBoundingClientRect();
    const isText = mark.tagName === "text";
    const top = isText ? frame.top + mark.y.baseVal[0].value * frame.height / svg.viewBox.baseVal.height - 6 : box.top;
    const bottom = isText ? top + 8 : box.bottom;
    return box.width + box.height > 0 && (box.left < frame.left - 1.5 || box.right > frame.right + 1.5
      || top < frame.top - 1.5 || bottom > frame.bottom + 1.5);
  }).map(mark => svg.querySelector("title")?.textContent + ": " + mark.tagName + " " + mark.textContent);
})"""

TOUCHING = """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")].filter(text => text.getBoundingClientRect().width);
  const wrong = [];
  texts.forEach((one, i) => texts.slice(i + 1).forEach(other => {
    const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
    const isSameLine = Math.abs(one.y.baseVal[0].value - other.y.baseVal[0].value) < 6;
    if (isSameLine && a.left < b.right - 0.5 && b.left < a.right - 0.5)
      wrong.push(`${one.textContent} | ${other.textContent}`);
  }));
  return wrong;
})"""

BARS = """() => [...document.querySelectorAll("svg.chart.bar")].filter(svg => svg.querySelector("rect")).map(svg => {
  const frame = svg.getBoundingClientRect();
  const first = svg.querySelector("rect").getBoundingClientRect();
  return {left: first.left - frame.left, right: frame.right - first.right, wide: frame.width};
})"""


def open_page(context, site, kind: str, language: str) -> tuple[Page, list[str]]:
    """Open a page and give it with what went wrong on the way: console errors, failed requests, other hosts."""
    address = site.url(kind, language)
    if address is None:
        pytest.skip(f"this demo has no page of the kind {kind}")
    wrong: list[str] = []
    page = context.new_page()
    expected = EXPECTED_STATUS.get(kind, 200)

    def heed(message):
        is_own_404 = expected == 404 and "404" in message.text
        if message.type in ("error", "warning") and not is_own_404:
            wrong.append(message.text)

    page.on("console", heed)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed {request.url}"))
    page.on(
        "request",
        lambda request: None if request.url.startswith((site.address, "data:")) else wrong.append(request.url),
    )
    answer = page.goto(address, wait_until="load")
    if answer.status != expected:
        wrong.append(f"status {answer.status}")
    return page, wrong


def test_a_page_opens_without_javascript_and_without_an_error(bare, site, kind, language, width):
    """Nothing fails, nothing comes from elsewhere, nothing spills over the side; a demo says that it is one."""
    page, wrong = open_page(bare, site, kind, language)
    assert wrong == []
    assert page.locator(".demo-banner").count() == 1
    assert page.locator("h1").count() == 1
    folder = os.environ.get("SHAFAF_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{kind}.{language}.{width}.png", full_page=True)


def test_a_page_fits_and_is_accessible(scripted, site, kind, language, width):
    """No sideways scrolling; Persian from the right, its bars too; marks lie inside, labels apart; axe has no objection."""
    page, wrong = open_page(scripted, site, kind, language)
    assert wrong == []
    check_layout(page, kind, language)
    assert serious_findings(page) == []


def serious_findings(page: Page) -> list[tuple[str, list[object]]]:
    """Ask axe: WCAG 2 A and AA, and the best practices that it calls serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        (violation["id"], [node["target"] for node in violation["nodes"]][:3])
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def check_layout(page: Page, kind: str, language: str) -> None:
    """Measure boxes: the page, the direction of its text, and the marks of its charts."""
    found = page.evaluate(SPILLED)
    assert found["over"] <= 0, found["names"]
    assert found["names"] == []
    if kind in BOTH:
        return
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("getComputedStyle(document.body).direction") == ("rtl" if language == "fa" else "ltr")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(TOUCHING) == []
    for bar in page.evaluate(BARS):
        near, far = ("right", "left") if language == "fa" else ("left", "right")
        assert bar[near] <= 0.05 * bar["wide"], (kind, language, bar)
        assert bar[far] >= bar[near] - 1
