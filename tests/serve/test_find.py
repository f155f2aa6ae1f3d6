"""Search without JavaScript: the reader's spelling meets the published one."""

from __future__ import annotations

import pytest

SPELLINGS = ("گواهی", "گواهي", "گـواهی", "پايان كار", "COMPLETION", "پروان", "permit کار")


@pytest.mark.parametrize("question", SPELLINGS)
def test_a_service_is_found_however_it_is_spelt(served, question):
    """Arabic letters, tatweel, case, search words and beginnings of words lead to one page."""
    page = served.client.get(f"/fa/find?q={question}")
    assert page.status_code == 200
    assert 'href="service/permit.html"' in page.text


def test_a_body_is_found_in_either_language(served):
    """The English page finds by the Persian name and shows the English one."""
    page = served.client.get("/en/find?q=کارون")
    assert 'href="body/karun/index.html"' in page.text
    assert "Karun Organisation" in page.text


def test_only_pages_that_exist_are_offered(served):
    """A body that the built site has no page for is no link."""
    assert 'href="body/alborz' not in served.client.get("/fa/find?q=البرز").text


ODD = ('"', "' or 1=1 --", "NEAR(a b)", "*", "a AND", "x" * 3_000, "\u202eabc", "<script>alert(1)</script>", "%00")


@pytest.mark.parametrize("question", ODD)
def test_odd_questions_find_nothing_and_harm_nothing(served, question):
    """The words of full-text search and of HTML are only words."""
    page = served.client.request("GET", "/fa/find", params={"q": question})
    assert page.status_code in (200, 400)
    assert "<script>alert" not in page.text


def test_an_empty_question_is_a_form(served):
    """The page without a question asks for one."""
    page = served.client.get("/fa/find")
    assert page.status_code == 200
    assert 'name="q" value=""' in page.text
    assert "<!--found-->" in page.text


def test_the_question_stands_in_the_box_again(served):
    """Escaped, and once."""
    page = served.client.request("GET", "/fa/find", params={"q": '"><b>x'})
    assert 'value="&quot;&gt;&lt;b&gt;x"' in page.text
    assert "پیدا نشد" in page.text


def test_the_title_names_the_question(served):
    """A row of tabs and a screen reader tell one search from another, and from the empty form; no markup gets in."""
    page = served.client.get("/en/find?q=%3Cb%3Epermit").text
    assert "<title>&lt;b&gt;permit: Found · " in page
    assert "<title>پروانه: یافته‌ها · " in served.client.get("/fa/find?q=پروانه").text
