"""Tables of sums over whole groups against a plain recount, and their medians against every truth the groups allow."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.audit import read_evidence, sums
from etl.instance import Instance
from etl.load import write_releases
from etl.load.sums import LADDER_COLUMNS
from etl.metadata import duration_bands
from etl.metadata.settings import Bands
from tests.load.builder import AS_OF, METADATA, Office, floor, group, make_instance
from tests.reference.anonymise import ranks
from tests.reference.duration import WAITS

EDGES = Bands().duration
BANDS = list(duration_bands(EDGES))
Rows = list[dict[str, Any]]
Made = tuple[Rows, list[list[int | None]]]


def random_office(seed: int) -> tuple[Office, dict[int, list[int | None]]]:
    """Groups of one month with the waits that stand behind each of them."""
    chance = random.Random(seed)
    rows, waits = [], {}
    for number in range(40):
        band = chance.choice([None, *BANDS])
        first = 0 if band is None else int(band.split("_")[0])
        days = [first + chance.randrange(3) if band else chance.choice((0, 1, 3, 8, 30)) for _ in range(10 + number)]
        own: list[int | None] = [day if band or chance.random() < 0.9 else None for day in days]
        row = group(
            case_count=len(own),
            rung_number=1 + number % 6,
            service_id=chance.choice((None, "build", "shop", "permits")),
            outcome_code=chance.choice((None, "granted_full", "refused_exempt")),
            lateness_code=chance.choice((None, "on_time", "late")),
            channel_code=chance.choice((None, "web", "desk")),
            duration_band_code=band,
            body_id=chance.choice(("alef", "be")),
            is_loop=chance.choice((None, True, False)),
        )
        row["service_level"] = {None: None, "permits": "family"}.get(row["service_id"], "leaf")
        asked = [({"requester_key": None, "case_key": place}, day) for place, day in enumerate(own)]
        rows.append(row | ranks(asked, WAITS, 10))
        waits[len(rows) - 1] = own
    distinct: dict[tuple[Any, ...], int] = {}
    for place, row in enumerate(rows):
        key = tuple(
            row[name] for name in ("body_id", "rung_number", *(c for c, _ in LADDER_COLUMNS.values() if c in row))
        )
        distinct.setdefault(key, place)
    kept = sorted(distinct.values())
    for body in ("alef", "be"):
        rows.append(floor(body_id=body))
        waits[len(rows) - 1] = [chance.randrange(40) for _ in range(rows[-1]["case_count"])]
        kept.append(len(rows) - 1)
    return Office(["1403-01"], [rows[place] for place in kept]), {n: waits[place] for n, place in enumerate(kept)}


def read(instance: Instance, table: str) -> Rows:
    """Read a released table."""
    found: Rows = pq.read_table(instance.releases / "1403-01" / f"{table}.parquet").to_pylist()
    return found


def summed(rows: Rows, names: tuple[str, ...], *, count: str = "case_count") -> Counter[tuple[Any, ...]]:
    """Sum a count by columns."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        counted[tuple(row[name] for name in names)] += row[count]
    return counted


@pytest.mark.parametrize("seed", range(3))
def test_the_rollup_is_groups_summed(instance: Instance, release: Callable[[Office], Any], seed: int) -> None:
    """One row for each combination of its columns, with the sum of the groups that show exactly that."""
    release(random_office(seed)[0])
    keys = ("body_id", "case_type_code", "period_code", "service_id", "outcome_code", "lateness_code")
    rows = read(instance, "case_group_rollup")
    assert summed(rows, keys) == summed(read(instance, "case_group"), keys)
    assert len({tuple(row[name] for name in keys) for row in rows}) == len(rows)


@pytest.mark.parametrize("seed", range(3))
def test_coverage_counts_the_cases_that_keep_a_detail(
    instance: Instance, release: Callable[[Office], Any], seed: int
) -> None:
    """For each body, detail and level the cases of whole groups that show it, out of all cases of the release."""
    release(random_office(seed)[0])
    groups = read(instance, "case_group")
    expected: Counter[tuple[Any, ...]] = Counter()
    for name, (column, finest) in LADDER_COLUMNS.items():
        for row in groups:
            if row[column] is not None:
                expected[row["body_id"], name, finest or row[f"{name}_level"]] += row["case_count"]
    rows = read(instance, "coverage")
    assert summed(rows, ("body_id", "column_code", "level_code"), count="kept_count") == expected
    scope = summed(groups, ("body_id",))
    assert all(row["scope_count"] == scope[row["body_id"],] for row in rows)


def test_coverage_names_the_level_of_the_rung(tmp_path: Path, backend: Any) -> None:
    """A coarser outcome or a wider band counts at its own level, and whoever recounts the groups agrees."""
    wide = METADATA.replace("    - {outcome: code}\n", "    - {outcome: parent, duration: wide_band}\n")
    wide = wide.replace("  ladder:\n", "  bands: {duration: [0, 10, 20], duration_wide: [0, 10]}\n  ladder:\n")
    instance = make_instance(tmp_path / "wide", metadata=wide)
    fine = {"outcome_code": "granted_full", "lateness_code": "on_time"}
    rows = [
        group(case_count=30, rung_number=4, **fine),
        group(case_count=20, outcome_code="positive", duration_band_code="00_10"),
    ]
    office = Office(["1403-01"], rows)
    write_releases(instance, backend, office.published(), as_of=AS_OF, due=office.months)
    counted = summed(read(instance, "coverage"), ("column_code", "level_code"), count="kept_count")
    levels = {
        ("outcome", "code"): 30,
        ("lateness", "code"): 30,
        ("outcome", "parent"): 20,
        ("duration", "wide_band"): 20,
    }
    assert counted == levels
    assert sums.attack(read_evidence(instance.root), seed=1, attempts=1).hit_count == 0


@pytest.mark.parametrize("seed", range(6))
def test_the_true_median_lies_between_its_bounds(
    instance: Instance, release: Callable[[Office], Any], seed: int
) -> None:
    """Whatever the untimed cases waited, the median of those that keep a detail, and of the rest, is inside its interval."""
    office, waits = random_office(seed)
    release(office)
    rows = read(instance, "representativeness")
    assert {row["column_code"] for row in rows} >= {"service", "channel", "duration"}
    for row in rows:
        column = LADDER_COLUMNS[row["column_code"]][0]
        behind = [
            (group, waits[place])
            for place, group in enumerate(office.groups)
            if group["body_id"] == row["body_id"]
            and (group["trace" if column == "trace_id" else column] is not None) is row["is_kept"]
        ]
        days = [day for _, own in behind for day in own]
        assert row["scope_count"] == len(days)
        for unknown in (0, 10_000):
            median = sorted(unknown if day is None else day for day in days)[(len(days) - 1) // 2]
            low, high = row["wait_median_at_least_days"], row["wait_median_at_most_days"]
            assert (0 if low is None else low) <= median <= (10_000 if high is None else high)
        sure = sum(len(own) for group, own in behind if group["lateness_code"] == "on_time")
        open_ = sum(len(own) for group, own in behind if group["lateness_code"] is None)
        assert (row["on_time_at_least_count"], row["on_time_at_most_count"]) == (sure, sure + open_)


def test_a_release_without_groups_has_empty_sums(instance: Instance, release: Callable[[Office], Any]) -> None:
    """An empty month has the three tables, without rows."""
    release(Office(["1403-01"], [], awaiting={("1403-01", "alef", "foi"): 4}))
    assert [read(instance, name) for name in ("case_group_rollup", "coverage", "representativeness")] == [[], [], []]
    assert isinstance(pq.read_table(instance.releases / "1403-01" / "coverage.parquet"), pa.Table)
