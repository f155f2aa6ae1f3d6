"""Groups that are taken back: withdrawn for good, or replaced by one coarser row over the same cases."""

from __future__ import annotations

import dataclasses
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.errors import PrivacyError, SettingsError, UsageError
from etl.instance import Instance
from etl.instance.durable import sha256_of
from etl.load import Correction, ask, build_database, heal, waiting_requests, write_releases
from etl.load.archive import list_releases, read_table
from etl.load.correction import DROPPABLE
from etl.load.corrections import Corrections
from etl.load.gates import Gated, check_corrections
from etl.load.reconcile import Balance
from etl.load.texts import TextCheck
from etl.metadata import load_dictionary
from tests.load.builder import AS_OF, METADATA, Office, floor, group, make_instance
from tests.load.test_healing import PowerCut, StopsAt

TIMES = {"timed_band_code": "10", "wait_p25_days": 2, "wait_median_days": 4, "wait_p75_days": 6}
FULL = {
    "service_id": "build",
    "service_level": "leaf",
    "unit_id": "alef_tech",
    "unit_level": "leaf",
    "outcome_code": "granted_full",
    "lateness_code": "on_time",
    "duration_band_code": "03_05",
    "is_loop": False,
    "channel_code": "web",
    "trace": "t",
    "trace_level": "steps",
    "rung_number": 1,
    **TIMES,
}
STEP = {"is_gap": False, "timed_band_code": "10", "since_start_median_days": 3}
FIRST = Office(
    ["1403-01", "1403-02"],
    [
        group(case_count=11, **FULL),
        group(case_count=14, outcome_code="not_held"),
        floor(),
        group("1403-02", 12, outcome_code="not_held"),
    ],
    traces={"t": ("steps", [("review", None, False), ("decide", None, False)])},
    steps=[
        {"group": 0, "step_number": n, "activity_code": activity, **STEP}
        for n, activity in ((1, "review"), (2, "decide"))
    ],
)
THIRD = Office(["1403-03"], [group("1403-03", 13, outcome_code="not_held")])
Releaser = Callable[[Office], Any]


def ids(instance: Instance) -> dict[str, int]:
    """Find the first month's groups by what they are."""
    rows = rows_of(instance, "1403-01", "case_group")
    names = {11: "full", 14: "plain", 3: "floor"}
    return {names[row["case_count"]]: row["case_group_id"] for row in rows}


def rows_of(instance: Instance, release_id: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(instance.releases / release_id / f"{name}.parquet").to_pylist()
    return found


@pytest.fixture
def released(instance: Instance, release: Releaser) -> Instance:
    """Two months are released."""
    release(FIRST)
    return instance


@pytest.fixture
def opened(released: Instance, release: Releaser) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Release the third month, build, and open the database."""
    kept: list[sqlite3.Connection] = []

    def give() -> sqlite3.Connection:
        release(THIRD)
        connection = sqlite3.connect(build_database(released))
        connection.row_factory = sqlite3.Row
        kept.append(connection)
        return connection

    yield give
    for connection in kept:
        connection.close()


def test_a_withdrawal_leaves_with_the_next_release_and_changes_no_earlier_one(
    released: Instance, release: Releaser
) -> None:
    """The group gets one row of `withdrawal` in the next release; every released file stays as it was."""
    before = {path: sha256_of(path) for path in released.releases.rglob("*") if path.is_file()}
    ask(released, [Correction(ids(released)["plain"], "privacy")])
    (summary,) = release(THIRD)
    assert rows_of(released, "1403-03", "withdrawal") == [
        {
            "withdrawal_id": 30000001,
            "release_id": "1403-03",
            "case_group_id": ids(released)["plain"],
            "reason_code": "privacy",
            "replaced_by_id": None,
        }
    ]
    assert (summary.withdrawn_count, summary.replaced_count, summary.case_count) == (1, 0, 13)
    assert before == {path: sha256_of(path) for path in before}
    assert waiting_requests(released) == ()


def test_a_replacement_is_one_coarser_row_over_the_same_cases(released: Instance, release: Releaser) -> None:
    """Same place and count, the wrong column and what tells it gone, everything else as it was, and an id of its own."""
    full = ids(released)["full"]
    ask(released, [Correction(full, "source_error", ("lateness",))])
    release(THIRD)
    (old,) = [row for row in rows_of(released, "1403-01", "case_group") if row["case_group_id"] == full]
    (new,) = [row for row in rows_of(released, "1403-03", "case_group") if row["replaces_id"] is not None]
    (withdrawal,) = rows_of(released, "1403-03", "withdrawal")
    assert withdrawal["replaced_by_id"] == new["case_group_id"] == 30000002
    gone = {"lateness_code", "duration_band_code", *TIMES}
    own = {"case_group_id", "release_id", "replaces_id"}
    assert {name for name in old if new[name] != old[name]} == gone | own
    assert all(new[name] is None for name in gone)
    assert (new["replaces_id"], new["case_count"]) == (full, 11)


def test_steps_follow_as_far_as_they_are_still_right(released: Instance, release: Releaser) -> None:
    """Without the channel the steps stay, under the new id; without times they lose theirs."""
    full = ids(released)["full"]
    ask(released, [Correction(full, "source_error", ("channel",))])
    release(THIRD)
    new = rows_of(released, "1403-03", "withdrawal")[0]["replaced_by_id"]
    steps = rows_of(released, "1403-03", "case_group_step")
    assert [(row["case_group_step_id"], row["case_group_id"], row["since_start_median_days"]) for row in steps] == [
        (30000001, new, 3),
        (30000002, new, 3),
    ]
    ask(released, [Correction(new, "source_error", ("times",))])
    release(Office(["1403-04"], [group("1403-04")]))
    again = rows_of(released, "1403-04", "case_group_step")
    assert [row["since_start_median_days"] for row in again] == [None, None]
    (row,) = [row for row in rows_of(released, "1403-04", "case_group") if row["replaces_id"] is not None]
    assert (row["replaces_id"], row["trace_id"] is not None, row["wait_median_days"]) == (full, True, None)


def test_totals_count_a_withdrawn_group_as_not_shown(
    released: Instance, opened: Callable[[], sqlite3.Connection]
) -> None:
    """What certainly holds loses the group, the whole keeps its cases, and the interval is wider by them."""
    asked = (
        "select at_least, at_most, total from total_by_outcome_v1 where outcome_code = 'not_held' and body_id = 'alef'"
    )
    with sqlite3.connect(build_database(released)) as connection:
        assert connection.execute(asked).fetchone() == (26, 29, 40)
    ask(released, [Correction(ids(released)["plain"], "privacy")])
    assert tuple(opened().execute(asked).fetchone()) == (25, 42, 53)


def test_totals_count_a_replaced_group_once(released: Instance, opened: Callable[[], sqlite3.Connection]) -> None:
    """The replacing row stands in for the group: the whole is the same, only the dropped value is no longer certain."""
    ask(released, [Correction(ids(released)["full"], "mapping_error", ("outcome",))])
    found = opened()
    sums = "select sum(case_count) from case_group_v1"
    assert found.execute(sums).fetchone()[0] == found.execute("select sum(finished_count) from margin").fetchone()[0]
    asked = "select at_least, at_most, total from total_by_{0}_v1 where {0}_{1} = ?"
    assert tuple(found.execute(asked.format("outcome", "code"), ["granted_full"]).fetchone()) == (0, 14, 53)
    assert tuple(found.execute(asked.format("service", "id"), ["build"]).fetchone()) == (11, 53, 53)


def test_views_say_what_was_taken_back_and_leave_it_out(
    released: Instance, opened: Callable[[], sqlite3.Connection]
) -> None:
    """`withdrawal_v1` names group, cases and reason in both languages; roll-up and groups hold what is left."""
    found_ids = ids(released)
    ask(released, [Correction(found_ids["full"], "mapping_error", ("outcome",))])
    ask(released, [Correction(found_ids["plain"], "legal_order")])
    found = opened()
    rows = found.execute(
        "select case_count, reason_fa, reason_en, group_release_id from withdrawal_v1 order by 1"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        (11, "خطای نگاشت داده‌ها", "Mapped wrongly", "1403-01"),
        (14, "حکم مرجع قانونی", "Order of an authority", "1403-01"),
    ]
    shown = {row[0] for row in found.execute("select case_group_id from case_group_v1")}
    assert shown == {found_ids["floor"], 20000001, 30000001, 30000002}
    rolled = found.execute("select outcome_code, sum(case_count) from case_group_rollup_v1 group by 1 order by 1")
    assert [tuple(row) for row in rolled] == [(None, 14), ("not_held", 25)]


def test_a_release_once_said_is_answered_the_same_for_ever(
    released: Instance, opened: Callable[[], sqlite3.Connection]
) -> None:
    """As of an earlier release the group still holds; the view counts every case once at each release."""
    asked = (
        "select outcome_code, sum(case_count) from case_group_as_of_v1"
        " where ? >= from_release_id and ? < until_release_id group by 1 order by 1"
    )
    said = [(None, 3), ("granted_full", 11), ("not_held", 26)]
    with sqlite3.connect(build_database(released)) as connection:
        assert connection.execute(asked, ["1403-02"] * 2).fetchall() == said
    ask(released, [Correction(ids(released)["full"], "privacy"), Correction(ids(released)["plain"], "privacy")])
    found = opened()
    assert [tuple(row) for row in found.execute(asked, ["1403-02"] * 2)] == said
    assert [tuple(row) for row in found.execute(asked, ["1403-03"] * 2)] == [(None, 28), ("not_held", 25)]


@pytest.mark.parametrize(
    ("which", "drop", "slug"),
    [
        (999, None, "correction-unknown"),
        ("floor", None, "correction-floor"),
        ("floor", ("outcome",), "correction-floor"),
        ("plain", ("channel",), "correction-nothing"),
        ("plain", (), "correction-nothing"),
    ],
)
def test_what_cannot_be_corrected_is_refused_in_words(
    released: Instance, which: int | str, drop: tuple[str, ...] | None, slug: str
) -> None:
    """An orphan, a floor row, a correction that drops nothing: refused, and nothing is recorded."""
    wrong = which if isinstance(which, int) else ids(released)[which]
    with pytest.raises(UsageError) as error:
        ask(released, [Correction(ids(released)["full"], "privacy"), Correction(wrong, "privacy", drop)])
    assert error.value.slug == slug
    assert waiting_requests(released) == ()


def test_a_second_correction_is_refused_before_and_after_the_release(released: Instance, release: Releaser) -> None:
    """One group is taken back once; the row that replaced it may be taken back in its turn."""
    full = ids(released)["full"]
    ask(released, [Correction(full, "privacy", ("outcome",))])
    for _ in range(2):
        with pytest.raises(UsageError) as error:
            ask(released, [Correction(full, "privacy")])
        assert error.value.slug == "correction-twice"
        if waiting_requests(released):
            release(THIRD)
    with pytest.raises(UsageError):
        ask(released, [Correction(30000002, "privacy"), Correction(30000002, "privacy")])
    ask(released, [Correction(30000002, "privacy")])
    release(Office(["1403-04"], [group("1403-04")]))
    with sqlite3.connect(build_database(released)) as connection:
        rows = connection.execute(
            "select case_group_id, release_id, case_count from case_group_as_of_v1 where is_withdrawn"
        )
        assert rows.fetchall() == [(30000002, "1403-01", 11)]


def test_a_group_below_todays_k_can_only_be_withdrawn(released: Instance) -> None:
    """A row released under a smaller k is not released again, however coarse."""
    (released.root / "metadata.yml").write_text(METADATA.replace("k: 10", "k: 12"), encoding="utf-8")
    stricter = Instance(released.root)
    with pytest.raises(UsageError) as error:
        ask(stricter, [Correction(ids(released)["full"], "privacy", ("outcome",))])
    assert error.value.slug == "correction-below-k"
    assert ask(stricter, [Correction(ids(released)["full"], "privacy")])[0].after is None


def test_a_dry_run_records_nothing(released: Instance) -> None:
    """It says what would happen."""
    (preview,) = ask(released, [Correction(ids(released)["full"], "privacy", ("unit",))], dry_run=True)
    assert preview.after is not None
    assert (preview.after["unit_id"], preview.after["trace_id"], preview.after["outcome_code"]) == (
        None,
        None,
        "granted_full",
    )
    assert not (released.var / "correction").exists()


def test_a_request_is_private_and_whole(released: Instance) -> None:
    """Its file is 0600 in a folder 0700; one that cannot be read stops the next release in words."""
    ask(released, [Correction(ids(released)["full"], "privacy")])
    (path,) = (released.var / "correction").iterdir()
    assert (path.stat().st_mode & 0o077, path.parent.stat().st_mode & 0o077) == (0, 0)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        waiting_requests(released)
    assert error.value.slug == "correction-unreadable"


@pytest.mark.parametrize("step", ["releases staged", "placements durable", "releases in place"])
def test_a_death_at_any_step_takes_back_once(tmp_path: Path, backend: Any, step: str) -> None:
    """After a death and healing the group is withdrawn once, and the bytes are those of a run that nothing stopped."""
    folders = []
    for name in ("calm", "cut"):
        own = make_instance(tmp_path / name)
        write_releases(own, backend, FIRST.published(), as_of=AS_OF, due=FIRST.months)
        ask(own, [Correction(ids(own)["full"], "privacy", ("trace",)), Correction(ids(own)["plain"], "privacy")])
        if name == "cut":
            with pytest.raises(PowerCut):
                write_releases(
                    own, backend, THIRD.published(), as_of=AS_OF, due=THIRD.months, progress=StopsAt(step, 1)
                )
            heal(own)
        if not (own.releases / "1403-03").is_dir():
            write_releases(own, backend, THIRD.published(), as_of=AS_OF, due=THIRD.months)
        write_releases(
            own, backend, Office(["1403-04"], [group("1403-04")]).published(), as_of=AS_OF, due=THIRD_NEXT.months
        )
        folders.append({p.relative_to(own.releases): sha256_of(p) for p in own.releases.rglob("*") if p.is_file()})
        withdrawn = [row["case_group_id"] for r in ("1403-03", "1403-04") for row in rows_of(own, r, "withdrawal")]
        assert sorted(withdrawn) == sorted((ids(own)["full"], ids(own)["plain"]))
    assert folders[0] == folders[1]


THIRD_NEXT = Office(["1403-04"], [])


def gated(
    old: dict[str, Any], new: dict[str, Any] | None, *, times: int = 1, gone: frozenset[int] = frozenset()
) -> Gated:
    """A release that withdraws `old` and has `new` (with id 2) in its place."""
    tables = load_dictionary().tables
    withdrawal = [{"case_group_id": old["case_group_id"], "replaced_by_id": None if new is None else 2}] * times
    made = {
        "case_group": pa.Table.from_pylist([] if new is None else [new], schema=tables["case_group"].arrow),
        "withdrawal": pa.Table.from_pylist(withdrawal, schema=tables["withdrawal"].arrow),
    }
    corrections = Corrections(groups={old["case_group_id"]: old}, gone=gone)
    return Gated("1403-03", made, Balance(), 10, 6, {}, {}, TextCheck(), corrections)


OLD = dict.fromkeys(load_dictionary().tables["case_group"].names) | {
    **{name: value for name, value in FULL.items() if name != "trace"},
    "case_group_id": 1,
    "release_id": "1403-01",
    "body_id": "alef",
    "is_floor": False,
    "case_count": 11,
}
NEW = OLD | {"case_group_id": 2, "release_id": "1403-03", "replaces_id": 1, "outcome_code": None}


def test_the_gate_lets_one_coarser_row_pass() -> None:
    """The same row without a column, or no row at all."""
    check_corrections(gated(OLD, NEW))
    check_corrections(gated(OLD, None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"case_count": 10},
        {"body_id": "be"},
        {"outcome_code": "not_held"},
        {"trace_id": 7},
        {"wait_p90_days": 9},
        {"replaces_id": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_gate_refuses_a_replacement_that_is_not_coarser(wrong: dict[str, Any]) -> None:
    """A group of 11 never comes back as 10; no other place, no other value, nothing that was not shown."""
    with pytest.raises(PrivacyError) as error:
        check_corrections(gated(OLD, NEW | wrong))
    assert error.value.slug == "gate-correction"


@pytest.mark.parametrize(
    "release",
    [
        gated(OLD, None, times=2),
        gated(OLD, None, gone=frozenset({1})),
        gated(OLD | {"is_floor": True}, None),
        dataclasses.replace(gated(OLD, None), corrections=Corrections()),
        dataclasses.replace(
            gated(OLD, NEW), tables={**gated(OLD, NEW).tables, "withdrawal": gated(OLD, None).tables["withdrawal"]}
        ),
    ],
    ids=["twice", "again", "floor", "unknown", "orphan"],
)
def test_the_gate_refuses_withdrawals_of_nothing(release: Gated) -> None:
    """Twice in one release, a second time, a floor row, an unknown group, a replacing row that replaces nothing."""
    with pytest.raises(PrivacyError):
        check_corrections(release)


@pytest.mark.parametrize("seed", range(3))
def test_books_balance_over_random_corrections(tmp_path: Path, backend: Any, seed: int) -> None:
    """Over eight releases with random corrections every case is counted once at each release, and no answer changes."""
    chance = random.Random(seed)
    own = make_instance(tmp_path / "own")
    answers: dict[str, Counter[Any]] = {}
    finished = 0
    for month in (f"1403-{number:02}" for number in range(1, 9)):
        office = Office([month], [*_groups(chance, month), floor(month)])
        write_releases(own, backend, office.published(), as_of=AS_OF, due=office.months)
        finished += sum(row["case_count"] for row in office.groups)
        with sqlite3.connect(build_database(own)) as connection:
            now = {each: _as_of(connection, each) for each in [*answers, month]}
            live = connection.execute("select sum(case_count) from case_group_v1").fetchone()[0]
            hidden = connection.execute(
                "select sum(case_count) from case_group_as_of_v1 where is_withdrawn"
            ).fetchone()[0]
        assert {each: now[each] for each in answers} == answers
        assert sum(now[month].values()) == live + (hidden or 0) == finished
        answers = now
        _correct_some(chance, own)
    rows = [row for month in answers for row in rows_of(own, month, "withdrawal")]
    assert any(row["replaced_by_id"] for row in rows)
    assert not all(row["replaced_by_id"] for row in rows)


def _groups(chance: random.Random, month: str) -> list[dict[str, Any]]:
    values = [
        {"outcome_code": outcome, "lateness_code": lateness, "channel_code": channel}
        for outcome in ("granted_full", "not_held", None)
        for lateness in ("on_time", "late")
        for channel in ("web", None)
    ]
    return [group(month, chance.randint(10, 30), **each) for each in chance.sample(values, 5)]


def _as_of(connection: sqlite3.Connection, release: str) -> Counter[Any]:
    rows = connection.execute(
        "select release_id, outcome_code, lateness_code, channel_code, sum(case_count) from case_group_as_of_v1"
        " where :release >= from_release_id and :release < until_release_id group by 1, 2, 3, 4",
        {"release": release},
    )
    return Counter({row[:4]: row[4] for row in rows})


def _correct_some(chance: random.Random, own: Instance) -> None:
    spec = load_dictionary().tables["case_group"]
    known = [
        row["case_group_id"] for release in list_releases(own.releases) for row in read_table(release, spec).to_pylist()
    ]
    for case_group_id in chance.sample(known, 4):
        drop = None if chance.random() < 0.4 else tuple(chance.sample(DROPPABLE, 2))
        with suppress(UsageError):  # floor rows, groups that are gone, columns that are not shown
            ask(own, [Correction(case_group_id, "privacy", drop)])
