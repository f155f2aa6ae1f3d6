"""The page of the data: how to read them, what anyone can check, files, tables and the questions with a ready answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from etl.metadata import load_dictionary
from portal.catalogue import TOPICS, queries_by_topic
from portal.facts import Facts
from portal.questions import Question
from portal.reading import Answer, Rule
from portal.released import Released
from portal.words import Words, mark

_RULES = {
    1: (
        mark("A row is a group"),
        mark("Sum case_count; the number of rows says how finely the data are cut, nothing else."),
    ),
    2: (
        mark("An empty cell is detail withheld, not absence"),
        mark(
            "Leaving such rows out makes rare outcomes, which are dropped first, look rarer. Share of refusals, in percent:"
        ),
    ),
    3: (
        mark("Never average medians"),
        mark(
            "Medians of groups cannot be joined; bands of days can. Median days against cases finished within ten days:"
        ),
    ),
    4: (
        mark("Rows with a full path are the easy cases"),
        mark("Where every step is shown the case was an ordinary one. Share in time, in percent:"),
    ),
    5: (
        mark("Registered, finished and open are three crowds"),
        mark("A case finished this month was mostly registered in another one. Counts of the month:"),
    ),
    6: (
        mark("Quote the release and the query"),
        mark(
            "A sum over whatever is there grows with each release; one that names its release stays. Today both give the same:"
        ),
    ),
}
_VIEWS = "select name from sqlite_master where type = 'view' order by name"
_PERCENT = {2, 4, 5}
BY_LAW = (
    (mark("Refusals of every body, year by year"), "refused_each_year"),
    (mark("The articles that refusals cited"), "exemptions_each_year"),
    (mark("Answers past the limit"), "late_each_year"),
)
KEPT = (
    ("with_outcome", mark("%(share)s of cases show their outcome")),
    ("with_lateness", mark("%(share)s show whether they were in time")),
    ("with_service", mark("%(share)s show their service or its family")),
    ("with_unit", mark("%(share)s show their unit or department")),
    ("with_steps", mark("%(share)s show their steps")),
)


ABOUT = {
    "audit": mark("Report of the attacks that were tried on it"),
    "policy": mark("Rules by which it was made"),
    "report": mark("Counts of the run that made it"),
}


def data_values(
    released: Released,
    rules: Sequence[Rule],
    words: Words,
    *,
    questions: Sequence[Question],
    named: Mapping[str, Any],
    facts: Facts,
) -> dict[str, Any]:
    """Give what template `data.html` needs."""
    last = released.newest.release_id
    smallest = released.ask("smallest_group", release=last)[0]["smallest_group"]
    kept = released.ask("detail_kept", release=last)[0]
    files = _files(released, last)
    return {
        "rules": [_rule(rule, words) for rule in rules],
        "smallest": {"text": words.num(smallest), "address": released.address("smallest_group", release=last)},
        "lost": _lost(released, last, words),
        "taken_back": _taken_back(released, last, words),
        "kept": [
            words.say(text, share=words.pct(kept[column] / kept["total"])) for column, text in KEPT if kept["total"]
        ],
        "kept_address": released.address("detail_kept", release=last),
        "files": [_about(line, words) for line in files if line["name"] not in load_dictionary().tables],
        "manifest": _download(last, "manifest.json"),
        "by_law": [(words.say(text), released.address(name, release=last)) for text, name in BY_LAW],
        "database": {"href": f"/datasets/{released.file_name}", "byte_count": released.byte_count},
        "older": [
            {"id": release.release_id, "href": released.address("file_list", release=release.release_id)}
            for release in reversed(released.releases[:-1])
        ],
        "tables": [
            {
                "name": spec.name,
                "title": spec.title[words.lang],
                "text": spec.text[words.lang],
                "files": next((line["files"] for line in files if line["name"] == spec.name), []),
            }
            for spec in load_dictionary().tables.values()
        ],
        "questions": [{"title": q.title[words.lang], "question": q} for q in questions],
        "views": [row["name"] for row in released.rows(_VIEWS)],
        "citation": _citation(last, words, facts),
        "topics": _topics(words, named),
    }


def _topics(words: Words, named: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the ready queries by what a reader asks, each with its address; the pairs stand above, with their answers."""
    return [
        {
            "title": TOPICS[topic][words.lang],
            "queries": [
                {"name": query.name, "title": query.title[words.lang], "address": query.address(named)}
                for query in queries
            ],
        }
        for topic, queries in queries_by_topic().items()
        if topic != "reading"
    ]


def _citation(last: str, words: Words, facts: Facts) -> str:
    return words.say(
        "%(title)s, release %(release)s, query NAME, licence %(license)s.",
        title=facts.title[words.lang],
        release=words.period(last),
        license=facts.license,
    )


def _files(released: Released, last: str) -> list[dict[str, Any]]:
    """Give the files of a release, those of one table on one line."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in released.ask("file_list", release=last):
        table, _, kind = row["name"].partition(".")
        file = {"kind": kind, "byte_count": row["byte_count"], "href": _download(last, row["name"])}
        lines.setdefault(table, []).append(file)
    return [{"name": table, "files": files} for table, files in lines.items()]


def _about(line: Mapping[str, Any], words: Words) -> dict[str, Any]:
    about = ABOUT.get(line["name"])
    return {**line, "title": words.say(about) if about else ""}


def _download(release_id: str, name: str) -> str:
    return f"/datasets/releases/{release_id}/{name}"


def _rule(rule: Rule, words: Words) -> dict[str, Any]:
    title, text = _RULES[rule.number]
    return {
        "number": rule.number,
        "title": words.say(title),
        "text": words.say(text),
        "wrong": _answer(rule.wrong, rule.number, words),
        "right": _answer(rule.right, rule.number, words),
    }


def _answer(answer: Answer, number: int, words: Words) -> dict[str, str]:
    low, high = answer.row["answer"], answer.row.get("answer_at_most")
    if "still_open" in answer.row:
        text = words.say(
            "%(registered)s registered, %(finished)s finished, %(still_open)s open",
            registered=words.num(low),
            finished=words.num(answer.row["finished"]),
            still_open=words.num(answer.row["still_open"]),
        )
    elif number in _PERCENT:
        text = words.num(low, 1) + "٪" if words.lang == "fa" else f"{words.num(low, 1)}%"
        if high is not None and low is not None:
            text = words.say("%(low)s to %(high)s percent", low=words.num(low, 1), high=words.num(high, 1))
    elif high is not None:
        text = words.say("%(low)s to %(high)s cases", low=words.num(low), high=words.num(high))
    elif number == 3:
        text = words.say("%(n)s days", n=words.num(low, 1))
    else:
        text = words.say("%(n)s cases", n=words.num(low))
    return {"words": text, "sql": answer.sql, "address": answer.address}


def _lost(released: Released, last: str, words: Words) -> dict[str, str]:
    row = released.ask("nothing_lost", release=last)[0]
    text = words.say(
        "Nothing lost: %(grouped)s cases in groups and %(awaiting)s awaiting theirs make %(finished)s finished cases.",
        grouped=words.num(row["grouped"]),
        awaiting=words.num(row["awaiting"]),
        finished=words.num(row["finished"]),
    )
    return {"text": text, "address": released.address("nothing_lost", release=last)}


def _taken_back(released: Released, last: str, words: Words) -> dict[str, str]:
    row = released.ask("taken_back", release=last)[0]
    text = words.say(mark("No group has been withdrawn or corrected so far."))
    if row["withdrawn_groups"] or row["corrected_groups"]:
        text = words.say(
            mark(
                "%(withdrawn)s groups were withdrawn for good and %(corrected)s replaced by a coarser row over the same cases."
                " Sums, charts and ready questions leave them out; files of earlier releases stay as they were."
            ),
            withdrawn=words.num(row["withdrawn_groups"]),
            corrected=words.num(row["corrected_groups"]),
        )
    return {"text": text, "address": released.address("taken_back", release=last)}
