"""Law 5: the truth lies in every interval that whole groups and awaiting cases give, on random offices and in the views."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from etl.anonymise import History, anonymise
from etl.engine import open_duckdb
from etl.instance import Instance
from etl.load import build_database, write_releases
from etl.metadata import code_rows
from tests.fixtures.tiny_office import AS_OF, TINY, tiny_calendar, tiny_due, tiny_policy, tiny_rows, tiny_staging
from tests.property.conftest import Run
from tests.property.test_laws_of_random_offices import POLICY, bounded, offices
from tests.reference.intervals import ancestors, interval
from tests.reference.values import value

SHOWN = {
    "outcome": (
        "outcome_code",
        {r.code: r.parent_code for r in code_rows(POLICY) if r.list_code == "outcome" and r.parent_code},
    ),
    "lateness": ("lateness_code", {}),
    "channel": ("channel_code", {}),
    "service": ("service_id", {node.id: node.parent for node in POLICY.services}),
}
LEVEL = {"outcome": "code", "lateness": "code", "channel": "code", "service": "leaf"}


@bounded
@offices
def test_law_5_the_truth_lies_in_every_interval(runs_of: Callable[[int], Sequence[Run]], seed: int) -> None:
    """After the first run, for each body and type, the true count of every value lies in its interval, and n is all."""
    run = runs_of(seed)[0]
    finished = defaultdict(list)
    for case in run.snapshot.cases:
        if case["case_key"] in run.memory.finished:
            finished[run.memory.finished[case["case_key"]]].append(case)
    rows = defaultdict(list)
    for row in run.rows["case_group"]:
        rows[row["body_id"], row["case_type_code"]].append(row)
    last = run.snapshot.due[-1].code
    awaiting = {
        (r["body_id"], r["case_type_code"]): r["awaiting_count"] for r in run.rows["margin"] if r["month_code"] == last
    }
    for kind, cases in finished.items():
        for column, (name, parents) in SHOWN.items():
            truth = Counter(_true_value(case, column) for case in cases)
            for code in {*truth, *parents, "never_used"}:
                bounds = interval(rows[kind], name, code, parents=parents, awaiting=awaiting[kind])
                inner = sum(n for own, n in truth.items() if own == code or code in ancestors(own, parents))
                assert bounds.at_least <= inner <= bounds.at_most
                assert bounds.total == len(cases)


def _true_value(case: dict[str, Any], column: str) -> Any:
    fine = case["outcome_code"] or "not_recorded"
    return fine if column == "outcome" else value(case, column, LEVEL[column], POLICY)


def test_law_5_the_published_view_contains_the_truth(tmp_path: Path) -> None:
    """The view of outcomes of the tiny office bounds the true counts of each body, type and year, and misses no case."""
    root = tmp_path / "office"
    root.mkdir()
    for name in ("metadata.yml", "services.csv", "units.csv"):
        (root / name).write_bytes((TINY / name).read_bytes())
    backend = open_duckdb(tmp_path, memory_limit="300MB")
    instance, due = Instance(root), tiny_due(1)
    history = History(due=due, first_month=due[0])
    made = anonymise(
        tiny_staging(backend, batch=1), calendar=tiny_calendar(backend), policy=tiny_policy(), history=history
    )
    write_releases(instance, backend, made, as_of=AS_OF[1], due=due)
    connection = sqlite3.connect(build_database(instance))
    given = connection.execute(
        "select body_id, case_type_code, outcome_code, at_least, at_most, total from total_by_outcome_v1 where year_code = '1403'"
    ).fetchall()
    connection.close()
    backend.disconnect()
    end = due[-1].last_on.isoformat()
    cases = [row for row in tiny_rows("case") if row["first_seen_batch"] == "1" and "" < row["finished_on"] <= end]
    truth = Counter((row["body_id"], row["case_type_code"], row["outcome_code"]) for row in cases)
    volume = Counter((row["body_id"], row["case_type_code"]) for row in cases)
    assert {row[2] for row in given} >= {key[2] for key in truth}
    for body, case_type, outcome, at_least, at_most, total in given:
        assert total == volume[body, case_type]
        if outcome not in ("positive", "negative"):
            assert at_least <= truth[body, case_type, outcome] <= at_most
