"""Writing releases: `datasets/releases/<release_id>/`, one a month, each whole or not there (DESIGN §6).

Per release: gates → staged files and manifest (forced to disk) → read back → placements durable → rename. A run that
dies anywhere leaves the earlier releases as they were; `etl.load.healing` removes the half one. All relations are
fetched once and cut by release, so that a backfill of many months costs one pass.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.calendars import Period, parse_period, period_of
from etl.errors import ReleaseError
from etl.instance import Instance
from etl.instance.durable import json_bytes, make_folder_durable, rename_durable, sync_tree
from etl.load.archive import MANIFEST, Release, list_releases, read_release, read_table, read_tables, verify_release
from etl.load.arrange import Arranged, arrange, earlier_traces
from etl.load.attestation import Origin, write_attestation
from etl.load.contents import RunContents, run_contents
from etl.load.corrections import Corrections, carried_out, pending
from etl.load.files import Encoded, encode_bytes, encode_table
from etl.load.gates import Gated, check_release
from etl.load.healing import STAGING_PREFIX
from etl.load.history import POLICY
from etl.load.identity import read_books, shown_cells
from etl.load.labels import Named, listed_codes, named_codes
from etl.load.placement import check_placements, check_releases, stream_placements, write_placements
from etl.load.quality import quality_table
from etl.load.reconcile import Balance, own_groups
from etl.load.sums import LADDER_COLUMNS
from etl.load.texts import TextCheck
from etl.metadata import load_dictionary
from etl.model.canaries import read_canaries
from etl.model.identity import Books, first_year
from etl.model.progress import SILENT, Progress
from etl.model.published import Published

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

REPORT = "report.json"
AUDIT = "audit.json"
Review = Callable[[Mapping[str, pa.Table], bytes], bytes]  # tables, policy.yml -> audit.json


@dataclass(frozen=True)
class ReleaseSummary:
    """What a release holds: groups, cases in them (floor included), cases on the floor, the smallest group that is no
    floor row (None: no group), and the share of its cases that keep each column. withdrawn_count, replaced_count: earlier
    groups that it takes back for good, or replaces by a coarser row.
    """

    release_id: str
    group_count: int
    case_count: int
    floor_count: int
    min_case_count: int | None
    kept: Mapping[str, float]
    withdrawn_count: int = 0
    replaced_count: int = 0


@dataclass(frozen=True)
class _Draft:
    """One release before it is on disk."""

    month: Period
    number: int
    tables: Mapping[str, pa.Table]
    corrections: Corrections
    documents: Mapping[str, bytes]  # name -> content of policy.yml and report.json


def write_releases(
    instance: Instance,
    backend: BaseBackend,
    published: Published,
    *,
    as_of: date,
    due: Sequence[Period],
    origin: Origin | None = None,
    review: Review | None = None,
    progress: Progress = SILENT,
) -> list[ReleaseSummary]:
    """Write one release for each month in `due`, in order, and the placements of each before it becomes public.

    as_of: civil date of the newest snapshot. origin: what the run was made from, to be attested (None: nothing is
    staged, as in tests). review: the last gate; it gives the bytes of `audit.json`. Errors:
    PrivacyError from a gate, ReleaseError where the months do not follow the released ones; months before the failing
    one stay released. Memory: all groups, and one month's cases.
    """
    earlier = list_releases(instance.releases)
    _check_order(instance, earlier, due)
    if not due:
        return []
    codes = [month.code for month in due]
    arranged, contents = _arranged(instance, backend, published, earlier, as_of=as_of, due=due)
    balance = _balance_of(earlier)
    books = read_books(earlier, contents.policy, first_year=first_year(due[0].code))
    texts = TextCheck(read_canaries(instance.office))
    check_releases(published.placement, backend, codes)
    placements = stream_placements(published.placement, backend, group_ids=arranged.group_ids, due=codes)
    drafts = _drafts(arranged, contents, published, earlier, due=due, corrections=pending(instance, earlier))
    folder = instance.private_folder("placement")
    summaries = []
    for done, (month, draft, placed) in enumerate(zip(due, drafts, placements, strict=True), 1):
        books.add(draft.tables["margin"].to_pylist(), shown_cells(draft.tables, contents.policy))
        check_release(_gated(draft, contents, balance, books=books, texts=texts))
        if review is not None:
            draft = replace(draft, documents={**draft.documents, AUDIT: review(draft.tables, draft.documents[POLICY])})
        check_placements(placed, draft.tables["case_group"])
        staged = _stage(instance, draft)
        progress.step("releases staged", done, len(due))
        write_placements(folder, month.code, placed)
        progress.step("placements durable", done, len(due))
        if origin is not None:
            write_attestation(instance, month.code, origin)
        _put_in_place(instance, staged, month)
        progress.step("releases in place", done, len(due))
        balance.add(draft.tables["margin"], draft.tables["case_group"])
        summaries.append(summarise(month.code, draft.tables["case_group"], draft.tables["withdrawal"]))
    return summaries


def recount(
    instance: Instance, backend: BaseBackend, published: Published, *, as_of: date, due: Sequence[Period]
) -> Iterator[tuple[Release, Mapping[str, pa.Table], bytes]]:
    """Make the releases of `due`, which are released, once more in memory: each as released, its tables, its report.

    Nothing is written; corrections are those that the first of them carried out. It ends before a month that is not
    released: the run that was to release it died.
    """
    known = {release.release_id: release for release in list_releases(instance.releases)}
    earlier = [release for release in known.values() if release.release_id < due[0].code]
    arranged, contents = _arranged(instance, backend, published, earlier, as_of=as_of, due=due)
    taken_back = carried_out(instance, earlier, known[due[0].code])
    for draft in _drafts(arranged, contents, published, earlier, due=due, corrections=taken_back):
        if draft.month.code not in known:
            return
        yield known[draft.month.code], draft.tables, draft.documents[REPORT]


def summarise(release_id: str, group: pa.Table, withdrawal: pa.Table) -> ReleaseSummary:
    """Count what a release holds, from its tables `case_group` (replacing rows apart) and `withdrawal`."""
    group = own_groups(group)
    cases = pc.sum(group["case_count"]).as_py() or 0
    is_floor = group["is_floor"]
    kept = {
        name: (pc.sum(group.filter(pc.is_valid(group[column]))["case_count"]).as_py() or 0) / cases if cases else 0.0
        for name, (column, _) in LADDER_COLUMNS.items()
    }
    return ReleaseSummary(
        release_id,
        group.num_rows,
        cases,
        pc.sum(group.filter(is_floor)["case_count"]).as_py() or 0,
        pc.min(group.filter(pc.invert(is_floor))["case_count"]).as_py(),
        kept,
        withdrawal["replaced_by_id"].null_count,
        withdrawal.num_rows - withdrawal["replaced_by_id"].null_count,
    )


def _check_order(instance: Instance, earlier: Sequence[Release], due: Sequence[Period]) -> None:
    system = instance.settings.policy.calendar.system
    months = [parse_period(system, release.release_id) for release in earlier[-1:]] + list(due)
    for before, after in zip(months, months[1:], strict=False):
        if period_of(system, "month", before.last_on + timedelta(days=1)).code != after.code:
            raise ReleaseError(
                "release-order",
                found=f"the month {after.code} after {before.code}",
                expected="every month once, in order",
                todo="Release what is due with `shafaf run`.",
            )


def _balance_of(earlier: Sequence[Release]) -> Balance:
    balance, tables = Balance(), load_dictionary().tables
    columns = ("body_id", "case_type_code", "case_count", "replaces_id")
    balance.add(read_tables(earlier, tables["margin"]), read_tables(earlier, tables["case_group"], columns=columns))
    return balance


def _known_policies(earlier: Sequence[Release]) -> set[str]:
    table = read_tables(earlier, load_dictionary().tables["release"], columns=("policy_sha256",))
    return set(table["policy_sha256"].to_pylist())


def _arranged(
    instance: Instance,
    backend: BaseBackend,
    published: Published,
    earlier: Sequence[Release],
    *,
    as_of: date,
    due: Sequence[Period],
) -> tuple[Arranged, RunContents]:
    """Number the rows of all due releases, and collect what they share."""
    codes = [month.code for month in due]
    arranged = arrange(
        published,
        backend,
        due=codes,
        first_number=len(earlier) + 1,
        earlier=earlier_traces(earlier),
        ladder=instance.settings.policy.ladder,
    )
    return arranged, run_contents(instance, as_of=as_of, due=due, first=earlier[0].release_id if earlier else None)


def _drafts(
    arranged: Arranged,
    contents: RunContents,
    published: Published,
    earlier: Sequence[Release],
    *,
    due: Sequence[Period],
    corrections: Corrections,
) -> Iterator[_Draft]:
    """Make the releases in order, one in memory at a time; corrections leave with the first, names of a source stay."""
    named = _named_before(earlier)
    is_new = contents.policy.sha256 not in _known_policies(earlier)
    for position, month in enumerate(due):
        draft = _draft(
            arranged.of(position),
            Corrections() if position else corrections,
            contents,
            published,
            month,
            number=len(earlier) + 1 + position,
            is_new=is_new and position == 0,
            named=named,
        )
        named |= listed_codes(draft.tables)
        yield draft


def _named_before(earlier: Sequence[Release]) -> set[Named]:
    """List what the reference tables of the newest release hold: lists only grow."""
    specs = [spec for spec in load_dictionary().tables.values() if spec.scope == "reference"]
    return listed_codes({spec.name: read_table(earlier[-1], spec) for spec in specs}) if earlier else set()


def _draft(
    numbers: Mapping[str, pa.Table],
    corrections: Corrections,
    contents: RunContents,
    published: Published,
    month: Period,
    *,
    number: int,
    is_new: bool,
    named: Collection[Named],
) -> _Draft:
    shown = {
        **corrections.applied(numbers, release_id=month.code, number=number, policy=contents.policy),
        "quality": quality_table(published.quality, month.code, number=number),
    }
    made = {
        **shown,
        **contents.reference_tables(month, number, named_codes(shown).union(named)),
        "release": contents.release_row(month, number, k_basis=published.report[month.code]["k_basis"]),
        "rung": contents.rung_rows(number, is_new=is_new),
    }
    names = [name for name, spec in load_dictionary().tables.items() if spec.scope != "database"]
    report = {"schema_version": load_dictionary().schema_version, "release_id": month.code}
    documents = {
        POLICY: contents.policy_text(month, published.cadence_bootstrap if number == 1 else None).encode(),
        REPORT: json_bytes({**report, **published.report.get(month.code, {})}),
    }
    return _Draft(month, number, {name: made[name] for name in names}, corrections, documents)


def _gated(draft: _Draft, contents: RunContents, balance: Balance, *, books: Books, texts: TextCheck) -> Gated:
    return Gated(
        release_id=draft.month.code,
        tables=draft.tables,
        balance=balance,
        k=contents.policy.k,
        rung_count=len(contents.policy.ladder),
        codes=contents.codes,
        ids=contents.ids,
        texts=texts,
        corrections=draft.corrections,
        books=books,
        documents=[(name, content.decode()) for name, content in draft.documents.items()],
    )


def _stage(instance: Instance, draft: _Draft) -> Path:
    folder = instance.datasets / f"{STAGING_PREFIX}{draft.month.code}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    files: list[Encoded] = []
    for name, table in draft.tables.items():
        files += encode_table(name, table)
    files += [encode_bytes(name, content) for name, content in draft.documents.items()]
    for file in files:
        (folder / file.entry.name).write_bytes(file.content)
    (folder / MANIFEST).write_bytes(_manifest_bytes(draft, files))
    sync_tree(folder)  # together, so that the disk need not stop at every file
    verify_release(read_release(folder))
    return folder


def _manifest_bytes(draft: _Draft, files: Sequence[Encoded]) -> bytes:
    entries: list[dict[str, Any]] = []
    for file in sorted(files, key=lambda file: file.entry.name):
        entry = asdict(file.entry)
        entries.append({"bytes": entry["byte_count"], "name": entry["name"], "rows": entry["row_count"]})
        entries[-1]["sha256"] = entry["sha256"]
    return json_bytes(
        {
            "schema_version": load_dictionary().schema_version,
            "release_id": draft.month.code,
            "release_number": draft.number,
            "files": entries,
        }
    )


def _put_in_place(instance: Instance, staged: Path, month: Period) -> None:
    rename_durable(staged, make_folder_durable(instance.releases) / month.code)
