"""The front: which address gives what, and what stands around every answer."""

from __future__ import annotations

import re

import pytest

from etl.instance import Instance
from portal.serving import make_app
from portal.serving.layers import SECURITY

PAGES = ("/fa/", "/en/", "/data/portal", "/data/portal/case_group", "/fa/find?q=x", "/nowhere", "/status.json")


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(served, path):
    """Pages, tables, errors and JSON alike."""
    headers = served.client.get(path).headers
    assert {name: headers.get(name) for name in SECURITY} == SECURITY


def test_the_root_leads_to_a_language(served):
    """Persian, unless the browser puts English first."""
    assert served.client.get("/").headers["location"] == "/fa/"
    english = served.client.get("/", headers={"accept-language": "en-GB,en;q=0.9,fa;q=0.5"})
    assert english.headers["location"] == "/en/"


def test_pages_of_the_site_are_served_with_validators(served):
    """A second look costs no bytes."""
    first = served.client.get("/fa/")
    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/html")
    again = served.client.get("/fa/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_folder_without_its_slash_is_led_to_it(served):
    """Relative links of a page depend on it."""
    answer = served.client.get("/fa")
    assert (answer.status_code, answer.headers["location"]) == (308, "/fa/")


TRAPS = (
    "/../metadata.yml",
    "/fa/../../../metadata.yml",
    "/%2e%2e/%2e%2e/metadata.yml",
    "/fa/%2e%2e%2f%2e%2e%2fmetadata.yml",
    "/..%5cmetadata.yml",
    "/.hidden",
    "/static/..%00",
    "/datasets/../metadata.yml",
    "/datasets/releases/../../metadata.yml",
    "/datasets/releases/1405-05/notes.private",
    "/datasets/releases/.staging-1405-06/case_group.csv.gz",
    "/datasets/datasette.json",
    "/datasets/",
    "/current.json",
)


@pytest.mark.parametrize("path", TRAPS)
def test_nothing_beside_the_published_files_is_served(served, path):
    """No way up, no hidden file, no unlisted file, no folder listing."""
    answer = served.client.get(path)
    assert answer.status_code in (400, 404)
    assert b"x-shafaf" not in answer.content


def test_a_missing_page_is_said_in_both_languages(served):
    """The language of the address comes first."""
    persian = served.client.get("/fa/nothing/", headers={"accept-language": "en"})
    english = served.client.get("/en/nothing/")
    assert persian.status_code == english.status_code == 404
    assert '<html lang="fa" dir="rtl"' in persian.text
    assert '<html lang="en" dir="ltr"' in english.text
    assert "پیدا نشد" in english.text
    assert "not found" in persian.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_sent(served, method):
    """Only GET and HEAD reach anything."""
    answer = served.client.request(method, "/data/portal")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_an_address_without_end_is_refused(served):
    """4 KB are enough for every filter."""
    assert served.client.get("/data/portal?x=" + "y" * 5_000).status_code == 414


@pytest.mark.parametrize(
    "path", ["/\\evil.example/", "//evil.example/", "/data//evil.example/", "/data/%5Cevil.example/"]
)
def test_no_address_redirects_off_the_site(served, path):
    """A backslash or a double slash is no way to another host."""
    answer = served.client.get("http://portal.test" + path)
    assert answer.status_code in (400, 404)
    assert "location" not in answer.headers


def test_downloads_can_be_resumed(served):
    """A range of a file is that range; the file may be kept for ever."""
    path = "/datasets/releases/1405-05/case_group.csv.gz"
    whole = served.client.get(path)
    part = served.client.get(path, headers={"range": "bytes=10-19"})
    assert whole.headers["content-type"] == "application/gzip"
    assert "immutable" in whole.headers["cache-control"]
    assert "content-encoding" not in whole.headers
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"


def test_the_database_is_a_download(served):
    """Under the name of its release, in ranges too."""
    part = served.client.get("/datasets/portal-1405-05.db", headers={"range": "bytes=0-15"})
    assert (part.status_code, part.content) == (206, b"SQLite format 3\0")


def test_status_names_the_release_and_the_next_one(served):
    """Shahrivar 1405 ends on 22 September 2026; fifteen days later it can be released."""
    assert served.client.get("/status.json").json() == {
        "release_id": "1405-05",
        "as_of_on": "2026-10-08",
        "site_release_id": "1405-05",
        "next": {"release_id": "1405-06", "due_on": "2026-10-07"},
    }


def test_other_sites_may_read_data_but_not_frame_pages(served):
    """Public JSON is open to scripts of any site; pages are not."""
    assert served.client.get("/data/portal/body.json").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in served.client.get("/fa/").headers


@pytest.mark.parametrize(
    "path", ["/fa/", "/en/", "/index.html", "/data/portal", "/data/portal/nope", "/fa/find", "/en/nothing"]
)
def test_every_page_of_a_demo_says_so(served, speak, path):
    """In the language of the page, in both where the page speaks both, and its length is right."""
    with speak(make_app(served.instance, demo=True)) as client:
        answer = client.get(path)
        assert answer.text.count('<aside class="demo-banner"') == 1
        assert int(answer.headers.get("content-length", len(answer.content))) >= 1
        page = re.search(r'<html lang="(fa|en)"[^>]*>', answer.text)
        spoken = {"fa", "en"} if "data-languages" in page[0] else {page[1]}
        said = {"fa": "نمایشی", "en": "Demonstration"}
        assert {language for language, word in said.items() if word in answer.text} == spoken
        assert client.request("HEAD", path).status_code in (answer.status_code, 405)
    assert "demo-banner" not in served.client.get(path).text


def test_pages_say_that_nothing_is_published_before_the_first_release(tmp_path, speak):
    """503, in words, and status says the same."""
    with speak(make_app(Instance(tmp_path), demo=False)) as client:
        for path in ("/", "/fa/", "/data/portal", "/en/find?q=a"):
            assert client.get(path).status_code == 503
        assert client.get("/status.json").status_code == 503
        assert client.get("/datasets/current.json").status_code == 404


def test_the_access_log_holds_no_question(served, caplog):
    """What people search is theirs."""
    with caplog.at_level("INFO", logger="shafaf.access"):
        served.client.get("/fa/find?q=divorce")
    lines = [record.getMessage() for record in caplog.records if record.name == "shafaf.access"]
    assert len(lines) == 1
    assert lines[0].startswith("GET /fa/find 200 ")
    assert "divorce" not in lines[0]
