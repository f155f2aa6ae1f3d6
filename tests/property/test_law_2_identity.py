"""Law 2 across populations, on random offices: stock and flow give no hidden number of fewer than k cases away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit import Evidence, flows
from etl.audit.evidence import Release
from etl.audit.windows import stock_windows
from tests.property.conftest import Run
from tests.property.test_laws_of_random_offices import POLICY, bounded, offices

RunsOf = Callable[[int], Sequence[Run]]
POPULATIONS = ("case_group", "cohort_group", "open_group")


def published(runs: Sequence[Run]) -> Evidence:
    """Give what an outsider has of margins and populations after some runs."""
    tables = {name: [row for run in runs for row in run.rows[name]] for name in ("margin", *POPULATIONS)}
    rows = {name: pa.Table.from_pylist(found) for name, found in tables.items()}
    services = [{"service_id": node.id, "parent_id": node.parent} for node in POLICY.services]
    last = max(row["release_id"] for row in tables["margin"])
    release = Release(last, 1, POLICY.k, "", {})
    return Evidence((release,), rows | {"service": pa.Table.from_pylist(services)})


def until(evidence: Evidence, release_id: str) -> Evidence:
    """Give the same on the day of an earlier release."""
    tables = {
        name: table.filter(pc.less_equal(table["release_id"], release_id)) if name != "service" else table
        for name, table in evidence.tables.items()
    }
    return Evidence(evidence.releases, tables)


@bounded
@offices
def test_law_2_stock_and_flow_give_nobody_away(runs_of: RunsOf, seed: int) -> None:
    """On the day of every release, from every month end to every later one, for every service family."""
    evidence = published(runs_of(seed)[:3])
    tried = 0
    for month in sorted(set(evidence.table("margin")["month_code"].to_pylist())):
        attack = flows.attack(until(evidence, month), seed=1, attempts=1)
        assert attack.findings == ()
        tried += attack.attempts
    assert tried > 1000


@bounded
@offices
def test_the_identity_holds_for_what_is_shown_and_hidden(runs_of: RunsOf, seed: int) -> None:
    """In every window the six numbers close, so that the attack solves what the office says and nothing else."""
    for windows in stock_windows(published(runs_of(seed)[:3])):
        for first in range(len(windows.months)):
            for last in range(first, len(windows.months)):
                volumes = [_volume(term, first, last) for term in windows.terms]
                assert sum(term.sign * count for term, count in zip(windows.terms, volumes, strict=True)) == 0


def _volume(term: Any, first: int, last: int) -> int:
    return int(term.hidden[first, last] + sum(shown[first, last] for shown in term.shown.values()))
