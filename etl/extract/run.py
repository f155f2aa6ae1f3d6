"""The extraction itself: every source into one batch (DESIGN §3). Reads top to bottom as the data's way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

from etl.engine import open_duckdb
from etl.errors import SourceError
from etl.extract.batch import check_conservation, compare, write_data, write_labels, write_quarantine
from etl.extract.derive import derive_cases, hash_content
from etl.extract.event_dates import date_cases
from etl.extract.link import Joined, join_cases
from etl.extract.manifest import Manifest, read_manifests, write_manifest
from etl.extract.mapping import SourceMap, load_sources
from etl.extract.quality import REASON_PREFIX
from etl.extract.read import load_tables
from etl.extract.reading import Task, read_sources
from etl.extract.report import ExtractReport, Indicator, Linkage, band_of
from etl.extract.screen import SourceCount, reject_merged, scalar, screen
from etl.extract.timeline import make_timelines
from etl.extract.view import read_labels
from etl.extract.vocabulary import LIST_OF, SlugBook
from etl.instance import Instance
from etl.model.progress import SILENT, Progress
from etl.model.staging import STAGING_VERSION

MEMORY_LIMIT = "900MB"
_SNAPSHOT = "snapshot_second"  # of a source, in the manifest: seconds since 1970, UTC
_COUNTS = ("read", "staged", "unchanged", "quarantined", "deleted")
_LIVE_CASES = """select (select count(*) from known where not is_deleted) - (select count(*) from gone)
  + (select count(*) from changed c where not exists
      (select 1 from known k where k.case_key = c.case_key and not k.is_deleted))"""


def extract(
    instance: Instance, *, only: Sequence[str] = (), dry_run: bool = False, progress: Progress = SILENT
) -> ExtractReport:
    """Read every source in `sources/` (or `only` some) and stage what is new as one batch.

    Nothing is written where nothing is new and the snapshot is no newer. With `only`, cases gone from a source are not
    noticed: absence can be told only from a run over all. Errors: SettingsError for a mapping, SourceError (exit 21) for a
    source that cannot be read, lost a column, shrank by half or breaks its mapping too often; then nothing was written.
    """
    sources = load_sources(instance.sources, instance.settings, only=only)
    policy = instance.settings.policy
    manifests = read_manifests(instance.staging)
    slugs = SlugBook(read_labels(instance.staging))
    with _workshop(instance) as (con, folder):
        secret = instance.secret(create=not manifests)  # a new secret would make every staged case look new
        tasks = [Task(s, instance.root, folder / s.name, secret, policy, slugs) for s in sources]
        readings = read_sources(tasks, progress)
        snapshots = {name: reading.snapshot_at for name, reading in readings.items()}
        work = _Work(instance, con, manifests, bool(only))
        work.check_snapshots(snapshots)
        load_tables(con, folder, sources)
        for reading in readings.values():
            slugs.take_in(reading.slugs)
        _name_slugs(con, sources, slugs)
        date_cases(con, sources)
        counts = screen(con, sources, snapshots=snapshots)
        work.check_volume(counts, sources)
        joined = join_cases(con)
        misfits = reject_merged(con)
        progress.step("timelines", 0)
        derived = make_timelines(con, sources)
        derive_cases(con, policy)
        hash_content(con)
        report = work.settle(counts, joined, misfits=misfits, derived=derived, snapshot_at=min(snapshots.values()))
        return report if dry_run else work.write(report, slugs, snapshots=snapshots, progress=progress)


@dataclass(frozen=True)
class _Work:
    """The working tables of one run, and the state they are compared with."""

    instance: Instance
    con: duckdb.DuckDBPyConnection
    manifests: tuple[Manifest, ...]
    is_partial: bool  # not all sources were read: absence tells nothing

    @property
    def newest(self) -> Manifest | None:
        """The newest manifest before this run."""
        return self.manifests[-1] if self.manifests else None

    @property
    def batch_id(self) -> int:
        """The number this batch has, if it is written."""
        return self.newest.batch_id + 1 if self.newest else 1

    def check_volume(self, counts: Mapping[str, SourceCount], sources: Sequence[SourceMap]) -> None:
        """Stop where a source gives far fewer or far more cases than it gave the last time (`[limits]`)."""
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

    def settle(
        self,
        counts: Mapping[str, SourceCount],
        joined: Joined,
        *,
        misfits: int,
        derived: int,
        snapshot_at: datetime,
    ) -> ExtractReport:
        """Compare with what is staged and count; SourceError where the sums do not hold."""
        con = self.con
        compare(con, self.instance.staging, self.manifests, batch_id=self.batch_id)
        if self.is_partial:
            con.execute("delete from gone")
        staged = scalar(con, "select count(*) from changed")
        unchanged = scalar(
            con,
            """select count(*) from case_hash h join known k using (case_key)
               where not k.is_deleted and k.content_hash = h.content_hash""",
        )
        read = sum(count.read for count in counts.values()) - joined.letters_joined
        quarantined = sum(count.quarantined for count in counts.values()) + misfits
        check_conservation(con, read=read, staged=staged, unchanged=unchanged, quarantined=quarantined)
        return ExtractReport(
            read=read,
            staged=staged,
            unchanged=unchanged,
            quarantined=quarantined,
            deleted=scalar(con, "select count(*) from gone"),
            batch_id=None,
            snapshot_at=snapshot_at,
            linkage=_linkage(con, joined),
            by_source=dict(counts),
            reasons=dict(
                con.execute("select reason, count(*) from quarantine group by reason order by all").fetchall()
            ),
            classified_band=band_of(sum(count.classified for count in counts.values())),
            derived_events=derived,
            events=scalar(con, "select count(*) from event_seq join changed using (case_key)"),
        )

    def write(
        self, report: ExtractReport, slugs: SlugBook, *, snapshots: Mapping[str, datetime], progress: Progress
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
        before = newest.labels if newest else None
        manifest = Manifest(
            batch_id=self.batch_id,
            staging_version=STAGING_VERSION,
            snapshot_at=max(report.snapshot_at, newest.snapshot_at) if newest else report.snapshot_at,
            case_count=rows["case"],
            event_count=rows["event"],
            live_case_count=scalar(self.con, _LIVE_CASES),
            files=files,
            labels=write_labels(staging, slugs.labels(), batch_id=self.batch_id, before=before),
            counts={name: getattr(report, name) for name in _COUNTS}
            | {f"{REASON_PREFIX}{reason}": count for reason, count in report.reasons.items()},
            sources={**(newest.sources if newest else {}), **_describe(report.by_source, snapshots)},
        )
        write_manifest(staging, manifest)
        return replace(report, batch_id=self.batch_id)


def _describe(by_source: Mapping[str, SourceCount], snapshots: Mapping[str, datetime]) -> dict[str, dict[str, int]]:
    """Give the counts of every source for the manifest, and the instant its rows stand for."""
    return {name: {**asdict(c), _SNAPSHOT: int(snapshots[name].timestamp())} for name, c in by_source.items()}


@contextmanager
def _workshop(instance: Instance) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open DuckDB and a folder for its spill and the rows that are read, gone afterwards; of a run that died, too.

    Working tables are in memory, where they need no compression, and spill what does not fit.
    """
    for old in instance.private_folder("tmp").glob("extract-*"):
        shutil.rmtree(old)
    folder = instance.private_folder("tmp") / f"extract-{uuid4().hex[:12]}"
    folder.mkdir(mode=0o700)
    backend = open_duckdb(folder, memory_limit=MEMORY_LIMIT)
    try:
        yield backend.con, folder
    finally:
        backend.disconnect()
        shutil.rmtree(folder)


def _name_slugs(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap], slugs: SlugBook) -> None:
    """Put codes in the place of the keys of names in every column that a source codes by rule."""
    codes = slugs.codes()
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


def _linkage(con: duckdb.DuckDBPyConnection, joined: Joined) -> Linkage:
    row = con.execute(
        """select count(*), count(*) filter (is_linked), count(registration_days),
             quantile_disc(registration_days, 0.5), count(promised_on), count(*) filter (is_notified_each)
           from case_new where is_desk"""
    ).fetchone() or (0, 0, 0, None, 0, 0)
    desk, linked, registered, days, promised, notified = row
    return Linkage(
        joined,
        i1=Indicator(linked, desk),
        i2=Indicator(registered, linked, days),
        i3=Indicator(promised, desk),
        i4=Indicator(notified, desk),
    )
