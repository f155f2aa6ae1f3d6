"""The built site: twins, links, weight, words, numbers with their queries, nothing private, and a whole or no switch."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from etl.errors import ReleaseError
from etl.instance import Instance
from etl.metadata import load_dictionary
from portal import build_site
from portal.catalogue import load_queries
from tests.site.maker import make_released

WEIGHT = 100_000  # bytes of a page with its style sheet
VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "rect", "circle", "line"}


class Reader(HTMLParser):
    """Collects links, ids, headings and texts of a page."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its links."""
        named = dict(attrs)
        self.tags.append(tag)
        for name in ("href", "src", "action"):
            if named.get(name):
                self.links.append(str(named[name]))
        if named.get("id"):
            self.ids.append(str(named["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags close in order."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text that people read."""
        if not set(self.open) & {"style", "script", "pre", "code"}:
            self.text.append(data)


def read(path: Path) -> Reader:
    """Read a page."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def pages(built: Path) -> Iterator[Path]:
    """Give every page in either language."""
    for lang in ("fa", "en"):
        yield from sorted((built / lang).rglob("*.html"))


def test_both_languages_have_the_same_pages(built: Path) -> None:
    """English is the same site, not a translation bolted on."""
    listed = {lang: {p.relative_to(built / lang) for p in (built / lang).rglob("*.html")} for lang in ("fa", "en")}
    assert listed["fa"] == listed["en"]
    assert len(listed["fa"]) >= 12


def test_every_link_inside_the_site_resolves(built: Path) -> None:
    """Relative links lead to a file, fragments to an id; the only page made by the server is find."""
    for path in pages(built):
        reader = read(path)
        for link in reader.links:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("/"):
                continue
            if not parts.path:
                assert parts.fragment in reader.ids, (path, link)
                continue
            target = (path.parent / parts.path).resolve()
            assert target.is_file() or target.name == "find", (path, link)


def test_nothing_is_loaded_from_elsewhere(built: Path) -> None:
    """No address of another host, no script."""
    for path in pages(built):
        text = path.read_text(encoding="utf-8")
        reader = read(path)
        assert ("script" in reader.tags) == (path.name == "chart.html"), path
        assert not [link for link in reader.links if urlsplit(link).scheme or urlsplit(link).netloc]
        assert "url(http" not in text


def test_every_query_link_names_a_query_and_its_release(built: Path) -> None:
    """A number leads to a named query with all its parameters."""
    seen = set()
    for path in pages(built):
        for link in read(path).links:
            parts = urlsplit(link)
            if parts.path.startswith("/data/portal/") and parts.query:
                query = load_queries()[parts.path.removeprefix("/data/portal/")]
                assert set(parse_qs(parts.query, keep_blank_values=True)) == set(query.parameters), link
                seen.add(query.name)
    assert {"on_time", "waits", "outcomes", "stock", "monthly_flow", "stage_days", "service_on_time"} <= seen


def test_every_page_is_light(built: Path) -> None:
    """A page with its style sheet stays below 100 KB."""
    style = (built / "static" / "site.css").stat().st_size
    for path in pages(built):
        assert path.stat().st_size + style < WEIGHT, path


def test_headings_go_down_one_level_at_a_time(built: Path) -> None:
    """One h1 a page, no level skipped."""
    for path in pages(built):
        levels = read(path).headings
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), path


def test_a_link_that_is_shared_says_what_it_leads_to(built: Path) -> None:
    """Title and description as search engines show them, in the language of the page."""
    for path in pages(built):
        text = path.read_text(encoding="utf-8")
        told = dict(
            re.findall(r'<meta (?:property|name)="(?:og:)?(title|description|locale)" content="([^"]*)">', text)
        )
        assert f"<title>{told['title']} · " in text
        assert told["description"]
        assert told["locale"][:2] == path.relative_to(built).parts[0]
        assert f'<meta name="description" content="{told["description"]}">' in text


def test_every_body_of_the_list_says_how_many_cases(built: Path) -> None:
    """A share without its number says nothing of its weight; the number leads to its count."""
    text = (built / "en" / "index.html").read_text(encoding="utf-8")
    listed = text[text.index('id="bodies"') :]
    told = re.findall(
        r'<span class="sep">·</span> <a class="fig" href="/data/portal/on_time\?[^>]*>([\d,]+) cases<', listed
    )
    assert len(told) == 2


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("said", [r"<title>(.*?)</title>", r'<meta name="description" content="(.*?)">'])
def test_no_two_pages_are_told_alike(built: Path, lang: str, said: str) -> None:
    """Title and description tell the pages of a search engine's list, and a row of tabs, from one another."""
    found = [re.search(said, path.read_text(encoding="utf-8")) for path in sorted((built / lang).rglob("*.html"))]
    texts = [each[1] for each in found if each]
    assert len(texts) == len(found)
    assert sorted(texts) == sorted(set(texts))


def test_ids_are_unique_on_a_page(built: Path) -> None:
    """Labels of drawings lead to one element."""
    for path in pages(built):
        ids = read(path).ids
        assert len(ids) == len(set(ids)), path


def test_every_drawing_has_its_table(built: Path) -> None:
    """The figures of a drawing stand in a table beside it."""
    for path in pages(built):
        text = path.read_text(encoding="utf-8")
        assert text.count('<svg class="chart') == text.count('<details class="table"'), path


def test_persian_pages_have_persian_digits_only(built: Path) -> None:
    """Latin digits stand in file names, codes and names of standards only."""
    allowed = re.compile(r"CC-BY-4\.0|SHA-256|UTF-8|sha256sum|[\w.]+\.(gz|json|db|parquet|csv)|\b[a-z_]+_\w+\b")
    for path in sorted((built / "fa").rglob("*.html")):
        text = allowed.sub("", " ".join(read(path).text))
        assert not re.search("[0-9]", text), (path, re.findall(".{20}[0-9].{10}", text)[:3])


def test_persian_pages_run_right_to_left(built: Path) -> None:
    """Direction and language are declared on the document."""
    assert '<html lang="fa" dir="rtl">' in (built / "fa" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="en" dir="ltr">' in (built / "en" / "index.html").read_text(encoding="utf-8")


def test_page_sentence_is_at_least_and_counts_open_cases(built: Path) -> None:
    """The headline never states a share of the known rows alone."""
    text = (built / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    assert re.search(r"<em>at least \d+ were answered", text)
    assert "open ones counted" in text


def test_wide_share_is_told_as_a_range(built: Path) -> None:
    """Every outcome of the legend is a range where something is not shown."""
    text = (built / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    legend = re.search(r'<ul class="legend wide">(.*?)</ul>', text, re.S)
    assert legend is not None
    assert all(" to " in line for line in re.findall(r"<b>(.*?)</b>", legend[1], re.S))


def test_silent_months_are_named(built: Path) -> None:
    """A body that fell silent is said to have been silent, and when."""
    text = (built / "en" / "body" / "archive" / "index.html").read_text(encoding="utf-8")
    assert "Silent: no case came in or went out in Ordibehesht 1405, Khordad 1405." in text


def test_service_that_is_never_shown_says_so(built: Path) -> None:
    """No share is made up for a service too small to show."""
    text = (built / "en" / "service" / "rare.html").read_text(encoding="utf-8")
    assert "Too few cases are shown" in text
    assert "%" not in re.sub(r"<[^>]+>", "", text)


def test_foreign_name_is_isolated_and_escaped(built: Path) -> None:
    """A body known only by its Portuguese name keeps its language."""
    text = (built / "fa" / "index.html").read_text(encoding="utf-8")
    assert '<bdi lang="pt" dir="auto">Arquivo &amp; Memória</bdi>' in text


def test_rules_show_both_results(built: Path) -> None:
    """Each of the six rules has a wrong and a right query with its result."""
    text = (built / "en" / "data.html").read_text(encoding="utf-8")
    assert text.count('<div class="wrong">') == text.count('<div class="right">') == 6


def test_root_offers_both_languages_without_script(built: Path) -> None:
    """The first page is two links, Persian first."""
    links = [link for link in read(built / "index.html").links if link.endswith(".html")]
    assert links == ["fa/index.html", "en/index.html"]


def test_site_is_named_in_place(site_instance: Instance) -> None:
    """current.json names the folder; nothing half built remains."""
    current = json.loads((site_instance.public / "current.json").read_text(encoding="utf-8"))
    assert current == {"release_id": "1405-06"}
    assert sorted(p.name for p in site_instance.public.iterdir()) == ["1405-06", "current.json"]


def test_building_twice_gives_the_same_bytes(site_instance: Instance, built: Path) -> None:
    """No clock and no chance enters a page."""
    before = {path: path.read_bytes() for path in built.rglob("*") if path.is_file()}
    assert build_site(site_instance) == built
    assert {path: path.read_bytes() for path in built.rglob("*") if path.is_file()} == before


def test_nothing_released_is_an_error_in_words(tmp_path: Path) -> None:
    """Building before the first release says what to do."""
    with pytest.raises(ReleaseError, match="shafaf run"):
        build_site(Instance(tmp_path))
    assert not (tmp_path / "public").exists()


def test_private_words_of_a_source_reach_no_page(built: Path) -> None:
    """Pages show titles and counts; keys and hashes of single cases have no place in them."""
    for path in pages(built):
        assert not re.search(r"\b[0-9a-f]{32,}\b", path.read_text(encoding="utf-8")), path


def test_data_page_links_the_whole_database_and_its_sums(built: Path) -> None:
    """Who wants to ask a question of their own gets the file; who wants to check gets the manifest."""
    page = (built / "fa" / "data.html").read_text(encoding="utf-8")
    assert 'href="/datasets/portal-1405-06.db"' in page
    assert re.search(r'href="/datasets/releases/1405-06/manifest\.json"', page)
    jumps = re.findall(r'<a href="#(\w+)">', page.partition('class="jump"')[2].partition("</nav>")[0])
    assert jumps
    assert all(f'id="{jump}"' in page for jump in jumps)


def test_data_page_folds_every_table_with_its_files(built: Path) -> None:
    """A table is one fold with its rows and its files; no file of the release is left out or listed twice."""
    page = (built / "en" / "data.html").read_text(encoding="utf-8")
    folds = re.findall(r'<details class="fold"><summary><b>.*?</details>', page, re.DOTALL)
    listed = [re.search(r'href="/data/portal/(\w+)"', fold) for fold in folds]
    assert [found[1] for found in listed if found] == list(load_dictionary().tables)
    assert page.count("/datasets/releases/1405-06/case_group.csv.gz") == 1
    assert any("/datasets/releases/1405-06/case_group.csv.gz" in fold for fold in folds)


def test_service_page_says_where_it_waits_longest(built: Path) -> None:
    """At most one step of a walk is marked, with its days."""
    pages = [page.read_text(encoding="utf-8") for page in sorted((built / "en" / "service").glob("*.html"))]
    marked = [page.count("the longest wait, ") for page in pages]
    assert max(marked) == 1


def test_nothing_refers_to_a_table_that_is_not_there(built: Path) -> None:
    """The table of due dates is named only where it stands."""
    for page in sorted((built / "en").rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if "table of due dates" in text:
            assert '<table class="dates">' in text, page


def test_nobody_is_singled_out_of_equals(tmp_path: Path) -> None:
    """Where units took equally long none is drawn as the longest, and no stage leads the first screen."""
    make_released(tmp_path / "datasets")
    with sqlite3.connect(tmp_path / "datasets" / "portal-1405-06.db") as connection:
        connection.execute("update case_group_step set since_previous_median_days = 3 where step_number > 1")
    page = (build_site(Instance(tmp_path)) / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    drawn = re.search(r'<svg class="chart bar"[^>]*units-t.*?</svg>', page, re.DOTALL)
    assert drawn
    assert "t-done" in drawn[0]
    assert "t-late" not in drawn[0]


def test_a_gap_is_no_step_and_hides_which_wait_was_longest(tmp_path: Path) -> None:
    """Where other steps may lie the page says so, calls nothing the most frequent way and no wait the longest."""
    make_released(tmp_path / "datasets")
    with sqlite3.connect(tmp_path / "datasets" / "portal-1405-06.db") as connection:
        connection.execute(
            "update case_group_step set is_gap = 1, activity_code = 'gap', unit_id = null,"
            " since_start_median_days = null, since_previous_median_days = null where step_number = 2"
        )
    site = build_site(Instance(tmp_path))
    walks = [
        text for path in (site / "en" / "service").glob("*.html") if '<ol class="walk">' in (text := path.read_text())
    ]
    assert walks
    for text in walks:
        assert re.search(r'<li class="gap"><b>(<bdi[^>]*>)?Other steps, or none', text)
        assert "cases have in common" in text
        assert "most frequent way" not in text
        assert "the longest wait, " not in text


def test_outcome_that_nobody_recorded_is_said_not_drawn(tmp_path: Path) -> None:
    """A grey bar of one part says nothing; a sentence with its query does."""
    make_released(tmp_path / "datasets")
    with sqlite3.connect(tmp_path / "datasets" / "portal-1405-06.db") as connection:
        connection.execute("update case_group set outcome_code = 'not_recorded' where outcome_code is not null")
    page = (build_site(Instance(tmp_path)) / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'How cases ended is not recorded:\s*<a class="fig" href="/data/portal/outcomes', page)
    assert "outcomes-t" not in page


def test_coarse_outcome_beside_finer_ones_is_a_part_of_its_own(tmp_path: Path) -> None:
    """Its share is that of the cases shown as no more than this, and the parts with the hatched end make the whole."""
    make_released(tmp_path / "datasets")
    with sqlite3.connect(tmp_path / "datasets" / "portal-1405-06.db") as connection:
        coarse = "outcome_code = 'granted_full' and case_group_id % 2 = 0"
        connection.execute(f"update case_group set outcome_code = 'positive' where {coarse}")
    page = (build_site(Instance(tmp_path)) / "en" / "body" / "mosharekat" / "index.html").read_text(encoding="utf-8")
    line = re.search(r"Positive, no more is shown <b>.*?>([^<]+)</a>", page)
    assert line is not None
    assert re.fullmatch(r"\d+%", line[1])
    parts = re.search(r"<desc[^>]*>([^<]*Positive, no more is shown[^<]*)</desc>", page)
    assert parts is not None
    assert 98 <= sum(map(int, re.findall(r"(\d+)%", parts[1]))) <= 102
    assert line[1] in parts[1]


@pytest.mark.parametrize(
    ("lang", "words"),
    [("fa", ["گام‌های اصلی", "خانوادهٔ خدمت"]), ("en", ["Milestones", "Service family"])],
)
def test_the_privacy_page_says_every_rung_in_words(built: Path, lang: str, words: list[str]) -> None:
    """The ladder that was really used stands on the page: a level by its own name, the finest by its column's."""
    text = " ".join(read(built / lang / "privacy.html").text)
    assert all(word in text for word in words)
    assert "leaf" not in text
    assert "service_level" not in text
