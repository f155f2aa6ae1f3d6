"""The fuzzer sees any selection, and any difference of two, of fewer than k cases; floor rows are counted as limits."""

from __future__ import annotations

import random
import sqlite3
from typing import Any

import pytest

from etl.audit import Evidence, fuzzer
from etl.audit.selections import Selectable
from tests.audit.conftest import learnt, planted

ATTEMPTS = 2000


def _smaller(rows: list[dict[str, Any]], **values: Any) -> list[dict[str, Any]]:
    rows[0] |= values
    return rows


def test_nothing_is_found_in_a_clean_office(evidence: Evidence) -> None:
    """Groups of at least k give no hit; what is below k is floor alone, and counted."""
    attack = fuzzer.attack(evidence, seed=1, attempts=ATTEMPTS)
    assert (attack.attempts, attack.hit_count) == (ATTEMPTS + evidence.table("case_group").num_rows, 0)
    assert attack.limits["floor"] > 0


def test_a_group_of_k_less_one_is_seen(evidence: Evidence) -> None:
    """One group below k among all is enough."""
    leak = planted(evidence, {"case_group": lambda rows: _smaller(rows, case_count=evidence.k - 1)})
    attack = fuzzer.attack(leak, seed=1, attempts=ATTEMPTS)
    assert learnt(attack) == {"small_count"}
    alone = f"case_group_id = {evidence.table('case_group')['case_group_id'][0]}"
    assert attack.hit_count > 1  # the row alone, and selections that hold nothing else
    assert alone in {hit.where for hit in attack.findings}
    assert any(" = " in hit.where and "case_group_id" not in hit.where for hit in attack.findings)


@pytest.mark.parametrize("column", ["channel_code", "outcome_code", "is_loop"])
def test_a_group_split_by_a_forgotten_column_is_seen(evidence: Evidence, column: str) -> None:
    """A column that peeling forgot splits a group into whole rows below k; so does NULL beside a value."""

    def split(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        part = rows[0] | {column: None, "case_group_id": rows[0]["case_group_id"] + 1000, "case_count": 4}
        return [rows[0] | {"case_count": rows[0]["case_count"] - 4}, part, *rows[1:]]

    assert fuzzer.attack(planted(evidence, {"case_group": split}), seed=1, attempts=ATTEMPTS).hit_count


def test_the_same_seed_tries_the_same_things(evidence: Evidence) -> None:
    """Anyone can repeat an audit."""
    leak = planted(evidence, {"case_group": lambda rows: _smaller(rows, case_count=evidence.k - 1)})
    first, again, other = (fuzzer.attack(leak, seed=seed, attempts=2000) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_predicates_mean_what_their_sql_means(evidence: Evidence) -> None:
    """The text of a predicate selects in SQLite what the fuzzer summed."""
    rows = Selectable(evidence.table("case_group"))
    connection = sqlite3.connect(f"file:{evidence.databases[-1]}?mode=ro", uri=True)
    chance = random.Random(7)
    for _ in range(300):
        predicate = rows.draw(chance, conditions=3)
        query = f"select coalesce(sum(case_count), 0) from case_group where {rows.text(predicate)}"
        assert connection.execute(query).fetchone()[0] == int(rows.count[rows.where(predicate)].sum()), query
    connection.close()
