"""The main job, from top to bottom the data's way: extract, release what is due, build database and site (DESIGN §1).

This module alone knows the order of the stages; they do not know one another. Every public function holds the
instance's lock, so one run works at a time, and first heals what a run that died has left. Time comes from the
newest staging manifest (`as_of`), never from the machine's clock. What it does not do: words for people (`etl.cli`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import portal
from etl import anonymise, audit, engine, extract, load
from etl.calendars import Period, parse_period, period_of
from etl.demo import settle_office
from etl.errors import UncheckedError, UsageError
from etl.instance import Instance, current_release, explain_disk
from etl.metadata import policy_changes
from etl.model.progress import SILENT, Progress
from etl.model.published import Published
from etl.model.quality import QualityRow
from etl.model.staging import Staging

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.backends import BaseBackend
    from ibis.expr.types import DateColumn

DUE = "due"
ALL = "all"
CALENDAR_AHEAD = timedelta(days=92)  # due dates of a month's last cases lie in the calendar that is released with it


@dataclass(frozen=True)
class Schedule:
    """What is released, what is due, by the newest snapshot: `as_of` is a civil date, None before any extraction."""

    as_of: date | None
    released: tuple[str, ...]
    due: tuple[Period, ...]
    last_released: Period | None
    corrections: tuple[load.Correction, ...] = ()  # asked for, not yet released
    policy_changes: tuple[str, ...] = ()  # what differs from the policy of the last release


@dataclass(frozen=True)
class RunReport:
    """What a run did: `releases` is empty and `site` None when there was nothing new."""

    extracted: extract.ExtractReport | None
    healed: tuple[str, ...]
    releases: tuple[load.ReleaseSummary, ...]
    database: Path | None
    site: Path | None
    policy_changes: tuple[str, ...] = ()  # since the release before; they hold for these releases and later ones


@dataclass(frozen=True)
class Attested:
    """A release made once more from the staging it was made from: every table compared with the released one."""

    release_id: str
    batches: int
    tables: tuple[load.Compared, ...]

    @property
    def differing(self) -> int:
        """Rows that one side has and the other lacks."""
        return sum(table.differing for table in self.tables)


def run(instance: Instance, *, period: str = DUE, progress: Progress = SILENT) -> RunReport:
    """Do the main job: read the sources, release the months that are due, build what readers see.

    period: `due` releases every closed month not yet released; a month (`1405-06`) stops after it; `all` also builds
    database and site again. Errors: SourceError, PrivacyError, ReleaseError, SettingsError; the last release stays.
    """
    with _working(instance) as healed:
        extracted = extract.extract(instance, progress=progress)
        changes = _policy_changes(instance)
        releases = _release(instance, period, progress)
        database, site = _build(instance, progress, always=period == ALL)
    return RunReport(extracted, healed, releases, database, site, changes if releases else ())


def run_extract(
    instance: Instance,
    *,
    only: Sequence[str] = (),
    full: bool = False,
    dry_run: bool = False,
    progress: Progress = SILENT,
) -> extract.ExtractReport:
    """Read the sources (or `only` some) into staging, with `full` all their rows; `dry_run` counts and writes nothing."""
    with _working(instance):
        return extract.extract(instance, only=only, full=full, dry_run=dry_run, progress=progress)


def run_release(
    instance: Instance, *, period: str = DUE, progress: Progress = SILENT
) -> tuple[load.ReleaseSummary, ...]:
    """Release the months that are due by the newest snapshot; UsageError where `period` cannot be released."""
    with _working(instance):
        return _release(instance, period, progress)


def run_build(instance: Instance, *, progress: Progress = SILENT) -> tuple[Path | None, Path | None]:
    """Build the newest database and site again from the released files; (None, None) before any release."""
    with _working(instance):
        return _build(instance, progress, always=True)


def ask_corrections(
    instance: Instance, wanted: Sequence[load.Correction], *, dry_run: bool = False
) -> list[load.Preview]:
    """Record that released groups shall be withdrawn or replaced with the next release; UsageError for one that cannot be.

    All are recorded or none. With `dry_run` check them, say what each does, and record nothing.
    """
    with _working(instance):
        return load.ask(instance, wanted, dry_run=dry_run)


def attest(instance: Instance, release_id: str | None = None) -> Attested:
    """Make a release (default: the newest) once more from the staging it was made from, and compare every number.

    Errors: UncheckedError where there is no such release, no record of its staging, staging is gone, or metadata.yml is
    another than the one released; TamperedError where staging or the record of it was changed.
    """
    with _working(instance):
        released = _released(instance)
        chosen = release_id or (released[-1] if released else "")
        if chosen not in released:
            raise UncheckedError(
                "attest-release",
                found=f"no release {chosen}".rstrip(),
                expected=f"one of {released[0]} … {released[-1]}" if released else "a release",
                todo="Name a release that lies in datasets/releases.",
            )
        origin = load.read_origin(instance, chosen)
        extract.check_batches(instance.staging, origin.batches)
        return Attested(chosen, len(origin.batches), _recounted(instance, chosen, origin))


def _recounted(instance: Instance, release_id: str, origin: load.Origin) -> tuple[load.Compared, ...]:
    policy = instance.settings.policy
    if load.policy_of(instance, release_id) != policy.sha256:
        raise UncheckedError(
            "attest-policy",
            found=f"settings other than those that {release_id} was released under",
            expected="metadata.yml, services.csv and units.csv of that time",
            todo="Attest in a copy of the instance with the settings of that release; its policy.yml says which.",
        )
    months, closed = (
        tuple(parse_period(policy.calendar.system, code) for code in codes) for codes in (origin.due, origin.closed)
    )
    job = _Job(months, closed, date.fromisoformat(origin.as_of), len(origin.batches))
    with engine.open_engine(policy, instance.private_folder("tmp")) as backend:
        published = _anonymised(instance, backend, job)
        again = () if published is None else load.recount(instance, backend, published, as_of=job.as_of, due=months)
        for release, tables, report in again:
            if release.release_id == release_id:
                return load.compare_release(release, tables, report)
    return ()


def read_schedule(instance: Instance) -> Schedule:
    """Say what is released and what is due, without writing anything (for `status` and `--dry-run`)."""
    manifest = extract.newest_manifest(instance.staging)
    policy = instance.settings.policy
    released = _released(instance)
    last = parse_period(policy.calendar.system, released[-1]) if released else None
    waiting, changes = load.waiting_requests(instance), _policy_changes(instance)
    if manifest is None:
        return Schedule(None, released, (), last, waiting, changes)
    as_of = manifest.snapshot_at.astimezone(ZoneInfo(policy.calendar.zone)).date()
    first_on = as_of if released else _first_registered_on(instance)  # what is released says where the next begins
    due = () if first_on is None else anonymise.due_months(policy, as_of=as_of, first=first_on, released=released)
    return Schedule(as_of, released, due, last, waiting, changes)


def estimate_loss(instance: Instance, *, progress: Progress = SILENT) -> list[anonymise.LossRow]:
    """Peel every closed month in staging as if none was released, and say what the ladder keeps; writes nothing public.

    Private: for choosing a ladder before it is frozen. UsageError before anything is staged.
    """
    policy = instance.settings.policy
    with _working(instance):
        schedule = read_schedule(instance)
        first_on = _first_registered_on(instance)
        due = (
            ()
            if not schedule.as_of or not first_on
            else anonymise.due_months(policy, as_of=schedule.as_of, first=first_on, released=())
        )
        with engine.open_engine(policy, instance.private_folder("tmp")) as backend:
            staging = extract.open_staging(backend, instance.staging, seen_at=policy.staging_url)
            if staging is None or not due or schedule.as_of is None:
                raise UsageError(
                    "nothing-staged",
                    found="no closed month in staging",
                    expected="past periods to weigh the ladder on",
                    todo="Run `shafaf extract` first.",
                )
            job = _Job(due, due, schedule.as_of, len(extract.batch_hashes(instance.staging)))
            calendar = backend.create_table("calendar_day", _calendar(instance, staging, due[0], job), temp=True)
            progress.step("anonymise", 0, len(due))
            published = anonymise.anonymise(
                staging, calendar=calendar, policy=policy, history=anonymise.History(due, due[0], closed=due)
            )
            progress.step("anonymise", len(due), len(due))
            return anonymise.loss_rows(published.case_group, policy)


@contextmanager
def _working(instance: Instance) -> Iterator[tuple[str, ...]]:
    with explain_disk(), instance.lock():
        yield _heal(instance)


def _heal(instance: Instance) -> tuple[str, ...]:
    """Mend what a run that died has left, stage by stage; say in words what was done."""
    instance.clear_temporary()
    return (*settle_office(instance.office), *load.heal(instance), *portal.heal_site(instance.public))


def _release(instance: Instance, period: str, progress: Progress) -> tuple[load.ReleaseSummary, ...]:
    schedule = read_schedule(instance)
    due = _choose(schedule, period, instance.settings.policy.calendar.system)
    if not due or schedule.as_of is None:
        return ()
    with engine.open_engine(instance.settings.policy, instance.private_folder("tmp")) as backend:
        return _release_due(instance, backend, schedule, due=due, as_of=schedule.as_of, progress=progress)


def _release_due(
    instance: Instance,
    backend: BaseBackend,
    schedule: Schedule,
    *,
    due: tuple[Period, ...],
    as_of: date,
    progress: Progress,
) -> tuple[load.ReleaseSummary, ...]:
    job = _Job(due, () if schedule.released else schedule.due, as_of, len(extract.batch_hashes(instance.staging)))
    progress.step("anonymise", 0, len(due))
    published = _anonymised(instance, backend, job)
    if published is None:
        return ()
    progress.step("anonymise", len(due), len(due))
    gate = audit.Gate(instance.releases, private=instance.var / "audit")
    origin = load.Origin(extract.batch_hashes(instance.staging), _codes(job.due), _codes(job.closed), as_of.isoformat())
    return tuple(
        load.write_releases(
            instance,
            backend,
            published,
            as_of=as_of,
            due=due,
            origin=origin,
            review=gate.review,
            progress=progress,
        )
    )


@dataclass(frozen=True)
class _Job:
    """What is released from what: the months due, all that are closed (first release only), and so many batches."""

    due: tuple[Period, ...]
    closed: tuple[Period, ...]
    as_of: date
    batches: int


def _anonymised(instance: Instance, backend: BaseBackend, job: _Job) -> Published | None:
    """Anonymise the due months from staging as it was with so many batches, and from the releases before them."""
    policy, first = instance.settings.policy, job.due[0].code
    staging = extract.open_staging(backend, instance.staging, seen_at=policy.staging_url, batches=job.batches)
    if staging is None:
        return None
    past = load.read_history(instance, backend, before=first)
    first_month = parse_period(policy.calendar.system, past.released[0]) if past.released else job.due[0]
    history = anonymise.History(
        due=job.due,
        first_month=first_month,
        placement=past.placement,
        margin=past.margin,
        cadence_bootstrap=past.cadence_bootstrap,
        closed=job.closed,
        promises=past.promises,
        timelines=load.released_timelines(instance, before=first) if policy.patterns == "public" else (),
        groups=load.released_groups(instance, backend, due=job.due),
        cells=load.earlier_cells(instance, due=job.due),
    )
    history = anonymise.with_settled(history, staging.case, policy=policy)
    if history.settled is not None and backend.name == "duckdb" and not policy.staging_url:
        staging = extract.leave_out(backend, instance.staging, history.settled, batches=job.batches)
        history = replace(history, settled=None)  # they are in neither half any more
    calendar = backend.create_table("calendar_day", _calendar(instance, staging, first_month, job), temp=True)
    published = anonymise.anonymise(staging, calendar=calendar, policy=policy, history=history)
    return _with_source_quality(instance, published, job, is_first=not past.released)


def _codes(months: Sequence[Period]) -> tuple[str, ...]:
    return tuple(month.code for month in months)


def _with_source_quality(instance: Instance, published: Published, job: _Job, *, is_first: bool) -> Published:
    """Add what extraction set aside to the first release of all and to the last month of each year.

    Which release has it depends on its month alone, so that a run that died and was run again gives the same bytes.
    """
    manifest = extract.newest_manifest(instance.staging, batches=job.batches)
    if manifest is None:
        return published
    policy = instance.settings.policy
    rows: list[QualityRow] = []
    for month in job.due:
        year = period_of(policy.calendar.system, "year", month.last_on)
        if (is_first and month is job.due[0]) or month.last_on == year.last_on:
            rows += extract.source_quality(manifest, release_id=month.code, year_code=year.code, k=policy.k)
    return replace(published, quality=(*published.quality, *rows))


def _calendar(instance: Instance, staging: Staging, first_month: Period, job: _Job) -> pa.Table:
    """Make the calendar of every day that staging can name: what lies outside of it would count in no month."""
    firsts = (first_month.first_on, _earliest(staging.case.registered_on), _earliest(staging.event.occurred_on))
    last = max(job.as_of, *(month.last_on for month in (*job.due, *job.closed)))
    first = min(day for day in firsts if day is not None)
    return instance.settings.policy.calendar.working.days(first, last + CALENDAR_AHEAD)


def _earliest(column: DateColumn) -> date | None:
    first: date | None = column.min().to_pyarrow().as_py()
    return first


def _choose(schedule: Schedule, period: str, system: str) -> tuple[Period, ...]:
    if period in (DUE, ALL):
        return schedule.due
    asked = parse_period(system, period)
    if asked.code in schedule.released:
        raise UsageError(
            "period-released",
            found=f"the month {asked.code}, which is released",
            expected="a month that is due",
            todo="A release never changes; run without --period to release what is due.",
        )
    chosen = tuple(month for month in schedule.due if month.first_on <= asked.first_on)
    if asked.code not in {month.code for month in chosen}:
        raise UsageError(
            "period-not-due",
            found=f"the period {asked.code}, which is not due",
            expected=f"one of {', '.join(month.code for month in schedule.due) or 'no month (nothing is due)'}",
            todo="A month is due when it has ended, has settled, and the newest snapshot is later.",
        )
    return chosen


def _build(instance: Instance, progress: Progress, *, always: bool) -> tuple[Path | None, Path | None]:
    released = _released(instance)
    if not released:
        return None, None
    newest = released[-1]
    database = site = None
    has_database = load.is_current_shape(instance.datasets / f"portal-{newest}.db")
    if always or not has_database or current_release(instance.datasets) != newest:
        database = load.build_database(instance, progress=progress)
    has_site = (instance.public / newest).is_dir()
    if always or not has_site or not has_database or current_release(instance.public) != newest:
        review = partial(audit.review_site, releases=instance.releases)
        site = portal.build_site(instance, review=review, progress=progress)
    return database, site


def _policy_changes(instance: Instance) -> tuple[str, ...]:
    old = load.newest_decisive(instance)
    return () if old is None else policy_changes(old, instance.settings.policy.decisive)


def _released(instance: Instance) -> tuple[str, ...]:
    """List the months released, oldest first."""
    return tuple(release.release_id for release in load.list_releases(instance.releases))


def _first_registered_on(instance: Instance) -> date | None:
    backend = engine.open_duckdb(instance.private_folder("tmp"), memory_limit=instance.settings.policy.memory_limit)
    staging = extract.open_staging(backend, instance.staging)
    first = None if staging is None else _earliest(staging.case.registered_on)
    backend.disconnect()
    return first
