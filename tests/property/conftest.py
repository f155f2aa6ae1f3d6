"""Random offices run through the engine once, with and beside the reference; every law looks at the same runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.anonymise import History, anonymise, with_settled
from etl.engine import open_duckdb
from etl.model.published import Published
from tests.reference.anonymise import Memory, release_months
from tests.reference.offices import FIRST_ON, RUNS, Snapshot, small_policy, snapshots, stage
from tests.reference.runs import next_history, rows_of

FOLDER = Path(__file__).parent
TABLES = ("margin", "case_group", "case_group_step", "trace_step", "statutory", "placement")
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Run:
    """One run: its staging rows, what the engine published, and the reference's memory afterwards."""

    snapshot: Snapshot
    rows: Rows
    memory: Memory


def rows_of_all(published: Published) -> Rows:
    """Fetch every relation of a run."""
    rows = {table: rows_of(getattr(published, table)) for table in TABLES}
    return rows | {table: rows_of(relation) for table, relation in published.numbers.items()}


class Engine:
    """The engine under test with the calendar of the random offices."""

    def __init__(self, backend: Any) -> None:
        """Make the calendar once."""
        self.backend = backend
        self.policy = small_policy()
        days = self.policy.calendar.working.days(FIRST_ON, FIRST_ON + timedelta(days=31 * (sum(RUNS) + 4)))
        self.calendar = backend.create_table("calendar_day", days)
        self._count = 0

    def stage(self, snapshot: Snapshot) -> Any:
        """Put a snapshot on the engine under a name of its own."""
        self._count += 1
        return stage(self.backend, snapshot, f"office{self._count}")

    def run(self, snapshots: Sequence[Snapshot], **first: Any) -> Iterator[Published]:
        """Release the due months of each snapshot in turn, with the memory of the ones before."""
        history = History(due=snapshots[0].due, first_month=snapshots[0].due[0], **first)
        made: Published | None = None
        for snapshot in snapshots:
            if made is not None:
                history = next_history(self.backend, history, made, due=snapshot.due, policy=self.policy)
            staging = self.stage(snapshot)
            history = with_settled(history, staging.case, policy=self.policy)
            made = anonymise(staging, calendar=self.calendar, policy=self.policy, history=history)
            yield made


class Runs(Sequence[Run]):
    """The three runs of an office, each made when it is first looked at."""

    def __init__(self, engine: Engine, seed: int) -> None:
        """Remember the office; run nothing."""
        office = snapshots(seed)
        self._memory, self._done = Memory(), list[Run]()
        self._policy = engine.policy
        self._coming = zip(office, engine.run(office), strict=True)

    def __len__(self) -> int:
        """Count the runs."""
        return len(RUNS)

    def __getitem__(self, place: Any) -> Any:
        """Give a run, after running all up to it."""
        wanted = range(len(RUNS))[place]
        for _ in range(len(self._done), (max(wanted) if isinstance(wanted, range) else wanted) + 1):
            snapshot, published = next(self._coming)
            release_months(snapshot.cases, snapshot.due, policy=self._policy, memory=self._memory)
            self._done.append(Run(snapshot, rows_of_all(published), deepcopy(self._memory)))
        return self._done[place]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every law time for all its offices on a busy machine: a run that is cut off ends the runs after it, too."""
    for item in items:
        if item.path.parent == FOLDER and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An in-memory DuckDB for all random offices."""
    backend = open_duckdb(tmp_path_factory.mktemp("duck"), memory_limit="600MB")
    yield Engine(backend)
    backend.disconnect()


@pytest.fixture(scope="session")
def runs_of(engine: Engine) -> Callable[[int], Runs]:
    """Give the three runs of the office of a seed; each is made once."""
    made: dict[int, Runs] = {}

    def give(seed: int) -> Runs:
        if seed not in made:
            made[seed] = Runs(engine, seed)
        return made[seed]

    return give


def month_end(code: str, snapshot: Snapshot) -> date:
    """Give the last day of a due month."""
    return next(month.last_on for month in snapshot.due if month.code == code)
