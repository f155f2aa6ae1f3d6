"""Law 2 across populations, on random offices: stock and flow give no hidden number of fewer than k cases away."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from etl.audit import Evidence, flows
from etl.audit.evidence import Release
from etl.audit.windows import known_windows
from etl.model.identity import COHORT, FINISHED, FLOWS, STOCK, Books, Cell, Value
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
    for windows in known_windows(published(runs_of(seed)[:3])):
        for first in range(len(windows.months)):
            for last in range(first, len(windows.months)):
                volumes = [_volume(term, first, last) for term in windows.terms]
                assert sum(term.sign * count for term, count in zip(windows.terms, volumes, strict=True)) == 0


MONTHS = ["1402-12", *(f"1403-{number:02}" for number in range(1, 13))]
KIND = {"body_id": "alef", "case_type_code": "service"}
K = 10


def drawn(seed: int) -> tuple[list[dict[str, Any]], list[Cell]]:
    """Draw a year of a body with three services: monthly counts, and what is shown where a service has k cases."""
    chance = random.Random(seed)
    families = {"permits": (12, 30), "tax": (12, 25), "aid": (0, 1)}
    stock = {family: chance.randint(0, most) for family, (_, most) in families.items()}
    margins: list[dict[str, Any]] = []
    cells: list[Cell] = []
    for month in MONTHS:
        came = {family: chance.randint(*usual) for family, usual in families.items()}
        went = {f: came[f] + chance.randint(-min(4, came[f]), min(4, stock[f])) for f in families}
        stock = {family: stock[family] + came[family] - went[family] for family in families}
        flows_ = {"registered_count": came, "finished_count": went, "open_count": stock}
        row = dict.fromkeys(FLOWS, 0) | {name: sum(counts.values()) for name, counts in flows_.items()}
        margins.append({**KIND, "month_code": month, "release_id": month, **row})
        told = {COHORT: came, FINISHED: went, STOCK: stock if month.endswith("-12") else {}}
        cells += [
            Cell(population, *KIND.values(), month, month, Value((family,)), count)
            for population, counts in told.items()
            for family, count in counts.items()
            if count >= K and chance.random() < 0.97
        ]
    return margins, cells


def as_evidence(margins: Sequence[dict[str, Any]], cells: Sequence[Cell]) -> Evidence:
    """Publish drawn counts and cells."""
    tables: dict[str, Any] = {"margin": pa.Table.from_pylist(list(margins))}
    for name in POPULATIONS:
        rows = [
            {**KIND, "period_code": c.period_code, "release_id": c.release_id, "service_id": c.value.service[-1]}
            | {"case_count": c.case_count}
            for c in cells
            if c.population == name
        ]
        schema = pa.schema([(n, pa.int64() if n == "case_count" else pa.string()) for n in rows[0]]) if rows else None
        tables[name] = pa.Table.from_pylist(rows, schema=schema) if rows else pa.table({})
    services = [{"service_id": name, "parent_id": None} for name in ("permits", "tax", "aid")]
    schema = pa.schema([("service_id", pa.string()), ("parent_id", pa.string())])
    tables["service"] = pa.Table.from_pylist(services, schema=schema)
    return Evidence((Release(MONTHS[-1], 1, K, "", {}),), tables)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_law_2_the_gate_finds_what_the_audit_finds(first: int) -> None:
    """Month by month the books name each month end and service that the attack, which shares no code, names at the end."""
    found = 0
    for seed in range(first, first + 50):
        margins, cells = drawn(seed)
        books = Books()
        gated: set[tuple[str, Value]] = set()
        for row in margins:
            books.add([row], [cell for cell in cells if cell.release_id == row["month_code"]])
            gated |= {(each.month_code, each.value) for each in books.narrow(row["month_code"], k=K)}
        seen = set()
        for windows in known_windows(as_evidence(margins, cells)):
            seen |= {(windows.months[last], value) for value, _, last in flows.narrow_windows(windows, K)}
        assert gated == seen
        found += len(seen)
    assert found > 20


def emptying(seed: int) -> list[tuple[dict[str, Any], list[Cell]]]:
    """Draw a body that cases come to in two months only: each month's counts, and what groups of k cases would show."""
    chance = random.Random(f"emptying {seed}")
    families = {"permits": 8, "tax": 3, "aid": 4}
    begins, ends = set(chance.sample(range(8), 2)), set(chance.sample(range(1, 13), chance.randint(1, 3)))
    stock = dict.fromkeys(families, 0)
    shown: list[tuple[dict[str, Any], list[Cell]]] = []
    before = ("", dict.fromkeys(families, 0))
    for place, month in enumerate(MONTHS):
        drawn_ = chance.choices(list(families), list(families.values()), k=chance.randint(60, 160) * (place in begins))
        came = {family: drawn_.count(family) for family in families}
        share = chance.choice((0.8, 0.9, 0.95, 0.98, 1) if place in ends else (0, 0, 0.05, 0.1))
        went = {f: sum(chance.random() < share for _ in range(stock[f] + came[f])) for f in families}
        stock = {family: stock[family] + came[family] - went[family] for family in families}
        counts = {"registered_count": came, "finished_count": went, "open_count": stock}
        row = dict.fromkeys(FLOWS, 0) | {name: sum(each.values()) for name, each in counts.items()}
        told = [(FINISHED, month, went), (COHORT, *before), (STOCK, month, stock if month.endswith("-12") else {})]
        cells = [
            Cell(population, *KIND.values(), period, month, Value((family,)), count)
            for population, period, each in told
            for family, count in each.items()
            if count >= K
        ]
        shown.append(({**KIND, "month_code": month, "release_id": month, **row}, cells))
        before = (month, came)
    return shown


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_law_2_no_month_to_come_tells_what_a_release_hid(first: int) -> None:
    """What stands back for months to come leaves the attack nothing in any of them, though these show nothing new."""
    for seed in range(first, first + 50):
        books, kept = Books(), list[Cell]()
        shown = emptying(seed)
        for row, cells in shown:
            books.add([row], ())
            for new in (cells, [cell for cell in cells if cell.population == FINISHED], []):
                if not books.with_cells(new).narrow(row["month_code"], k=K, ahead=True):
                    break
            books.add((), new)
            kept += new
        for windows in known_windows(as_evidence([row for row, _ in shown], kept)):
            assert flows.narrow_windows(windows, K) == []


def _volume(term: Any, first: int, last: int) -> int:
    return int(term.hidden[first, last] + sum(shown[first, last] for shown in term.shown.values()))
