"""The battery: everything that can be wrong with data gives a message in three parts or a counted row in quarantine.

Each input is met through the program, as a person meets it. Never a traceback, never a value of a case on the screen, in
the log or in the quarantine file, and read = staged + unchanged + quarantined.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from etl.engine import open_duckdb
from etl.extract import open_staging
from etl.instance import Instance
from tests.bad_input.bends import make_sound
from tests.bad_input.conftest import Seen, check_no_value, check_nothing_lost, check_stop
from tests.bad_input.rows import HELD, UNDERSTOOD, Held, Understood
from tests.bad_input.stops import STOPS, Stop

Make = Callable[..., Path]
Start = Callable[..., Seen]
LEAST = 80


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.name)
def test_an_input_that_stops_the_run_is_told_in_three_parts(bent: Make, start: Start, stop: Stop) -> None:
    """The error has its slug, its exit code and its three parts; nothing was staged, nothing personal is shown."""
    folder = bent(stop.flavour, stop.bend)
    seen = start(folder, "extract", "--json")
    check_stop(seen, stop.slug, stop.code, words=stop.words)
    check_no_value(folder, seen)
    assert not list((folder / "var" / "staging").rglob("*.*"))


@pytest.mark.parametrize("held", HELD, ids=lambda held: held.name)
def test_a_broken_row_is_quarantined_and_counted(bent: Make, start: Start, held: Held) -> None:
    """The row's case is held back with its reason; the others are staged; nothing is lost and no value is shown."""
    folder = bent(held.flavour, held.bend)
    seen = start(folder, "extract", "--json")
    assert seen.code == 0, seen.err
    check_nothing_lost(seen.report)
    assert (seen.report["read"], seen.report["quarantined"]) == (3, held.quarantined)
    assert seen.report["reasons"] == held.reasons
    check_no_value(folder, seen, held.value)


@pytest.mark.parametrize("understood", UNDERSTOOD, ids=lambda understood: understood.name)
def test_a_strange_input_that_is_right_is_understood(bent: Make, start: Start, understood: Understood) -> None:
    """Spellings, encodings and forms that are declared or harmless lose no case."""
    folder = bent(understood.flavour, understood.bend)
    seen = start(folder, "extract", "--json")
    assert seen.code == 0, seen.err
    check_nothing_lost(seen.report)
    assert (seen.report["read"], seen.report["staged"]) == (understood.read, understood.read)
    check_no_value(folder, seen)
    staging = open_staging(open_duckdb(folder / "var" / "tmp"), Instance(folder).staging)
    assert staging is not None
    cases = staging.case.to_pyarrow().to_pylist()
    wanted = {name: str(value) for name, value in understood.case.items()}
    assert any({name: str(case[name]) for name in wanted} == wanted for case in cases)


@pytest.mark.parametrize("flavour", ["table", "events", "database"])
def test_the_sound_office_is_sound(tmp_path: Path, start: Start, flavour: str) -> None:
    """What every input bends is staged whole: an error comes from the bend, not from the office."""
    seen = start(make_sound(tmp_path / "sound", flavour), "extract", "--json")
    assert (seen.code, seen.report["staged"], seen.report["quarantined"]) == (0, 3, 0)


def test_the_battery_is_large_and_its_names_are_one_of_a_kind() -> None:
    """At least eighty bad inputs, each with a name of its own."""
    assert len({stop.name for stop in STOPS} | {held.name for held in HELD}) >= LEAST
    for battery in (STOPS, HELD, UNDERSTOOD):
        names = [each.name for each in battery]
        assert sorted(set(names)) == sorted(names)
