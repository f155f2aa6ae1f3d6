"""What tests on real input share: run an example, read its raw file, and hold the laws of every release against it."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

import pytest

from etl import pipeline
from etl.instance import Instance
from tests.integration import recount
from tests.integration.conftest import Built
from tests.integration.recount import Office, Row, query


def run_example(project: Path, folder: Path, data: Path, *, period: str = "due") -> Built:
    """Run the example that has the folder's name, in that folder, from file to site."""
    ignore = shutil.ignore_patterns("datasets", "public", "var")
    shutil.copytree(project / "examples" / folder.name, folder, dirs_exist_ok=True, ignore=ignore)
    instance = Instance(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHAFAF_DATA", str(data))
        return Built(instance, pipeline.run(instance, period=period))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a brought file as dictionaries of text."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_laws(built: Built) -> None:
    """Hold k, nothing lost at any release, margins that close, and statutory cells of information requests only."""
    k = built.instance.settings.policy.k
    assert query(built.database, "select min(case_count) as n from case_group where not is_floor")[0]["n"] >= k
    wrong = query(
        built.database,
        """with said as (
             select r.release_id, b.body_id,
                    (select coalesce(sum(case_count), 0) from case_group g
                     where g.body_id = b.body_id and g.release_id <= r.release_id)
                  + (select coalesce(sum(awaiting_count), 0) from margin m
                     where m.body_id = b.body_id and m.release_id = r.release_id) as placed,
                    (select coalesce(sum(finished_count + late_finished_count), 0)
                     from margin m where m.body_id = b.body_id and m.release_id <= r.release_id) as finished
             from release r cross join (select distinct body_id from margin) b)
           select * from said where placed <> finished""",
    )
    assert wrong == []
    stock = query(
        built.database,
        """with stock as (
             select *, lag(open_count, 1, 0) over (partition by body_id, case_type_code order by month_code) as before
             from margin)
           select month_code, body_id from stock
           where before + registered_count + late_registered_count + reopened_count
                 - finished_count - late_finished_count - withdrawn_count <> open_count""",
    )
    assert stock == []
    assert query(built.database, "select * from statutory where case_type_code <> 'foi'") == []


def check_groups(built: Built) -> None:
    """Hold each case against what its row shows, its timeline too; every row has as many cases as it says."""
    office = staged_office(built)
    cases = {case["case_key"]: case for case in office.cases}
    traces: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    patterns: dict[int, list[tuple[str, bool]]] = defaultdict(list)
    for row in query(built.database, "select * from trace_step order by trace_id, step_number"):
        traces[row["trace_id"]].append((row["activity_code"], row["unit_id"]))
        patterns[row["trace_id"]].append((row["activity_code"], bool(row["is_gap"])))
    groups = {row["case_group_id"]: row for row in query(built.database, "select * from case_group")}
    seen: Counter[int] = Counter()
    for path in built.instance.placement.glob("*.parquet"):
        for row in recount.pq.ParquetFile(path).read().to_pylist():
            if row["population_code"] == "finished" and row["case_group_id"] is not None:
                seen[row["case_group_id"]] += 1
                case, group = cases[row["case_key"]], groups[row["case_group_id"]]
                _check_case(case, group, clock=built.instance.settings.policy.clocks.headline)
                if group["trace_id"] is not None:
                    timeline, level = office.events[row["case_key"]], group["trace_level"]
                    if level == "pattern":
                        steps = [activity for activity, _ in recount.steps(timeline, "steps")]
                        assert recount.holds(steps, patterns[group["trace_id"]])
                    else:
                        assert recount.steps(timeline, level) == traces[group["trace_id"]]
    assert seen == Counter({key: group["case_count"] for key, group in groups.items()})


def staged_office(built: Built) -> Office:
    """Read the staged cases of a real office, once for tests that follow each other."""
    return _read_office(built.instance.staging)


def check_shares(built: Built, view: str, true: Counter[tuple[str, ...]], *, name: str = "title_en") -> int:
    """Hold every interval of a yearly view against true counts by (body, year, value); says how many hold a case."""
    said = query(built.database, f"select *, {name} as value from total_by_{view}_v1")
    wrong = [
        row
        for row in said
        if not row["at_least"] <= true[row["body_id"], row["year_code"], row["value"]] <= row["at_most"]
    ]
    assert wrong == []
    return sum(row["at_least"] > 0 for row in said)


def _check_case(case: Row, group: Row, *, clock: str) -> None:
    for column in ("body_id", "case_type_code", "service_id", "unit_id", "outcome_code", "channel_code"):
        assert group[column] in (None, case[column]), column
    assert group["lateness_code"] in (None, case[f"lateness_{clock}_code"])
    assert group["is_loop"] in (None, case["is_loop"])
    band = group["duration_band_code"]
    assert band is None or recount.in_band(band, case["wait_days"])


@lru_cache(maxsize=1)
def _read_office(staging: Path) -> Office:
    return recount.read_office(staging, {})
