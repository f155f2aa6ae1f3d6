"""Write the synthetic office: a service desk and an office automation, two SQLite databases as a body would have them.

Where it stands: before everything; it plays the body's servers, so that the whole way can be tried without one. The
databases hold what is known on the cutoff, sixteen days after the last whole month. `advance_office` lets months pass.
Memory does not grow with the number of cases (rows are written in batches, month by month).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from etl.calendars import Period, parse_period, period_of, year_month
from etl.demo.bodies import Month, Offices, offices_of
from etl.demo.catalogue import Catalogue, read_catalogue
from etl.demo.clock import OfficeClock, make_clock
from etl.demo.records import AUTOMATION_TABLES, DESK_TABLES, Records
from etl.demo.world import draw_month
from etl.errors import UsageError
from etl.instance.durable import rename_durable, sync_tree
from etl.model.canaries import NAME as CANARIES
from etl.model.canaries import write_hashes
from etl.model.progress import SILENT, Progress

DESK, AUTOMATION = "desk.db", "automation.db"
MOST_MONTHS = 1_200  # a hundred years
CUTOFF_DAYS = 16  # after the last day of the last whole month
HORIZON_DAYS = 1100  # how far past the cutoff lives are followed
_HALF, _WHOLE = ".writing", ".written"  # folders beside the databases: being written; written, not all in place
BATCH = 500  # cases between two writes
VERSION = "1"
AVERAGE_MONTH = 2_500.0  # the sum of `monthly` in office.yml
_DESK_INDEXES = """
create index request_changed on request (changed_at);
create unique index step_place on request_step (request_id, step_no);
create index notice_request on notice (request_id);
create unique index survey_request on survey (request_id);
"""
_AUTOMATION_INDEXES = """
create index dossier_changed on dossier (changed_at);
create unique index referral_place on referral (dossier_id, step_no);
create index referral_changed on referral (changed_at);
"""
_NAMES = {"1": "دفتر وارده", "2": "دفتر صادره", "3": "دفتر داخلی"}
_CANARIES = {
    DESK: (
        "select distinct full_name from applicant",
        "select distinct operator_name from request_step",
        "select national_id from applicant",
        "select mobile from applicant",
        "select email from applicant where email is not null",
        "select distinct substr(address, instr(address, 'پستی') + 5) from applicant",
        "select tracking_code from request",
    ),
    AUTOMATION: ("select distinct sender_name from letter", "select distinct receiver_name from referral"),
}


@dataclass(frozen=True)
class OfficeSummary:
    """What an office holds: bodies, whole months, and the cases a reader of both databases sees (unclassified)."""

    bodies: int
    months: int
    cases: int


@dataclass(frozen=True)
class _Plan:
    until: str
    months: int
    monthly: float
    seed: int

    @property
    def periods(self) -> list[Period]:
        """The months of the office, the one after the last whole month too."""
        year, month = (int(part) for part in self.until.split("-"))
        first = year * 12 + month - self.months
        codes = [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, first + self.months + 1)]
        return [parse_period("jalali", code) for code in codes]

    @property
    def cutoff(self) -> date:
        """The last day the databases know."""
        return self.periods[-2].last_on + timedelta(days=CUTOFF_DAYS)


def make_office(
    folder: Path,
    *,
    until: str = "1405-06",
    months: int = 24,
    cases: int = 60_000,
    seed: int = 1403,
    progress: Progress = SILENT,
) -> OfficeSummary:
    """Write `desk.db`, `automation.db` and `canaries.txt` into a folder; the same arguments give the same rows.

    until: last whole Jalali month. cases: about how many in all `months`. UsageError where the numbers make no office.
    Cost: about 0.2 ms a case, 100 MB of memory at any size.
    """
    is_month = len(until) == 7 and parse_period("jalali", until).kind == "month"
    if not is_month or not 1 <= months <= MOST_MONTHS or cases < 1:
        raise UsageError(
            "office-size",
            found=f"an office until {until!r} of {months} months and {cases} cases",
            expected=f"a Jalali month such as 1405-06, 1 to {MOST_MONTHS} months, and at least one case",
            todo="Correct the options of `demo office`.",
        )
    return _write(folder, _Plan(until, months, cases / months, seed), progress)


def advance_office(folder: Path, *, months: int = 1, progress: Progress = SILENT) -> OfficeSummary:
    """Let months pass in the office of a folder: everything known later appears; UsageError where there is none."""
    settle_office(folder)
    meta = _read_meta(folder)
    if meta is None:
        raise UsageError(
            "no-office",
            found="no synthetic office in the folder",
            expected=f"{DESK} and {AUTOMATION} written by `demo office`",
            todo="Make one with `shafaf demo office office`.",
        )
    if not 1 <= months <= MOST_MONTHS - int(meta["months"]):
        raise UsageError(
            "office-size",
            found=f"{months} months more than the {meta['months']} of the office",
            expected=f"one at least, and {MOST_MONTHS} in all at most",
            todo="Correct --months of `demo advance`.",
        )
    until = parse_period("jalali", meta["until"])
    for _ in range(months):
        until = period_of("jalali", "month", until.last_on + timedelta(days=1))
    plan = _Plan(until.code, int(meta["months"]) + months, float.fromhex(meta["monthly"]), int(meta["seed"]))
    return _write(folder, plan, progress)


def settle_office(folder: Path) -> list[str]:
    """Finish an office whose writing died when its files were whole, remove what was half; say in words what was done.

    The databases know the same day only together: until this is done they are not to be read.
    """
    whole, half = folder / _WHOLE, folder / _HALF
    done = []
    if whole.is_dir():
        for file in sorted(whole.iterdir()):
            rename_durable(file, folder / file.name)
        whole.rmdir()
        done.append("put the databases of the demo office in place, which were written")
    if half.is_dir():
        shutil.rmtree(half)
        done.append("removed half-written databases of the demo office")
    return done


def read_summary(folder: Path) -> OfficeSummary | None:
    """Read what the office of a folder holds; None where there is none."""
    meta = _read_meta(folder)
    return None if meta is None else OfficeSummary(int(meta["bodies"]), int(meta["months"]), int(meta["cases"]))


def _read_meta(folder: Path) -> dict[str, str] | None:
    path = folder / DESK
    if not path.is_file() or not (folder / AUTOMATION).is_file():
        return None
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as desk:
        return dict(desk.execute("select key, value from meta"))


def _write(folder: Path, plan: _Plan, progress: Progress) -> OfficeSummary:
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = read_catalogue()
    settle_office(folder)
    half = folder / _HALF
    half.mkdir()
    parts = {name: half / name for name in (DESK, AUTOMATION, CANARIES)}
    desk, automation = _create(parts[DESK], "desk.sql"), _create(parts[AUTOMATION], "automation.sql")
    with closing(desk), closing(automation):
        _write_catalogue(desk, automation, catalogue)
        seen = _write_cases(desk, automation, catalogue, plan, progress)
        for database, indexes in ((desk, _DESK_INDEXES), (automation, _AUTOMATION_INDEXES)):
            database.executescript(indexes)
        _lose_dossiers(automation, plan, seen)  # after its index: each one looks for a referral
        _write_meta(desk, plan, len(catalogue.bodies), seen)
        _write_meta(automation, plan, len(catalogue.bodies), seen)
        _write_canaries(parts[CANARIES], {DESK: desk, AUTOMATION: automation})
    write_hashes(half)
    sync_tree(half)
    rename_durable(half, folder / _WHOLE)
    settle_office(folder)
    return OfficeSummary(len(catalogue.bodies), plan.months, seen)


def _create(path: Path, schema: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode = off")
    database.execute("pragma synchronous = off")
    database.executescript(files("etl.demo").joinpath(schema).read_text(encoding="utf-8"))
    return database


def _write_catalogue(desk: sqlite3.Connection, automation: sqlite3.Connection, catalogue: Catalogue) -> None:
    codes = {unit.id: unit.code for unit in catalogue.units}
    bodies = {body.id: body.code for body in catalogue.bodies}
    for database in (desk, automation):
        _insert(database, "organisation", [(body.code, body.name) for body in catalogue.bodies])
    _insert(
        desk,
        "service",
        [(service.code, bodies.get(service.body or ""), service.name) for service in catalogue.services],
    )
    units = [(unit.code, bodies[unit.body], codes.get(unit.parent or ""), unit.name) for unit in catalogue.units]
    _insert(automation, "unit", units)
    registers = [
        (f"{body.code}-{book}", body.code, book, name) for body in catalogue.bodies for book, name in _NAMES.items()
    ]
    _insert(automation, "register", registers)


def _write_cases(
    desk: sqlite3.Connection,
    automation: sqlite3.Connection,
    catalogue: Catalogue,
    plan: _Plan,
    progress: Progress,
) -> int:
    periods = plan.periods
    clock = make_clock(periods[0].first_on - timedelta(days=10), plan.cutoff + timedelta(days=HORIZON_DAYS))
    records = Records(clock, plan.cutoff.toordinal(), {})
    bodies = offices_of(catalogue)
    seen = 0
    for done, period in enumerate(periods, 1):
        for offices in bodies:
            for batch in _batches(plan, clock, offices, period, records):
                seen += batch
                _flush(desk, automation, records)
        progress.step("office", done, len(periods))
    return seen


def _batches(plan: _Plan, clock: OfficeClock, offices: Offices, period: Period, records: Records) -> Iterator[int]:
    first = clock.index_of(period.first_on.toordinal())
    count = clock.index_of(period.last_on.toordinal() + 1) - first
    month = Month(*year_month("jalali", period.first_on), first, count)
    monthly = plan.monthly * offices.body.monthly / AVERAGE_MONTH
    seen = 0
    for number, case in enumerate(draw_month(plan.seed, clock, offices, month, monthly=monthly), 1):
        seen += records.add(case)
        if number % BATCH == 0:
            yield seen
            seen = 0
    yield seen


def _flush(desk: sqlite3.Connection, automation: sqlite3.Connection, records: Records) -> None:
    for database, tables in ((desk, DESK_TABLES), (automation, AUTOMATION_TABLES)):
        for table in tables:
            _insert(database, table, records.rows.pop(table, []))
        database.commit()


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        verb = "insert or ignore" if table == "applicant" else "insert"  # an applicant may come again
        database.executemany(f"{verb} into {table} values ({marks})", rows)


def _lose_dossiers(automation: sqlite3.Connection, plan: _Plan, seen: int) -> None:
    # as in real systems, a few referrals stay behind after their dossier was deleted by hand
    lost = max(1, seen // 20_000)
    rows = automation.execute(
        "select dossier_id from dossier where kind = 'مکاتبه' order by dossier_id limit ?",
        (lost,),
    )
    for (dossier_id,) in rows.fetchall():
        automation.execute(
            "insert into referral select dossier_id + 9000000, 1, null, action, from_unit, to_unit, "
            "referral_date, referral_time, receiver_name, null, ? from referral where dossier_id = ? and step_no = 1",
            (plan.cutoff.isoformat(), dossier_id),
        )


def _write_meta(database: sqlite3.Connection, plan: _Plan, bodies: int, seen: int) -> None:
    meta = {
        "version": VERSION,
        "until": plan.until,
        "months": str(plan.months),
        "monthly": plan.monthly.hex(),
        "seed": str(plan.seed),
        "bodies": str(bodies),
        "cases": str(seen),
        "snapshot_at": f"{plan.cutoff.isoformat()}T17:00:00Z",
    }
    _insert(database, "meta", list(meta.items()))
    database.commit()


def _write_canaries(path: Path, databases: dict[str, sqlite3.Connection]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name, queries in _CANARIES.items():
            for query in queries:
                file.writelines(f"{identity}\n" for (identity,) in databases[name].execute(query))
