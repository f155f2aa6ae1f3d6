"""Where a page says a number of cases from 1 to k - 1: in sentences, in lone numbers, in a figure as JSON.

Such a number may stand where it is explained: beside a query that counts what the law makes exact (months, open stock), all
cases of a selection, or what is not shown; as what is not shown, in so many words; as one number of a series that is a body's
monthly counts. Anywhere else it is somebody's. A sentence is the text between two tags that end one (drawings have their
titles and texts), and each tag itself (labels, descriptions, comments). A number alone (a cell, the end of a line, a text
of a drawing) has no word beside it: it is a number of cases unless the unit of its chart or the head of its column says
what else it is. Names of things that read like a number of cases are known and left out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl.model.text import latin_digits

Figure = Mapping[str, Any]
Small = tuple[int, str]  # the number, and what it stands in
# queries whose answers hold small numbers by law: counts of months, whole selections, what is not shown
EXACT = frozenset(
    {
        *("monthly_flow", "stock", "stock_everywhere", "late_entries", "statutory_year", "nothing_lost"),
        *("waits", "waits_everywhere", "on_time", "on_time_everywhere", "cohort_states", "cohort_periods"),
        *("service_cohort", "open_by_age", "open_by_stage", "open_stage_age", "bodies", "case_types_of_body"),
        "reading_1_wrong",  # a number of rows, which is the mistake it shows
        *("reading_1_right", "reading_6_wrong", "reading_6_right"),  # all cases of a release, of all releases
    }
)
WHOLE = frozenset(
    {"outcomes", "not_recorded", "on_time_of_bodies"}
)  # whose column `total` counts a whole selection, and the others do not
TOTAL = "total"
HIDDEN = ("not shown", "not_shown", "نشان داده نمی‌شود")
# heads of columns and units of charts that count no cases; an upper end below k stands beside a lower end of 0
NO_CASES = re.compile(r"\b(?:days|rung|hundred|روز|پله|صد)\b|_days|_number|_share|at_most|\b(?:is|has)_|[%٪]", re.I)
# a share out of ten or a hundred, that all cases of a page are fewer than `portal.scope.FEWEST`, how many more may be meant
NOBODY = re.compile(
    r"\b(?:of every|از هر) 100?\b|\b(?:fewer than|کمتر از) 20\b|\bتا \d[\d,٬]* (?=پروندهٔ دیگر هم شاید\b)", re.I
)
INLINE = "a|b|bdi|bdo|br|cite|code|em|i|mark|small|span|strong|sub|sup|time|tspan|wbr"
DIGIT = re.compile(r"[0-9]")
TAG = re.compile(r"<[^>]+>")
LABELLED = re.compile(r"<[^>]*\d(?:\s|&\w+;)*[^\W\d][^>]*>")  # in which a number stands before a word
BLOCK = re.compile(rf"<(?!/?(?:{INLINE})\b)[^>]+>")  # ends a sentence
PLACE = re.compile(r'(?=<section\b|<details class="fold")')  # what lies in one is explained by the queries beside it
DRAWN = re.compile(r"(?=<figure\b)|(?<=</figure>)")
CHART = re.compile(r'<title id="(\w+)-t">')
AXIS = re.compile(r'<text class="(?:axis|name)[^>]*>[^<]*</text>')
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", re.DOTALL)
LINK = re.compile(r'href="/data/portal/(\w+)')
ALONE = re.compile(r"\s*(\d[\d,٬]*)(?: (?:to|تا) \d[\d,٬]*)?\s*")  # of a range the lower end, which is surely there
COUNTED = re.compile(
    r"(?<![\w.,٫٬–-])(\d+)(?![\d.,٫٬%٪])\s*"
    r"(?:cases?|requests?|complaints?|letters?|people|persons?|پرونده|درخواست|شکایت|نامه|نفر|مورد)\b"
)


@dataclass(frozen=True)
class Known:
    """What explains numbers: k, what things are called that reads like a number, and the months of the page's body.

    names: those that hold a number of cases; numbers: those that are a number and nothing else. months: each exact series
    as text, `,12,0,3,`, oldest month first. exact: heads of columns that count all cases of a selection.
    """

    k: int
    names: Collection[str] = ()
    numbers: Collection[str] = ()
    months: Collection[str] = ()
    exact: Collection[str] = ()

    def small(self, text: str) -> Iterator[Small]:
        """Give the numbers of cases from 1 to k - 1 that a sentence says; "1 to k - 1" itself says only that they are few,
        and "0 to n" that none is shown.

        >>> list(Known(10, names=["Send 2 letters"]).small("Send 2 letters: 3 cases, 12 cases, 1 to 9 cases, 1 to 8 cases"))
        [(3, ': 3 cases, 12 cases, 1 to 9 cases, 1 to 8 cases'), (8, ': 3 cases, 12 cases, 1 to 9 cases, 1 to 8 cases')]
        >>> list(Known(50).small("Fewer than 20 cases. Of every 10 requests, 8")), list(Known(50).small("Of 10 requests"))
        ([], [(10, 'Of 10 requests')])
        """
        if COUNTED.search(text) and not any(words in text for words in HIDDEN):
            for name in self.names:
                text = text.replace(name, "")
            said = re.sub(rf"(?<![\w.,٫٬–-])(?:1 (?:to|تا) {self.k - 1}|0 (?:to|تا) \d+)\b", "", NOBODY.sub("", text))
            yield from ((int(number), text) for number in COUNTED.findall(said) if 0 < int(number) < self.k)

    def unexplained(self, head: str, numbers: Sequence[int]) -> Iterator[Small]:
        """Give the numbers from 1 to k - 1 of a column or series under `head`, if they may be anything but what the law counts.

        >>> known = Known(10, months=[",40,3,0,12,"])
        >>> list(known.unexplained("open", [3, 0, 12])), list(known.unexplained("refused", [12, 3]))
        ([], [(3, 'refused 3')])
        """
        small = [number for number in numbers if 0 < number < self.k]
        if not small or head in self.exact or NO_CASES.search(head) or any(words in head for words in HIDDEN):
            return
        series = f",{','.join(str(number) for number in numbers)},"
        if len(numbers) < 2 or not any(series in months for months in self.months):
            yield from ((number, f"{head} {number}".strip()) for number in small)


def of_page(page: str, known: Known, figures: Mapping[str, Figure]) -> Iterator[Small]:
    """Give the small numbers that a page says where it may not; its digits are ASCII. figures: its charts as JSON, by name.

    >>> list(of_page('<p>3 cases refused. <a href="/data/portal/outcomes?body=x">Count</a></p>', Known(10), {}))
    [(3, '3 cases refused. Count')]
    >>> list(of_page('<p>3 cases open. <a href="/data/portal/stock?body=x">Count</a></p><p>In 3 days</p>', Known(10), {}))
    []
    """
    for inside in BLOCK.split(page):
        if DIGIT.search(inside) and not EXACT & set(LINK.findall(inside)):
            yield from known.small(_text(inside))
    for tag in LABELLED.findall(page):
        yield from known.small(html.unescape(tag))
    for place in PLACE.split(page):
        queries = set(LINK.findall(place))
        if not EXACT & queries:
            about = replace(known, exact=(TOTAL,) if WHOLE & queries else ())
            for part in DRAWN.split(place):
                yield from _alone(part, about, figures)


def of_figures(figures: Mapping[str, Figure], known: Known) -> Iterator[Small]:
    """Give the small numbers that charts as JSON say: a series is a body's monthly counts, or holds none from 1 to k - 1."""
    for name, figure in figures.items():
        is_counted = not NO_CASES.search(unit_of(figure))
        for trace in figure["data"] if is_counted else ():
            told = (trace["x" if trace.get("orientation") == "h" else "y"], trace.get("hovertext", ()))
            for values in told:
                yield from known.unexplained(f"{name}: {trace.get('name', '')}", [_number(value) for value in values])


def unit_of(figure: Figure) -> str:
    """Give the unit of a chart's numbers, empty where it says none."""
    axes = (figure.get("layout", {}).get(axis, {}).get("title", {}) for axis in ("xaxis", "yaxis"))
    return " ".join(latin_digits(title.get("text", "")) for title in axes).strip()


def _alone(part: str, known: Known, figures: Mapping[str, Figure]) -> Iterator[Small]:
    drawn = CHART.search(part)
    if drawn and drawn[1] in figures and NO_CASES.search(unit_of(figures[drawn[1]])):
        return
    for table in TABLE.findall(part):
        yield from _cells(table, known)
    for text in TAG.split(AXIS.sub("", TABLE.sub("", part))):
        if text not in known.numbers:
            yield from known.unexplained("", [_number(text)])


def _cells(table: str, known: Known) -> Iterator[Small]:
    rows = [[_text(cell) for cell in CELL.findall(row)] for row in ROW.findall(table)]
    head = rows[0] if "<thead" in table and rows else []
    body = [row for row in rows[bool(head) :] if not any(words in cell for cell in row for words in HIDDEN)]
    if 'class="raw"' in table:  # an answer as the database gives it: no value beside a number is "not shown"
        body = [row for row in body if "" not in row or any(cell and not ALONE.fullmatch(cell) for cell in row)]
    for place in range(max(map(len, body), default=0)):
        cells = [row[place] for row in body if place < len(row)]
        numbers = [_number(cell) for cell in cells if place or cell not in known.numbers]
        yield from known.unexplained(head[place] if place < len(head) else "", numbers)


def _text(inside: str) -> str:
    return " ".join(html.unescape(TAG.sub("", inside)).split())


def _number(value: object) -> int:
    """Read a whole number alone, or the lower end of a range; anything else is nobody's count."""
    if isinstance(value, str):
        found = ALONE.fullmatch(latin_digits(value))
        return int(re.sub("[,٬]", "", found[1])) if found else 0
    return int(value) if isinstance(value, int | float) else 0
