"""What a pattern keeps, on timelines small enough to see."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from etl.anonymise.embedding import Pattern, embed
from etl.anonymise.pattern_level import VALUE, PatternLevel
from etl.anonymise.patterns import MOST_SEQUENCES, framed, known_patterns, mine_patterns
from etl.anonymise.peel import Rung
from etl.anonymise.traces import Timelines
from etl.model.codes import GAP
from tests.reference.runs import rows_of

NAMES = "abcdefgh"


def mine(counts: dict[str, int], k: int, **known: Any) -> dict[str, str]:
    """Mine words of single letters; `.` is a gap, so that `a.c` is an a first, a c last, and anything between."""
    sequences = [tuple(NAMES.index(letter) + 2 for letter in word) for word in counts]
    mined = mine_patterns(sequences, list(counts.values()), k=k, **known)
    return {word: shown(mined[place]) for place, word in enumerate(counts) if place in mined}


def shown(pattern: Pattern) -> str:
    """Write a pattern with a dot for a gap."""
    text = ""
    for symbol, is_next in list(zip(pattern.symbols, pattern.is_next, strict=True))[1:]:
        text += "" if is_next else "."
        text += NAMES[symbol - 2] if symbol > 1 else ""
    return text


def test_a_rare_step_becomes_a_gap() -> None:
    """Ten cases of which each has a rare step of its own between two common ones show the common ones and where it was."""
    assert set(mine({"abc": 4, "abdc": 3, "abec": 3}, 10).values()) == {"ab.c"}


def test_beginnings_and_ends_are_kept_where_all_share_them() -> None:
    """No gap stands before the first step where all cases begin with it; one does where they do not."""
    assert set(mine({"ab": 5, "abc": 5}, 10).values()) == {"ab."}
    assert set(mine({"ab": 5, "cab": 5}, 10).values()) == {".ab"}


def test_a_frequent_timeline_stays_whole() -> None:
    """A timeline of k cases needs no gap, and shows one only where that keeps more of the others than it costs."""
    assert mine({"abc": 10, "fgh": 3}, 10) == {"abc": "abc"}
    assert mine({"abc": 10, "abdc": 3}, 10) == {"abc": "ab.c", "abdc": "ab.c"}
    assert mine({"abc": 90, "abdc": 3}, 10) == {"abc": "abc"}


def test_two_crowds_keep_more_than_one() -> None:
    """Cases are divided where two patterns keep more than what all have in common."""
    assert mine({"abcd": 5, "abcde": 5, "fgha": 5, "fghab": 5}, 10) == {
        "abcd": "abcd.",
        "abcde": "abcd.",
        "fgha": "fgha.",
        "fghab": "fgha.",
    }


def test_fewer_than_k_share_nothing() -> None:
    """Nine cases show no pattern, and ten that have no step in common show none either."""
    assert mine({"abc": 5, "abd": 4}, 10) == {}
    assert mine({"ab": 5, "cd": 5}, 10) == {}


def test_a_pattern_stands_where_it_first_can() -> None:
    """Blocks of neighbours are placed as early as they can be, and in their order."""
    pattern = Pattern((0, 2, 3, 2, 1), (False, False, True, False, False))
    assert embed(pattern, framed((2, 4, 2, 3, 3, 2, 2))) == (0, 3, 4, 6, 8)
    assert embed(pattern, framed((2, 4, 2))) is None


def test_a_released_timeline_can_be_reused() -> None:
    """Public patterns: a released timeline shows cases that have one step more somewhere, and nothing else is found."""
    symbol_of = {name: place + 2 for place, name in enumerate(NAMES)}
    known = known_patterns([[("a", False), ("b", False), ("c", False)]], symbol_of)
    assert mine({"abdc": 5, "abec": 5, "fgh": 10}, 10, known=known) == {"abdc": "ab.c", "abec": "ab.c"}


def test_a_released_pattern_keeps_its_gaps() -> None:
    """A pattern of an earlier release is known with its gaps, also those at its beginning and end."""
    symbol_of = {name: place + 2 for place, name in enumerate(NAMES)}
    released = [[(GAP, True), ("a", False), ("b", False), (GAP, True)]]
    assert mine({"fabc": 5, "cabf": 5}, 10, known=known_patterns(released, symbol_of)) == {
        "fabc": ".ab.",
        "cabf": ".ab.",
    }


def test_unknown_activities_are_no_public_pattern() -> None:
    """A released timeline with an activity that no case of the class has is passed over."""
    assert known_patterns([[("zzz", False)]], {"a": 2}) == []
    assert known_patterns([[(GAP, True)]], {"a": 2}) == []


@pytest.mark.parametrize("count", [1, 300])
def test_many_timelines_are_counted_whole(count: int) -> None:
    """Occurrences above what one byte holds are counted as they are."""
    assert (mine({"ab": count, "abc": 1}, 300) != {}) == (count >= 299)
    assert MOST_SEQUENCES >= 1000


def test_no_time_spans_a_gap(backend: Any) -> None:
    """Days since the previous step belong to steps that follow each other: after a gap there are none, and no others."""
    walks = {1: "abdc", 2: "abec", 3: "abfc"}
    steps = [
        {"case_number": case, "step_number": step, "token": NAMES.index(name), "since_start": 10 * step - 10}
        | {"since_previous": 10 if step > 1 else None}
        for case, walk in walks.items()
        for step, name in enumerate(walk, 1)
    ]
    tokens = [
        {"token": token, "activity_code": name, "unit_id": "", "milestone_code": "", "milestone_token": None}
        for token, name in enumerate(NAMES)
    ]
    cases = [{"case_number": case, "requester_number": None, "floor_number": 1} for case in walks]
    members = [{"case_number": case, "trace_level": "pattern", "trace_key": 1} for case in walks]

    def put(name: str, rows: list[dict[str, Any]]) -> Any:
        texts = {"activity_code", "unit_id", "milestone_code", "trace_level"}
        shape = pa.schema([(column, pa.string() if column in texts else pa.int32()) for column in rows[0]])
        return backend.create_table(f"walk_{name}", pa.Table.from_pylist(rows, schema=shape))

    timelines = Timelines(put("token", tokens), {"steps": put("step", steps)}, ("steps",))
    timeline_of = put("of", [{"case_number": case, "trace_steps": case} for case in walks])
    level = PatternLevel(timelines, timeline_of, k=3)
    assert len(rows_of(level.compute(put("case", cases), Rung((VALUE,))))) == 3
    timed = rows_of(level.case_steps(put("member", members)))
    # the pattern is `ab.c`: its rows are a, b, the gap and c
    assert {(row["step_number"], row["since_start"], row["since_previous"]) for row in timed} == {
        (1, 0, None),
        (2, 10, 10),
        (4, 30, None),
    }
