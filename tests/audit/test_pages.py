"""Pages, figures, files, databases and reports that say more than the tables beside them are seen."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.audit import pages, read_evidence
from etl.audit.counts import Known, of_page
from etl.errors import UncheckedError
from etl.instance import Instance
from etl.model.text import latin_digits
from portal.charts import Chart, Series, to_plotly, to_svg, to_table
from tests.audit.conftest import copy_of, learnt, planted

RELEASE = "datasets/releases/1403-02"
SITE = "public/1403-03"
LINKED = '<p>{text} <a class="fig" href="/data/portal/{query}?body=alef">Count</a></p>'
CHART = Chart(
    kind="bar",
    name="stages",
    title="In which stage",
    text="review 14; decide 30",
    lang="en",
    categories=("review", "decide"),
    series=(Series("surely", (14.0, 30.0), "open", ("14 to 17", "30")),),
    unit="cases",
)
Plant = Callable[[Path], None]


def _write_page(folder: Path, *sentences: str) -> None:
    for lang in ("fa", "en"):
        page = folder / SITE / lang / "body" / "alef" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join(sentences), encoding="utf-8")


def _draw(folder: Path, *charts: Chart, **more: object) -> None:
    """Write a page with drawings and their tables, and its figures as JSON."""
    _write_page(folder, *(f"<figure>{to_svg(chart)}{_table(chart)}</figure>" for chart in charts))
    figures = {"title": "Alef", "charts": {chart.name: to_plotly(chart) for chart in charts}} | more
    for page in (folder / SITE).rglob("*.html"):
        page.with_suffix(".json").write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")


def _table(chart: Chart) -> str:
    table = to_table(chart)
    rows = ["".join(f"<td>{cell}</td>" for cell in row) for row in table.rows]
    head = "".join(f"<th>{cell}</th>" for cell in table.head)
    return f"<table><thead><tr>{head}</tr></thead>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _of(*values: float, **changes: Any) -> Chart:
    """Give the chart with other values in place of its own."""
    names = tuple(f"month {place}" for place in range(len(values)))
    texts = tuple(f"{value:,.0f}" for value in values)
    return replace(CHART, categories=names, series=(Series("surely", values, "open", texts),), **changes)


def _small(text: str, *, k: int = 10, **known: Any) -> list[tuple[int, str]]:
    return list(of_page(latin_digits(text), Known(k, **known), {}))


def _csv_row(folder: Path) -> None:
    path = folder / RELEASE / "margin.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress((text + text.splitlines()[1] + "\n").encode(), mtime=0))


def _csv_cell(folder: Path) -> None:
    path = folder / RELEASE / "case_group.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace(",granted_full,", ",refused_exempt,", 1).encode(), mtime=0))


def _floor(folder: Path) -> None:
    _report(folder, {"floor_count": 4})


def _more(folder: Path) -> None:
    _report(folder, {"refused": {"alef": 2}})


def _report(folder: Path, said: dict[str, object]) -> None:
    path = folder / RELEASE / "report.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | said), encoding="utf-8")


def _sentence(folder: Path) -> None:
    _write_page(folder, LINKED.format(text="۴ درخواست رد شد.", query="outcomes"))


def _in_json(folder: Path) -> None:
    """A page may draw what its figure hides: here the page is clean, and its JSON is not."""
    _draw(folder, CHART)
    for path in (folder / SITE).rglob("index.json"):
        figures = json.loads(path.read_text(encoding="utf-8"))
        figures["charts"]["stages"]["data"][0]["x"][0] = 3
        path.write_text(json.dumps(figures), encoding="utf-8")


def _in_hover_text(folder: Path) -> None:
    _draw(folder, CHART)
    for path in (folder / SITE).rglob("index.json"):
        path.write_text(path.read_text(encoding="utf-8").replace('"30"', '"۳"'), encoding="utf-8")


def _in_drawing(folder: Path) -> None:
    chart = replace(CHART, text="review: 3 cases, decide: 30 cases")
    _draw(folder, chart)


def _in_svg_title(folder: Path) -> None:
    _draw(folder, CHART)
    for path in (folder / SITE).rglob("index.html"):
        page = path.read_text(encoding="utf-8")
        path.write_text(page.replace(">In which stage</title>", ">۳ پرونده در بررسی</title>"), encoding="utf-8")


def _in_svg_text(folder: Path) -> None:
    _draw(folder, CHART)
    for path in (folder / SITE).rglob("index.html"):
        path.write_text(path.read_text(encoding="utf-8").replace(">30</text>", ">3</text>"), encoding="utf-8")


def _label(folder: Path) -> None:
    _write_page(folder, '<div aria-label="3 cases refused"></div>')


def _comment(folder: Path) -> None:
    _write_page(folder, "<!-- 3 cases refused -->")


def _cell(folder: Path) -> None:
    _write_page(
        folder,
        "<table><thead><tr><th>Service</th><th>Refused</th></tr></thead><tr><th>shop</th><td>3</td></tr></table>",
    )


def _line(folder: Path) -> None:
    _write_page(folder, '<ul><li>shop <span class="count">3</span></li></ul>')


def _more_in_figure(folder: Path) -> None:
    _draw(folder, CHART, refused={"alef": 3})


def _more_in_trace(folder: Path) -> None:
    _draw(folder, CHART)
    for path in (folder / SITE).rglob("index.json"):
        path.write_text(path.read_text(encoding="utf-8").replace('"hovertext"', '"customdata"', 1), encoding="utf-8")


def _more_in_document(folder: Path) -> None:
    path = folder / "datasets" / "current.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"refused": 3}), encoding="utf-8")


def _policy(folder: Path) -> None:
    path = folder / RELEASE / "policy.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# 3 cases refused\n", encoding="utf-8")


def _in_database(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(next((folder / "datasets").glob("*.db")))) as connection:
        connection.execute(sql)
        connection.commit()


def _database_row(folder: Path) -> None:
    _in_database(folder, "update case_group set case_count = 3 where not is_floor and body_id = 'be'")


def _database_label(folder: Path) -> None:
    _in_database(folder, "update unit set title_en = 'somebody' where unit_id = 'alef_tech'")


def _database_about(folder: Path) -> None:
    _in_database(folder, "insert into meta values ('note', '3 cases refused')")


def test_a_clean_copy_says_what_the_tables_say(published: Instance, tmp_path: Path) -> None:
    """Files, reports, and pages with small numbers where they may stand."""
    copy = copy_of(published, tmp_path / "copy")
    allowed = [
        LINKED.format(text="4 cases past the limit and still open, of 7 open ones", query="stock"),
        "<p>For 3 of 40 cases the outcome is not shown.</p>",
        "<p>Answered in 3 days; 9% of cases; 40 cases refused</p>",
    ]
    _write_page(copy, *allowed)
    attack = pages.attack(read_evidence(copy), seed=1, attempts=1)
    assert (attack.hit_count, attack.findings) == (0, ())
    assert attack.attempts > 30


@pytest.mark.parametrize(
    ("plant", "slug"),
    [
        (_csv_row, "file_more"),
        (_csv_cell, "file_more"),
        (_floor, "report_more"),
        (_more, "report_more"),
        (_sentence, "small_count"),
        (_in_json, "small_count"),
        (_in_hover_text, "small_count"),
        (_in_drawing, "small_count"),
        (_in_svg_title, "small_count"),
        (_in_svg_text, "small_count"),
        (_label, "small_count"),
        (_comment, "small_count"),
        (_cell, "small_count"),
        (_line, "small_count"),
        (_more_in_figure, "file_more"),
        (_more_in_trace, "file_more"),
        (_more_in_document, "file_more"),
        (_policy, "small_count"),
        (_database_row, "file_more"),
        (_database_label, "file_more"),
        (_database_about, "small_count"),
    ],
)
def test_what_says_more_is_seen(published: Instance, tmp_path: Path, plant: Callable[[Path], None], slug: str) -> None:
    """Wherever a reader can look: files, reports, sentences, drawings and their JSON, labels, documents, the database."""
    copy = copy_of(published, tmp_path / "copy")
    plant(copy)
    assert learnt(pages.attack(read_evidence(copy), seed=1, attempts=1)) == {slug}


def test_clean_figures_are_let_be(published: Instance, tmp_path: Path) -> None:
    """Whole groups, dots of a hundred, days, and the exact months of the body whose page it is."""
    copy = copy_of(published, tmp_path / "copy")
    stock = {"1403-01": 4000, "1403-02": 3, "1403-03": 12}

    def attack(*charts: Chart) -> Any:
        _draw(copy, *charts)
        found = planted(
            read_evidence(copy),
            {"margin": lambda rows: [row | {"open_count": stock[row["month_code"]]} for row in rows]},
        )
        return pages.attack(found, seed=1, attempts=1)

    dots, days = _of(3, 97, name="dots", unit="از صد"), _of(2, 5, name="days", unit="working days")
    clean = attack(CHART, dots, days, _of(4000, 3, 12, name="stock", kind="step"), _of(3, 12, name="two", kind="line"))
    assert (clean.hit_count, clean.findings) == (0, ())
    for values in [(4000, 4, 12), (12, 3, 4000), (3,)]:
        assert learnt(attack(_of(*values, name="stock", kind="step"))) == {"small_count"}
    assert attack(dots).hit_count < attack(replace(dots, unit="")).hit_count  # without a unit they may be cases


@pytest.mark.parametrize("text", ["9 cases refused", "۹ شکایت", "از ۵ نامه", "1 person", "2&nbsp;people"])
def test_small_numbers_are_read_in_both_languages(text: str) -> None:
    """Digits of three scripts, words for cases and for people, with or without a query beside them."""
    assert _small(f"<li><b>{text}</b></li>")
    assert _small(f'<meta content="{text}">')
    assert _small(LINKED.format(text=text, query="outcomes"))
    assert not _small(LINKED.format(text=text, query="monthly_flow"))


@pytest.mark.parametrize("text", ["1 to {} cases", "۱ تا {} پرونده"])
def test_fewer_than_k_may_be_said_as_such(text: str) -> None:
    """The whole range from 1 to k - 1 says only that they are few, one from 0 that none is shown; a narrower one says more."""
    assert not _small(f"<p>{text.format(7).translate({ord('1'): '0', ord('۱'): '۰'})}</p>")
    assert not _small(f"<p>{text.format(9)}</p>")
    assert _small(f"<p>{text.format(8)}</p>")


@pytest.mark.parametrize(
    "text", ["Fewer than 20 cases", "Of every 10 letters, 8", "Of every 100 cases", "از هر ۱۰۰ پرونده"]
)
def test_a_share_is_said_under_any_k(text: str) -> None:
    """With k = 200, too, the first sentence of a page says a ratio, or that all cases are few; a plain count stays a count."""
    said = latin_digits(text)
    assert not list(of_page(f'<meta content="{said}"><p>{said}</p>', Known(200), {}))
    assert list(of_page("<p>Of 10 letters, at least 8</p>", Known(200), {}))
    assert list(of_page("<p>Fewer than 5 cases</p>", Known(200), {}))


def test_the_total_of_a_whole_selection_is_exact() -> None:
    """The column `total` beside the query of outcomes counts all cases, exact by law; the columns beside it do not."""
    table = "<table><thead><tr><th>{}</th></tr></thead><tr><td>3</td></tr></table>"
    beside = LINKED.format(text="", query="outcomes")
    assert not _small(f"<section>{table.format('total')}{beside}</section>")
    assert _small(f"<section>{table.format('at_least')}{beside}</section>")
    assert not _small(f"<section>{table.format('at_most')}{beside}</section>")
    assert _small(f"<section>{table.format('total')}{LINKED.format(text='', query='service_bodies')}</section>")


def test_what_is_shown_of_nobody_is_let_be() -> None:
    """In an answer as the database gives it a row without values is what is not shown; "up to 2 more may be" is a limit."""
    table = (
        "<table{}><thead><tr><th>service_id</th><th>at_least</th></tr></thead><tr><td>{}</td><td>3</td></tr></table>"
    )
    raw = ' class="raw"'
    assert not _small(table.format(raw, "<code></code>"))
    assert _small(table.format(raw, "<code>shop</code>"))
    assert _small(table.format("", ""))
    assert not _small("<p>38 پرونده نشان داده شده و تا ۲ پروندهٔ دیگر هم شاید از همین خدمت باشد</p>")
    assert _small("<p>3 پرونده نشان داده شده و تا ۲ پروندهٔ دیگر هم شاید از همین خدمت باشد</p>")


def test_a_cell_is_explained_by_its_head_or_its_query() -> None:
    """Days, rungs and what is not shown are no cases; neither is anything beside the query of an exact count."""
    table = "<table><thead><tr><th>Unit</th><th>{}</th></tr></thead><tr><th>{}</th><td>{}</td></tr></table>"
    assert _small(table.format("Cases", "shop", "3"))
    assert _small(table.format("Cases", "shop", "3 to 1,200"))
    assert not _small(table.format("Cases", "shop", "3,000"))
    assert _small("<table><tr><th>shop</th><td>3</td></tr></table>")
    assert not _small(table.format("Cases", "shop", "12 to 15"))
    assert not _small(table.format("days for half", "shop", "3"))
    assert not _small(table.format("Cases", "not shown", "3"))
    assert not _small(f"<section>{table.format('Cases', 'shop', '3')}{LINKED.format(text='', query='stock')}</section>")
    assert _small(
        f"<section>{LINKED.format(text='', query='stock')}</section><section>{table.format('n', 'shop', '3')}"
    )


def test_a_name_is_no_number() -> None:
    """A step that a source calls "08_005 request complete", one called "Send 2 letters", and one that is called 7."""
    page = "<li>08_005 request complete day 35</li><li>Send 2 letters day 4</li><li>7</li>"
    assert _small(page) == [(2, "Send 2 letters day 4"), (7, "7")]
    assert not _small(page, names=["Send 2 letters"], numbers=["7"])
    assert _small("<p>7 cases refused</p><table><tr><th>7</th><td>7</td></tr></table>", numbers=["7"]) == [
        (7, "7 cases refused"),
        (7, "7"),
    ]


@pytest.mark.parametrize("name", ["public/1403-03/fa/body/alef/index.json", "datasets/current.json"])
def test_what_cannot_be_read_is_not_passed(published: Instance, tmp_path: Path, name: str) -> None:
    """A torn document is neither clean nor a hit."""
    copy = copy_of(published, tmp_path / "copy")
    _draw(copy, CHART)
    path = copy / name
    path.write_text('{"release', encoding="utf-8")
    with pytest.raises(UncheckedError):
        pages.attack(read_evidence(copy), seed=1, attempts=1)
