"""The tables at /data/: stable addresses, objects, named queries; no free SQL, no lost rows, nothing of the machine."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from python_calamine import CalamineWorkbook

from etl.metadata import load_dictionary
from portal.catalogue import TOPICS, load_queries, queries_by_topic
from portal.serving.workbook import write_workbook

KARUN = "body=karun&case_type=foi&first_release=1405-05&release=1405-05"
TABLES = tuple(load_dictionary().tables)


def get_all(client, path):
    """Follow the pages of a JSON table to the end and give its rows."""
    rows = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, path
        page = answer.json()
        rows += page["rows"]
        address = urlsplit(page["next_url"] or "")
        path = f"{address.path}?{address.query}" if address.path else ""
    return rows


def test_the_short_address_leads_to_the_database(served):
    """With and without its slash."""
    for path in ("/data", "/data/"):
        assert served.client.get(path).headers["location"] == "/data/portal"
    slash = served.client.get("/data/portal/case_group/?_size=2")
    assert (slash.status_code, slash.headers["location"]) == (308, "/data/portal/case_group?_size=2")


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_page_and_json_of_objects(served, table):
    """Under a name that no release changes, with links that stay under the prefix."""
    page = served.client.get(f"/data/portal/{table}")
    assert page.status_code == 200
    assert "/data/data/" not in page.text
    assert '<html lang="en" dir="ltr"' in page.text
    assert len(page.content) < 100_000
    rows = served.client.get(f"/data/portal/{table}.json").json()["rows"]
    assert all(isinstance(row, dict) for row in rows)


def test_every_column_that_can_be_sorted_walks_every_row_once(served):
    """Both ways, over many ties and empty cells (Datasette loses rows on other layouts)."""
    page = served.client.get("/data/portal/case_group.json?_size=1").json()
    walked = 0
    for column in page["columns"]:
        for order in ("_sort", "_sort_desc"):
            path = f"/data/portal/case_group.json?{order}={column}&_size=100"
            if served.client.get(path).status_code == 400:
                continue
            keys = [row["case_group_id"] for row in get_all(served.client, path)]
            assert len(keys) == len(set(keys)) == 350, (column, order)
            walked += 1
    assert walked == 2 * (len(page["columns"]) - 3)  # all but the three indexed ones


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_walked_to_its_end(served, table):
    """In key order, as many rows as it has."""
    rows = get_all(served.client, f"/data/portal/{table}.json?_size=100")
    first = served.client.get(f"/data/portal/{table}.json").json()
    assert len(rows) == first["filtered_table_rows_count"]


@pytest.mark.parametrize("column", ["title_fa", "title_en", "body_id"])
def test_a_table_that_would_lose_rows_cannot_be_sorted(served, column):
    """A text key without WITHOUT ROWID comes in no order of its own; asking for a sort is a 400, not a 500."""
    assert served.client.get(f"/data/portal/body.json?_sort={column}").status_code == 400


NOT_ALLOWED = (
    "/data/portal?sql=select+1",
    "/data/portal.json?sql=select+1",
    "/data/portal/case_group?_where=1=1",
    "/data/portal/case_group.json?_where=1=1",
    "/data/portal.db",
    "/data/_internal",
    "/data/_memory",
    "/data/-/databases",
    "/data/-/databases.json",
    "/data/-/metadata.json",
    "/data/-/settings",
    "/data/-/threads",
    "/data/-/plugins",
    "/data/-/versions",
    "/data/-/logout",
    "/data/-/patterns",
    "/data/portal/case_group.parquet",
    "/data/portal/case_group.blob",
    "/data/portal/pragma_database_list",
)


@pytest.mark.parametrize("path", NOT_ALLOWED)
def test_free_sql_and_the_inside_of_the_server_are_closed(served, path):
    """Refused, and the answer names no place on the machine."""
    answer = served.client.get(path)
    assert answer.status_code in (400, 403, 404), answer.text[:200]
    assert str(served.instance.root) not in answer.text


WRONG = (
    "/data/portal/case_group?_sort=nope",
    "/data/portal/case_group.json?_sort_desc=nope",
    "/data/portal/case_group.json?_sort=case_count&_sort_desc=case_count",
    "/data/portal/case_group.json?_size=many",
    "/data/portal/case_group.json?_size=99999",
    "/data/portal/case_group.json?_next=x,y,z,%00",
    "/data/portal/case_group.json?_facet=outcome_code",
    "/data/portal/case_group.json?nope__exact=1",
    "/data/portal/case_group.json?_through=nope",
    "/data/portal/case_group.json?_search=%22",
    "/data/portal/case_group.json?case_count__in=[",
    "/data/portal/search.json?_search=%22%20OR",
    "/data/portal/nope",
    "/data/portal/case_group/nope",
    "/data/portal/case_group.json?_col=nope",
)


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_address_is_never_an_error_of_the_server(served, path):
    """400 or 404 (or an answer), in words, without a traceback."""
    answer = served.client.get(path)
    assert answer.status_code < 500, answer.text[:300]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", sorted(load_queries()))
def test_every_named_query_runs(served, name):
    """As a page with both titles, and as JSON of objects, with an answer inside the time limit."""
    query = load_queries()[name]
    values = {
        "release": "1405-05",
        "first_release": "1405-05",
        "body": "karun",
        "case_type": "foi",
        "service": "permit",
        "band": "06_10",
    }
    address = query.address({p: values.get(p, "1405-05") for p in query.parameters})
    page = served.client.get(address)
    assert page.status_code == 200, page.text[-500:]
    assert query.title["fa"] in page.text.replace("&#39;", "'")
    path, _, parameters = address.partition("?")
    answer = served.client.get(f"{path}.json?{parameters}").json()
    assert answer["ok"]
    assert all(isinstance(row, dict) for row in answer["rows"])


def test_a_named_query_cannot_be_made_to_run_something_else(served):
    """Parameters are values; a statement in one stays a text."""
    answer = served.client.get("/data/portal/late_entries.json?sql=select+sqlite_version()&body=karun&release=1405-05")
    assert answer.status_code == 200
    assert "sqlite_version" not in answer.json()["query"]["sql"]


def test_a_view_that_takes_too_long_is_cut_off(served):
    """A join without end answers inside the limit, with words."""
    answer = served.client.get("/data/portal/large_v1.json?_sort_desc=case_group_id")
    assert answer.status_code in (200, 400)
    assert answer.elapsed.total_seconds() < 10


def test_an_answer_that_was_stopped_says_what_to_do(served):
    """In both languages, in words, and not as the markup of a page."""
    answer = served.client.get("/data/portal/endless_v1")
    assert answer.status_code == 400
    assert "took too long" in answer.text
    assert "متوقف شد" in answer.text
    assert "textarea" not in answer.text
    assert "textarea" not in served.client.get("/data/portal/endless_v1.json").text


@pytest.mark.parametrize("path", ["/data/portal?sql=select+1", "/data/portal.json?sql=select+1"])
def test_free_sql_is_refused_in_words(served, path):
    """Not by the bare name of a permission."""
    answer = served.client.get(path)
    assert answer.status_code == 403
    assert "Free SQL is off" in answer.text
    assert "execute-sql" not in answer.text


def test_a_page_of_csv_is_not_a_stream(served):
    """Whole tables are files; a page of CSV holds a page of rows even when a stream is asked for."""
    answer = served.client.get("/data/portal/case_group.csv?_stream=1&_size=10")
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 11


def test_cookies_and_lifetimes_cannot_be_steered(served):
    """Every table may be cached for a minute, whatever the request says; no cookie is set."""
    answer = served.client.get("/data/portal/body.json?_ttl=99999999", headers={"cookie": "ds_actor=x"})
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "set-cookie" not in answer.headers


def test_cells_of_either_script_find_their_own_direction(served):
    """A Persian title in an English table is not turned around."""
    assert '<td dir="auto">' in served.client.get("/data/portal/body").text


def test_an_empty_column_of_corrections_stands_last(served):
    """A phone shows the release beside the key, and each cell stays under its own heading."""
    page = served.client.get("/data/portal/case_group?_size=1").text
    names = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?(\w+)', page)
    cells = re.findall(r'<td dir="auto"[^>]*>(.*?)</td>', page, re.DOTALL)
    row = served.client.get("/data/portal/case_group.json?_size=1").json()["rows"][0]
    assert names[-1] == "replaces_id"
    assert sorted(names) == sorted(row)
    assert len(cells) == len(names)
    assert str(row["release_id"]) in cells[names.index("release_id")]


@pytest.mark.parametrize("ending", [".json?", ".csv?", ".xlsx?", "?_format=json&"])
@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("body=karun&case_type=foi&release=1405-05", "first_release"),
        ("body=&case_type=foi&first_release=1405-05&release=1405-05", "body"),
        ("body=Karun&case_type=foi&first_release=1405-05&release=1405-05", "body=Karun"),
        ("body=karun&case_type=foi&first_release=1405-05&release=1404-05", "release=1404-05"),
    ],
)
def test_a_machine_gets_no_zeros_for_what_it_did_not_ask(served, ending, asked, named):
    """A value left out or mistyped is a 400 that names it and shows an address that has an answer, never a figure."""
    answer = served.client.get(f"/data/portal/on_time{ending}{asked}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert f"Missing or unknown: {named}." in error
    assert served.client.get(error.rpartition(" ")[2]).status_code == 200


@pytest.mark.parametrize("ending", ["", ".json", ".csv", ".xlsx"])
def test_a_filter_by_no_column_is_refused(served, ending):
    """SQLite would compare the name itself, and a mistyped column would look like an absence; ours names what there is."""
    answer = served.client.get(f"/data/portal/case_group{ending}?outcom_code__exact=granted_full&case_count__gt=10")
    assert answer.status_code == 400
    assert "No such column: outcom_code__exact. case_group has: case_group_id, " in answer.text
    assert served.client.get(f"/data/portal/case_group{ending}?outcome_code__exact=granted_full").status_code == 200
    assert served.client.get(f"/data/portal/case_group_v1{ending}?case_count__gt=10&_size=5").status_code == 200


def test_a_page_offers_the_values_that_exist(served):
    """By name and code, the asked one chosen; with one of them missing it shows no figure but says what to choose."""
    asked = "case_type=foi&first_release=1405-05&release=1405-05"
    page = unescape(served.client.get(f"/data/portal/on_time?body=karun&{asked}").text)
    assert '<option value="karun" selected>' in page
    assert '<select name="release"><option value=""></option><option value="1405-05" selected>' in page
    assert "<td" in page
    empty = unescape(served.client.get(f"/data/portal/on_time?{asked}").text)
    assert "<td" not in empty
    assert "Choose: body; or" in empty
    assert "این‌ها را برگزینید: دستگاه؛" in empty


def test_an_answer_explains_its_columns_and_its_ends(served):
    """Each column in both languages, and that a share has two ends."""
    page = unescape(served.client.get(f"/data/portal/on_time?{KARUN}").text)
    told = re.findall(r'<dt><code>(\w+)</code></dt><dd>(.+?)<span lang="fa" dir="rtl">(.+?)</span></dd>', page)
    assert [name for name, _, _ in told] == ["at_least", "not_shown", "at_most", "total"]
    assert "quote both ends" in page
    assert "هر دو سر را بنویسید" in page


def test_a_code_in_an_answer_has_its_name_beside_it(served):
    """In both languages on the page; JSON keeps the code."""
    page = unescape(served.client.get(f"/data/portal/services_of_body?{KARUN}").text)
    assert 'permit <small>Completion permit</small> <small lang="fa" dir="auto">گواهی پایان کار</small>' in page
    rows = served.client.get(f"/data/portal/services_of_body.json?{KARUN}").json()["rows"]
    assert "permit" in {row["service_id"] for row in rows}


def test_the_list_groups_its_queries_by_what_a_reader_asks(served):
    """Under the topics, each query once, and rows are counted in the digits of both languages."""
    page = unescape(served.client.get("/data/portal").text)
    for topic, queries in queries_by_topic().items():
        card = page.partition(f"<h3>{TOPICS[topic]['en']} ")[2].partition("</section>")[0]
        assert re.findall(r'href="/data/portal/(\w+)[^"]*">[^<]*</a> <a', card) == [query.name for query in queries]
    assert '350 rows · <span class="fa" lang="fa" dir="rtl">۳۵۰ ردیف</span>' in page


def test_what_a_reader_asked_is_not_printed(served, capfd):
    """Not on the way to an error either."""
    served.client.get("/data/portal/search.json?_search=divorce%20AND&_searchmode=raw")
    served.client.get("/data/portal/case_group.json?_sort=divorce")
    printed = capfd.readouterr()
    assert "divorce" not in printed.out + printed.err


def test_the_list_of_queries_offers_each_with_values_that_answer(served):
    """A first look shows rows, not an empty form."""
    page = served.client.get("/data/portal").text
    for name, query in load_queries().items():
        assert f'href="/data/portal/{name}?' in page or not query.parameters, name
    assert "/data/portal/reading_1_right?release=1405-05" in page


def test_both_languages_stand_apart(served):
    """A table is named and told in each language by itself, so that neither turns the other's words around."""
    spec = load_dictionary().tables["case_group"]
    page = unescape(served.client.get("/data/portal/case_group").text)
    assert f"<h1>{spec.title['en']}</h1>" in page
    assert f'dir="rtl">{spec.title["fa"]}<' in page
    assert f'dir="rtl">{spec.text["fa"]}<' in page
    assert f"{spec.title['fa']} · {spec.title['en']}" not in page


def test_a_query_says_what_it_counts_in_both_languages(served):
    """The title alone does not tell a Persian reader what is in the figure."""
    query = load_queries()["bodies"]
    page = unescape(served.client.get("/data/portal/bodies").text)
    assert f'<p class="about">{query.text["en"]}</p>' in page
    assert f'<p class="about" lang="fa" dir="rtl">{query.text["fa"]}</p>' in page


def test_a_row_is_read_from_top_to_bottom(served):
    """Each column of a row has a line with its name and what it means."""
    spec = load_dictionary().tables["case_group"]
    first = served.client.get("/data/portal/case_group.json?_size=1").json()["rows"][0]["case_group_id"]
    page = unescape(served.client.get(f"/data/portal/case_group/{first}").text)
    for column in spec.columns:
        assert f'<th scope="row"><code>{column.name}</code><span>{column.title["en"]}' in page, column.name


def test_an_empty_form_shows_the_way_to_an_answer(served):
    """A named query without its values links to the same query with a value for each."""
    page = served.client.get("/data/portal/file_list").text
    link = re.search(r'<a href="/data/portal/file_list\?([^"]+)">values that have an answer</a>', page)
    assert link
    assert set(dict(parse_qsl(unescape(link[1])))) == set(load_queries()["file_list"].parameters)


def test_a_query_page_leads_on(served):
    """The statement can be taken to the whole database, and the files of a release can be fetched from their list."""
    page = served.client.get("/data/portal/bodies").text
    [file] = set(re.findall(r'href="(/datasets/portal-[^"]+)"', page))
    assert served.client.get(file).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/data/portal",
        "/data/portal/case_group",
        "/data/portal/body/archive",
        "/data/portal/file_list",
        "/data/portal/no",
    ],
)
def test_the_frame_speaks_both_languages(served, path):
    """Headings, buttons and folds of our own frame, the way on and the error have Persian words beside the English."""
    page = unescape(served.client.get(path).text)
    frame = re.sub(r'<details class="card facet">.*?</details>', "", page, flags=re.DOTALL)
    said = re.findall(r"<(h2|summary|button|legend|nav)\b[^>]*>(.*?)</\1>", frame, re.DOTALL)
    assert said
    for tag, text in said:
        assert re.search("[ا-ی]", text), (path, tag, text)
    if path.endswith("/no"):
        assert "چنین صفحه، جدول یا ردیفی نیست." in page


def sheets(answer):
    """Read a workbook as a spreadsheet does: its rows, and what it says of them."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def test_an_answer_opens_in_a_spreadsheet(served):
    """By the link of its page: a named file, the figures as numbers, Persian as Persian beside each code, what columns mean."""
    asked = "on_time_of_bodies?case_type=foi&first_release=1405-05&release=1405-05"
    page = unescape(served.client.get(f"/data/portal/{asked}").text)
    answer = served.client.get(re.search(r'href="([^"]+)">XLSX', page)[1])
    assert answer.headers["content-disposition"] == 'attachment; filename="on_time_of_bodies.xlsx"'
    rows, about = sheets(answer)
    told = served.client.get(f"/data/portal/{asked.replace('?', '.json?')}").json()["rows"]
    assert rows[0] == ["body_id", "body_id: en", "body_id: fa", "at_least", "not_shown", "at_most", "total"]
    assert [dict(zip(rows[0], row, strict=True))["at_least"] for row in rows[1:]] == [row["at_least"] for row in told]
    assert ["karun", "Karun Organisation", "سازمان کارون"] in [row[:3] for row in rows]
    assert f"/data/portal/{asked}" in [line[0] for line in about]
    assert {line[0] for line in about} >= set(told[0])


def test_a_page_of_a_table_opens_in_a_spreadsheet(served):
    """A thousand rows at most, the codes of Datasette's labelled rows as plain codes."""
    page = unescape(served.client.get("/data/portal/case_group").text)
    link = re.search(r'href="([^"]+)">XLSX', page)[1]
    rows, _ = sheets(served.client.get(link))
    assert len(rows) == 1 + 350
    keys = {row["case_group_id"] for row in get_all(served.client, "/data/portal/case_group.json?_size=100")}
    assert {int(row[0]) for row in rows[1:]} == keys
    assert {row[rows[0].index("body_id")] for row in rows[1:]} == {"alborz", "karun"}


@pytest.mark.parametrize(("size", "is_part"), [("100", True), ("max", False)])
def test_a_workbook_that_is_a_part_says_so(served, size, is_part):
    """Who gets the first rows of a table alone reads it in the second sheet, and where the whole is."""
    _, about = sheets(served.client.get(f"/data/portal/case_group.xlsx?_size={size}"))
    assert ("The first rows only; whole tables are files." in [line[0] for line in about]) is is_part


def test_a_cell_of_a_workbook_is_never_a_formula():
    """Nor a link, nor a number where the table holds a text; the same rows give the same bytes."""
    row = {"title": "=1+1", "code": "0012", "address": "https://example.org/", "case_count": 12, "empty": None}
    written = [
        write_workbook(tuple(row), [row], labels={"code": {"0012": ("Twelve", "دوازده")}}, about=[], explained=[])
        for _ in range(2)
    ]
    assert written[0] == written[1]
    with zipfile.ZipFile(io.BytesIO(written[0])) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    rows = CalamineWorkbook.from_filelike(io.BytesIO(written[0])).get_sheet_by_index(0).to_python()
    assert rows[1] == ["=1+1", "0012", "Twelve", "دوازده", "https://example.org/", 12, ""]
