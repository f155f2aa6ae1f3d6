"""Charts lie inside their box, say in words what they show, and are written as Plotly figures without surprises."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from etl.errors import UsageError
from portal.charts import KINDS, Chart, Mark, Series, to_plotly, to_svg, to_table

NS = "{http://www.w3.org/2000/svg}"


def make(kind: str, *, lang: str = "fa", series: tuple[Series, ...] | None = None, **more: object) -> Chart:
    """Make a chart of a kind with three categories."""
    parts = series or (Series("در مهلت", (30.0, 20.0, 10.0), "done"), Series("دیر", (0.0, 25.0, 15.0), "late"))
    categories = more.pop("categories", ("۰ تا ۲", "۳ تا ۵", "بیش\nاز ۵"))
    return Chart(kind, "c", "عنوان", "شرح", lang, categories, parts, **more)  # type: ignore[arg-type]


def parse(chart: Chart) -> ElementTree.Element:
    """Read the drawing as XML."""
    text = to_svg(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ElementTree.fromstring(text)


def box(svg: ElementTree.Element) -> tuple[float, float]:
    """Give width and height of the viewBox."""
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    return width, height


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_mark_lies_inside_the_box(kind: str, lang: str) -> None:
    """Dots, bars, lines and the anchors of texts lie inside the viewBox."""
    svg = parse(make(kind, lang=lang, mark=Mark(2, "مهلت") if kind == "strip" else None, silent=(1, 2)))
    width, height = box(svg)
    for element in svg.iter():
        pairs = [(element.attrib.get(x), element.attrib.get(y)) for x, y in (("x", "y"), ("x1", "y1"), ("x2", "y2"))]
        for x, y in pairs:
            if x is not None and y is not None:
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height
        if element.tag == f"{NS}rect":
            assert float(element.attrib["x"]) + float(element.attrib["width"]) <= width + 0.2
            assert float(element.attrib["y"]) + float(element.attrib["height"]) <= height


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawing_has_title_and_description(kind: str) -> None:
    """Who cannot see the drawing hears its title and description."""
    svg = parse(make(kind))
    assert svg.attrib["role"] == "img"
    assert [svg.find(f"{NS}{tag}").text for tag in ("title", "desc")] == ["عنوان", "شرح"]  # type: ignore[union-attr]


def test_strip_draws_one_mark_a_dot() -> None:
    """A strip of a hundred has a hundred dots, each with the tone of its series."""
    svg = parse(make("strip"))
    dots = [use.attrib["href"] for use in svg.iter(f"{NS}use")]
    assert len(dots) == 100
    assert dots.count("#d-late") == 40


@pytest.mark.parametrize("counts", [(100.0, 0.0, 0.0), (34.0, 33.0, 33.0)])
def test_dots_never_overlap(counts: tuple[float, ...]) -> None:
    """However high a column, its dots stand apart and above the axis."""
    svg = parse(make("strip", series=(Series("a", counts, "done"),)))
    places = [(float(u.attrib["x"]), float(u.attrib["y"])) for u in svg.iter(f"{NS}use")]
    assert len(set(places)) == len(places)
    assert min(y for _, y in places) >= 4


def test_limit_stands_between_in_time_and_late() -> None:
    """The dashed line is right of the last column in time, in Persian too: time runs left to right."""
    svg = parse(make("strip", mark=Mark(2, "مهلت")))
    line = next(e for e in svg.iter(f"{NS}line") if e.attrib["class"] == "limit")
    middles = [float(t.attrib["x"]) for t in svg.iter(f"{NS}text") if t.attrib.get("class") == "axis"]
    assert middles[1] < float(line.attrib["x1"]) < middles[2]


def test_bars_start_at_the_reading_edge() -> None:
    """In Persian bars grow from the right, in English from the left."""
    first = {lang: next(parse(make("bar", lang=lang)).iter(f"{NS}rect")).attrib for lang in ("fa", "en")}
    assert float(first["en"]["x"]) == 2
    assert float(first["fa"]["x"]) + float(first["fa"]["width"]) == pytest.approx(318, abs=0.2)


def test_gap_in_a_line_stays_a_gap() -> None:
    """A month without data is not bridged."""
    path = next(parse(make("line", series=(Series("a", (1.0, None, 2.0), "done"),))).iter(f"{NS}path")).attrib["d"]
    assert path.count("M") == 2
    assert "L" not in path


def test_step_never_slopes() -> None:
    """A stock changes at once: steps are horizontal and vertical only."""
    path = next(parse(make("step")).iter(f"{NS}path")).attrib["d"]
    assert re.fullmatch(r"M[\d.]+ [\d.]+(H[\d.]+V[\d.]+)+H[\d.]+", path)


def test_labels_are_escaped() -> None:
    """A source's name may hold markup; the drawing stays well-formed."""
    svg = parse(make("bar", categories=("<b>&", "b", "c")))
    assert any(text.text == "<b>&" for text in svg.iter(f"{NS}text"))


def test_unknown_kind_is_an_error() -> None:
    """A chart that has no static form cannot exist."""
    with pytest.raises(UsageError, match="pie"):
        make("pie")


def test_series_must_fit_the_categories() -> None:
    """A missing value is None, not a shorter series."""
    with pytest.raises(UsageError, match="2 values for 3"):
        make("line", series=(Series("a", (1.0, 2.0), "done"),))


@pytest.mark.parametrize("kind", KINDS)
def test_figure_is_plain_json_of_lists(kind: str) -> None:
    """Plotly gets lists, no template, no calendar, no base64 arrays."""
    figure = to_plotly(make(kind))
    text = json.dumps(figure)
    assert "template" not in figure["layout"]
    assert "calendar" not in text
    assert "bdata" not in text
    assert isinstance(figure["data"][0]["x"], list)


def test_figure_of_a_persian_bar_is_mirrored() -> None:
    """Value axis reversed, names at the right."""
    layout = to_plotly(make("bar"))["layout"]
    assert layout["xaxis"]["autorange"] == "reversed"
    assert layout["yaxis"]["side"] == "right"
    assert "side" not in to_plotly(make("bar", lang="en"))["layout"]["yaxis"]


def test_figure_keeps_the_legal_limit_and_says_more_than_colour() -> None:
    """The limit is a line between the same columns; what is hidden or open has a pattern too."""
    hidden = Series("پنهان", (1.0, 1.0, 1.0), "hidden")
    figure = to_plotly(make("strip", series=(hidden,), mark=Mark(2, "مهلت")))
    assert figure["layout"]["shapes"][0]["x0"] == 1.5
    assert figure["layout"]["annotations"][0]["text"] == "مهلت"
    assert figure["data"][0]["marker"]["pattern"]["shape"]


def test_two_rows_of_one_name_stay_two() -> None:
    """Plotly joins equal categories; two units of one name must not be added up."""
    figure = to_plotly(make("bar", categories=("حقوقی", "حقوقی", "ثبت")))
    assert len(set(figure["data"][0]["y"])) == 3


def test_same_chart_gives_same_bytes() -> None:
    """Nothing in a drawing depends on chance or time."""
    assert to_svg(make("strip")) == to_svg(make("strip"))


def test_table_holds_every_value() -> None:
    """A row per category, a column per series, in the digits of the language."""
    table = to_table(make("strip"))
    assert table.rows[1] == ("۳ تا ۵", "۲۰", "۲۵")
    assert table.rows[2][0] == "بیش از ۵"


def test_bars_of_one_part_are_one_column() -> None:
    """The longest bar has a tone of its own, but the table has one column of days."""
    parts = (
        Series("a", (9.0, 0.0, 0.0), "late", ("۹ روز", "", "")),
        Series("b", (0.0, 2.0, 1.0), "done", ("", "۲ روز", "۱ روز")),
    )
    table = to_table(make("bar", series=parts))
    assert [row[1] for row in table.rows] == ["۹ روز", "۲ روز", "۱ روز"]


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_words_behind_a_bar_have_room(lang: str) -> None:
    """However long the words, they end inside the drawing, behind the longest bar too."""
    words = "11,425 to 11,447 cases"
    svg = parse(make("bar", lang=lang, series=(Series("a", (9.0, 3.0, 1.0), "open", (words, "3", "1")),)))
    at = next(float(text.attrib["x"]) for text in svg.iter(f"{NS}text") if text.text == words)
    room = at if lang == "fa" else box(svg)[0] - at
    assert room >= 5.8 * len(words)  # a letter in a phone's type


def test_a_note_stands_at_the_far_end_and_in_the_table() -> None:
    """A bar's note is read across from its name, has a column of its own, and is told in the interactive form."""
    part = Series("a", (9.0, 3.0, 1.0), "plain", ("9", "3", "1"))
    chart = make("bar", lang="en", series=(part,), notes=("20 to 49", "50 to 99", "200 or more"), note_heading="people")
    notes = [text for text in parse(chart).iter(f"{NS}text") if text.text == "200 or more"]
    assert [text.attrib["text-anchor"] for text in notes] == ["end"]
    assert to_table(chart).head[-1] == "people"
    assert [row[-1] for row in to_table(chart).rows] == ["20 to 49", "50 to 99", "200 or more"]
    assert "people: 200 or more" in json.dumps(to_plotly(chart))
    with pytest.raises(UsageError, match="1 notes for 3"):
        make("bar", series=(part,), notes=("one",))
