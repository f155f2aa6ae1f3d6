"""The extraction itself: every source into one batch (DESIGN §3). Reads top to bottom as the data's way."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

from etl.engine import connect_duckdb
from etl.errors import SourceError
from etl.extract.batch import check_conservation, compare, write_data, write_labels, write_quarantine
from etl.extract.derive import derive_cases, hash_content
from etl.extract.event_dates import date_cases
from etl.extract.keeping import Keeping, Left
from etl.extract.link import join_cases
from etl.extract.manifest import Manifest, read_manifests, write_manifest
from etl.extract.mapping import SourceMap
from etl.extract.mapping_file import load_sources
from etl.extract.quality import REASON_PREFIX
from etl.extract.read import load_tables, name_codes, place_rows
from etl.extract.reading import Reading, Task, read_sources
from etl.extract.report import ExtractReport, band_of
from etl.extract.screen import EventCount, SourceCount, check_limits, reject_merged, scalar, screen
from etl.extract.standing import Totals, linkage_of
from etl.extract.timeline import make_timelines
from etl.extract.view import read_labels
from etl.extract.vocabulary import LIST_OF, SlugBook
from etl.instance import Instance
from etl.model.progress import SILENT, Progress
from etl.model.staging import STAGING_VERSION

MEMORY_SHARE = 3, 4  # of memory_limit; the rest is for the processes that read
_SNAPSHOT = "snapshot_second"  # of a source, in the manifest: seconds since 1970, UTC
_COUNTS = ("read", "staged", "unchanged", "quarantined", "deleted")
_UNCHANGED = """select count(*) from case_hash h join known k using (case_key)
  where not k.is_deleted and k.content_hash = h.content_hash"""
_STANDING = "select count(*) from standing where is_case"
_LIVE_KNOWN = "select count(*) from known where not is_deleted"
_LIVE_CASES = """select (select count(*) from known where not is_deleted) - (select count(*) from gone)
  + (select count(*) from changed c where not exists
      (select 1 from known k where k.case_key = c.case_key and not k.is_deleted))"""


def extract(
    instance: Instance,
    *,
    only: Sequence[str] = (),
    full: bool = False,
    dry_run: bool = False,
    progress: Progress = SILENT,
) -> ExtractReport:
    """Read every source in `sources/` (or `only` some) and stage what is new as one batch.

    Nothing is written where nothing is new and the snapshot is no newer. With `only`, cases gone from a source are not
    noticed: absence can be told only from a run over all. Where every source tells its changes (`[changes]`), only these
    are read unless `full` or a whole read is due; what is staged and counted is the same. Errors: SettingsError for a
    mapping, SourceError (exit 21) for a source that cannot be read, lost a column, shrank by half or breaks its mapping
    too often; then nothing was written.
    """
    sources = load_sources(instance.sources, instance.settings, only=only)
    policy = instance.settings.policy
    manifests = read_manifests(instance.staging)
    slugs = SlugBook(read_labels(instance.staging))
    with _workshop(instance) as (con, folder):
        secret = instance.secret(create=not manifests)  # a new secret would make every staged case look new
        newest = manifests[-1] if manifests else None
        keeping = Keeping(con, instance, folder, sources=sources, newest=newest, is_partial=bool(only))
        windows = {} if full else keeping.windows()
        tasks = [Task(s, instance.root, folder / s.name, secret, policy, slugs, windows.get(s.name)) for s in sources]
        readings = _read(tasks, progress)
        snapshots = {name: reading.snapshot_at for name, reading in readings.items()}
        work = _Work(instance, con, manifests, bool(only), keeping)
        work.check_snapshots(snapshots)
        for reading in readings.values():
            slugs.take_in(reading.slugs)
        load_tables(con, folder, sources, codes=None if windows else [code for _, _, code in slugs.all_codes()])
        place_rows(con, {name: reading.first_rows for name, reading in readings.items()})
        keeping.complete(readings)
        _name_slugs(con, sources, slugs)
        if windows:
            name_codes(con, sources)
        date_cases(con, sources)
        totals = work.make_cases(sources, snapshots, progress=progress)
        report = work.settle(totals, snapshot_at=min(snapshots.values()))
        report = replace(report, left_out=sum(reading.left_out for reading in readings.values()))
        return report if dry_run else work.write(report, slugs, readings=readings, progress=progress)


@dataclass(frozen=True)
class _Work:
    """The working tables of one run, and the state they are compared with."""

    instance: Instance
    con: duckdb.DuckDBPyConnection
    manifests: tuple[Manifest, ...]
    is_partial: bool  # not all sources were read: absence tells nothing
    keeping: Keeping

    @property
    def newest(self) -> Manifest | None:
        """The newest manifest before this run."""
        return self.manifests[-1] if self.manifests else None

    @property
    def batch_id(self) -> int:
        """The number this batch has, if it is written."""
        return self.newest.batch_id + 1 if self.newest else 1

    def check(
        self, counts: Mapping[str, SourceCount], sources: Sequence[SourceMap], *, events: Mapping[str, EventCount]
    ) -> None:
        """Stop where a source breaks its mapping too often, or gives far fewer or far more cases than the last time."""
        may_be_empty = self.newest is not None and all(source.limits.shrink_share == 1 for source in sources)
        check_limits(self.con, sources, counts, events=events, may_be_empty=may_be_empty)
        before = self.newest.sources if self.newest else {}
        for source in sources:
            read, earlier = counts[source.name].read, before.get(source.name, {}).get("read", 0)
            limits = source.limits
            shrank = read < earlier * (1 - limits.shrink_share)
            grew = earlier >= limits.growth_from and read > earlier * (1 + limits.growth_share)
            if shrank or grew:
                limit = "shrink_share" if shrank else "growth_share"
                raise SourceError(
                    "source-shrank" if shrank else "source-grew",
                    found=f"{read:,} cases in source {source.name!r}",
                    expected=f"about as many as the {earlier:,} of the last run; nothing was written",
                    todo=f"Look at the source. If it is meant, raise limits.{limit} for one run.",
                )

    def make_cases(
        self, sources: Sequence[SourceMap], snapshots: Mapping[str, datetime], *, progress: Progress
    ) -> Totals:
        """Make cases, timelines and their hashes of the rows that were read; give what there is over all sources."""
        con, keeping = self.con, self.keeping
        counts, events = screen(con, sources, snapshots=snapshots)
        if not keeping.is_window:
            self.check(counts, sources, events=events)
        joined = join_cases(con)
        misfits = reject_merged(con)
        progress.step("timelines", 0)
        derived = make_timelines(con, sources)
        derive_cases(con, self.instance.settings.policy)
        hash_content(con)
        linkage = linkage_of(con, joined, rows="case_new where", promised="promised_on is not null")
        keeping.note_state(self.batch_id)
        if not keeping.is_window:
            return Totals(counts, joined, misfits, derived, linkage)
        totals, events = keeping.totals()
        self.check(totals.counts, sources, events=events)
        return totals

    def check_snapshots(self, snapshots: Mapping[str, datetime]) -> None:
        """Stop where a source stands for an earlier instant than the last time: its rows would undo what is known."""
        before = self.newest.sources if self.newest else {}
        for name, snapshot_at in snapshots.items():
            earlier = before.get(name, {}).get(_SNAPSHOT, 0)
            if snapshot_at.timestamp() < earlier:
                raise SourceError(
                    "snapshot-backwards",
                    found=f"rows of source {name!r} as of {snapshot_at:%Y-%m-%d %H:%M} UTC",
                    expected=f"{datetime.fromtimestamp(earlier, UTC):%Y-%m-%d %H:%M} UTC, as in the last run, or later",
                    todo="Give the newer copy of the source, or correct snapshot_on; nothing was written.",
                )

    def settle(self, totals: Totals, *, snapshot_at: datetime) -> ExtractReport:
        """Compare with what is staged and count; SourceError where the sums do not hold."""
        con, is_window = self.con, self.keeping.is_window
        compare(con, self.instance.staging, self.manifests, batch_id=self.batch_id, is_window=is_window)
        if self.is_partial:
            con.execute("delete from gone")
        staged = scalar(con, "select count(*) from changed")
        unchanged = scalar(con, _STANDING) - staged if is_window else scalar(con, _UNCHANGED)
        counts = totals.counts.values()
        read = sum(count.read for count in counts) - totals.joined.letters_joined
        quarantined = sum(count.quarantined for count in counts) + totals.misfits
        check_conservation(con, read=read, staged=staged, unchanged=unchanged, quarantined=quarantined)
        return ExtractReport(
            read=read,
            staged=staged,
            unchanged=unchanged,
            quarantined=quarantined,
            deleted=scalar(con, "select count(*) from gone"),
            batch_id=None,
            snapshot_at=snapshot_at,
            linkage=totals.linkage,
            by_source=dict(totals.counts),
            reasons=dict(
                con.execute("select reason, count(*) from quarantine group by reason order by all").fetchall()
            ),
            classified_band=band_of(sum(count.classified for count in counts)),
            derived_events=totals.derived,
            events=scalar(con, "select count(*) from event_seq join changed using (case_key)"),
            is_window=is_window,
        )

    def write(
        self, report: ExtractReport, slugs: SlugBook, *, readings: Mapping[str, Reading], progress: Progress
    ) -> ExtractReport:
        """Write the batch and then its manifest, unless nothing is new."""
        newest = self.newest
        if not report.staged and not report.deleted and newest and report.snapshot_at <= newest.snapshot_at:
            return report
        staging = self.instance.private_folder("staging")
        files = write_data(self.con, staging, batch_id=self.batch_id, manifests=self.manifests, progress=progress)
        rows = {table: sum(file.rows for file in files if file.table == table) for table in ("case", "event")}
        staged = rows["case"] - report.deleted
        check_conservation(
            self.con, read=report.read, staged=staged, unchanged=report.unchanged, quarantined=report.quarantined
        )
        write_quarantine(self.con, self.instance.private_folder("quarantine"), self.batch_id)
        left = self.keeping.write(readings, batch_id=self.batch_id)
        before = newest.labels if newest else None
        manifest = Manifest(
            batch_id=self.batch_id,
            staging_version=STAGING_VERSION,
            snapshot_at=max(report.snapshot_at, newest.snapshot_at) if newest else report.snapshot_at,
            case_count=rows["case"],
            event_count=rows["event"],
            live_case_count=self._count_live(),
            files=files,
            labels=write_labels(staging, slugs.labels(), batch_id=self.batch_id, before=before),
            counts={name: getattr(report, name) for name in _COUNTS}
            | {f"{REASON_PREFIX}{reason}": count for reason, count in report.reasons.items()},
            sources={**(newest.sources if newest else {}), **_describe(report.by_source, readings, left=left)},
            reading=left.reading,
            marks=left.marks,
            kept=left.files,
        )
        write_manifest(staging, manifest)
        return replace(report, batch_id=self.batch_id)

    def _count_live(self) -> int:
        """Count the cases of the view after this batch; over changes, from those before it."""
        live = scalar(self.con, _LIVE_CASES)
        if not self.keeping.is_window or self.newest is None:
            return live
        return self.newest.live_case_count - scalar(self.con, _LIVE_KNOWN) + live


def _read(tasks: Sequence[Task], progress: Progress) -> dict[str, Reading]:
    """Read every source; all of them whole where one has to be."""
    readings = read_sources(tasks, progress)
    if not any(reading.is_short for reading in readings.values()):
        return readings
    progress.step("read whole", 0)
    for task in tasks:
        shutil.rmtree(task.folder, ignore_errors=True)
    return read_sources([replace(task, window=None) for task in tasks], progress)


def _describe(
    by_source: Mapping[str, SourceCount], readings: Mapping[str, Reading], *, left: Left
) -> dict[str, dict[str, int]]:
    """Give the counts of every source for the manifest, and the instant its rows stand for."""
    return {
        name: {**asdict(count), _SNAPSHOT: int(readings[name].snapshot_at.timestamp()), **left.sources.get(name, {})}
        for name, count in by_source.items()
    }


@contextmanager
def _workshop(instance: Instance) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open DuckDB and a folder for its spill and the rows that are read, gone afterwards; of a run that died, too.

    Working tables are in memory, where they need no compression, and spill what does not fit.
    """
    for old in instance.private_folder("tmp").glob("extract-*"):
        shutil.rmtree(old)
    folder = instance.private_folder("tmp") / f"extract-{uuid4().hex[:12]}"
    folder.mkdir(mode=0o700)
    con = connect_duckdb(folder, memory_limit=_share_of(instance.settings.policy.memory_limit))
    try:
        yield con, folder
    finally:
        con.close()
        shutil.rmtree(folder)


def _share_of(memory_limit: str) -> str:
    """Give extraction its share of the memory.

    >>> _share_of("1200MB"), _share_of("4 GiB")
    ('900MB', '3GiB')
    """
    share, whole = MEMORY_SHARE
    return re.sub(r"(\d+) ?(\w+)", lambda found: f"{int(found[1]) * share / whole:g}{found[2]}", memory_limit)


def _name_slugs(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap], slugs: SlugBook) -> None:
    """Put codes in the place of the keys of names in every column that a source codes by rule."""
    codes = slugs.all_codes()
    if not codes:
        return
    lists, keys, made = zip(*codes, strict=True)
    con.register("new_codes", pa.table({"list_code": list(lists), "name_key": list(keys), "code": list(made)}))
    con.execute("create temp table slug_code as select * from new_codes")
    con.unregister("new_codes")
    for source in sources:
        for table, columns in (("case_raw", source.case), ("event_raw", source.event)):
            for name, how in columns.items():
                if how.code == "slug":
                    con.execute(
                        f"""update {table} set {name} = s.code from slug_code s
                            where {table}.source = ? and s.list_code = ? and s.name_key = {table}.{name}""",
                        [source.name, LIST_OF[name]],
                    )
