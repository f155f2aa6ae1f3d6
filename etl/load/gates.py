"""What a release must pass before a byte of it is written; each failure is a PrivacyError that names table and rule.

Gates are pure functions of one shape: `Gated -> None`. They look at the numbered rows of one release, at the sums of
all releases before it (`Balance`) and at the words that may appear. They never show a value. Laws: DESIGN §4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from etl.calendars import parse_period
from etl.calendars.periods import SYSTEMS
from etl.errors import PrivacyError, UsageError
from etl.load.correction import TIME_COLUMNS, Group, first_id
from etl.load.corrections import Corrections
from etl.load.labels import DIMENSION_LISTS
from etl.load.reconcile import Balance, has_twins, own_groups
from etl.load.texts import TextCheck
from etl.metadata import load_dictionary
from etl.model.codes import EARLIER
from etl.model.identity import POPULATIONS, Books, month_span
from etl.model.quality import SHARE_POINTS, WHOLE, count_band
from etl.model.report import report_faults

LADDER = (
    "service_id",
    "service_level",
    "unit_id",
    "unit_level",
    "outcome_code",
    "lateness_code",
    "duration_band_code",
    "is_loop",
    "channel_code",
    "trace_id",
    "trace_level",
)
FLOOR_KEY = ("body_id", "period_code", "case_type_code", "late_for_code")
# the other populations that are peeled: what no rung drops, and what a floor row must not show
OTHERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cohort_group": (
        ("body_id", "case_type_code", "period_code"),
        (
            *("service_id", "service_level", "channel_code", "applicant_kind_code", "applicant_province_code"),
            "cohort_state_code",
        ),
    ),
    "open_group": (("body_id", "case_type_code", "period_code"), ("service_id", "stage_code", "age_band_code")),
}
PERIODS = ("month_code", "period_code", "late_for_code", "year_code")
REPORT = "report.json"


@dataclass(frozen=True)
class Gated:
    """One release before it is written: its tables, what came before, which words are known."""

    release_id: str
    tables: Mapping[str, pa.Table]
    balance: Balance
    k: int
    rung_count: int
    codes: Mapping[str, frozenset[str]]
    ids: Mapping[str, frozenset[str]]  # body, unit, service
    texts: TextCheck
    corrections: Corrections = field(default_factory=Corrections)
    books: Books = field(default_factory=Books)  # of all releases, this one with them
    documents: Sequence[tuple[str, str]] = ()  # name and text of policy.yml and report.json


Gate = Callable[[Gated], None]


def check_release(gated: Gated) -> None:
    """Pass one release through every gate; PrivacyError from the first that refuses."""
    for gate in GATES:
        gate(gated)


def check_schema(gated: Gated) -> None:
    """Refuse tables that are not exactly the dictionary's columns and types."""
    for name, table in gated.tables.items():
        if table.schema != load_dictionary().tables[name].arrow:
            raise _refused("gate-schema", name, "columns or types that the dictionary does not name")


def check_smallest_group(gated: Gated) -> None:
    """Refuse a group of fewer than k cases that is no floor row (law 1)."""
    for name in ("case_group", *OTHERS):
        group = gated.tables[name]
        small = pc.min(group.filter(pc.invert(group["is_floor"]))["case_count"]).as_py()
        if small is not None and small < gated.k:
            raise _refused("gate-k", name, "a group below k that is no floor row")
        if group.num_rows and pc.min(group["case_count"]).as_py() < 1:
            raise _refused("gate-k", name, "a group without cases")


def check_floor(gated: Gated) -> None:
    """Refuse two floor rows for one body, period and type, a floor row with detail, and one that is not below all rungs."""
    group = own_groups(gated.tables["case_group"])
    floor = group.filter(group["is_floor"])
    if len(floor.group_by(list(FLOOR_KEY)).aggregate([])) != floor.num_rows:
        raise _refused("gate-floor", "case_group", "two floor rows of one body, period and type")
    if any(floor[name].null_count != floor.num_rows for name in (*LADDER, *TIME_COLUMNS)):
        raise _refused("gate-floor", "case_group", "a floor row with a value of the ladder or a time")
    on_floor = pc.equal(group["rung_number"], gated.rung_count + 1)
    if not pc.all(pc.equal(on_floor, group["is_floor"]), min_count=0).as_py():
        raise _refused("gate-floor", "case_group", "a rung number that does not fit is_floor")


def check_partition(gated: Gated) -> None:
    """Refuse two groups that share every value: cases alike must be in one group."""
    group = own_groups(gated.tables["case_group"])
    keys = ["release_id", *FLOOR_KEY, "rung_number", *LADDER]
    if len(group.group_by(keys).aggregate([])) != group.num_rows:
        raise _refused("gate-partition", "case_group", "two groups with the same values")


def check_others(gated: Gated) -> None:
    """Refuse, in cohorts and open stock, a second floor row, one with detail, and two groups that share every value."""
    for name, (keys, values) in OTHERS.items():
        group = gated.tables[name]
        floor = group.filter(group["is_floor"])
        if len(floor.group_by(list(keys)).aggregate([])) != floor.num_rows:
            raise _refused("gate-floor", name, "two floor rows of one body, period and type")
        if any(floor[value].null_count != floor.num_rows for value in values):
            raise _refused("gate-floor", name, "a floor row with a value of the ladder")
        if len(group.group_by([*keys, "rung_number", *values]).aggregate([])) != group.num_rows:
            raise _refused("gate-partition", name, "two groups with the same values")


def check_others_close(gated: Gated) -> None:
    """Refuse cohorts that are not all registered cases of their period, and open groups that are not the open cases."""
    cohort = gated.tables["cohort_group"]
    months = gated.balance.registered_with(gated.tables["margin"])
    for key, count in _sums(cohort).items():
        if count != _registered(months, key):
            raise _refused("gate-nothing-lost", "cohort_group", "cohorts and floor that are not all registered cases")
    stock = gated.tables["open_group"]
    margin = gated.tables["margin"]
    if stock.num_rows:
        open_ = {(row["body_id"], row["case_type_code"]): row["open_count"] for row in margin.to_pylist()}
        given = {key[:2]: count for key, count in _sums(stock).items()}
        if given != {key: count for key, count in open_.items() if count}:
            raise _refused("gate-nothing-lost", "open_group", "open groups and floor that are not all open cases")


def check_times(gated: Gated) -> None:
    """Refuse order statistics without the band that says that at least k cases have a time."""
    for name, columns in (
        ("case_group", TIME_COLUMNS[1:]),
        ("duration", TIME_COLUMNS[1:]),
        ("case_group_step", ("since_start_median_days", "since_previous_median_days")),
    ):
        table = gated.tables[name]
        untimed = table.filter(pc.is_null(table["timed_band_code"]))
        if any(untimed[column].null_count != untimed.num_rows for column in columns):
            raise _refused("gate-times", name, "a time of a group that has too few timed cases")


def check_quality(gated: Gated) -> None:
    """Refuse a row of `quality` that is an exact count from 1 on, or a share of which a band is no five points wide."""
    for row in gated.tables["quality"].to_pylist():
        low, high = row["at_least"], row["at_most"]
        if row["unit_code"] == "percent":
            is_band = (low, high) == (0, WHOLE) or (low % SHARE_POINTS == 0 and high == low + SHARE_POINTS <= WHOLE)
        else:
            is_band = (low, high) == count_band(low, gated.k)
        if not is_band:
            raise _refused("gate-quality", "quality", "a range that is none of the published bands")


def check_report(gated: Gated) -> None:
    """Refuse a report.json that says more than sums of the release's own tables, or a count from 1 to k - 1 as it is."""
    group = own_groups(gated.tables["case_group"])
    counted = {
        "case_count": pc.sum(group["case_count"]).as_py() or 0,
        "floor_count": pc.sum(group.filter(group["is_floor"])["case_count"]).as_py() or 0,
        "awaiting_count": pc.sum(gated.tables["margin"]["awaiting_count"]).as_py() or 0,
    }
    shown = {"trace_key" if name == "trace_id" else name: pc.is_valid(group[name]) for name in LADDER}
    kept = {name: pc.sum(group.filter(is_shown)["case_count"]).as_py() or 0 for name, is_shown in shown.items()}
    for name, text in gated.documents:
        if name == REPORT:
            for fault in report_faults(json.loads(text), counted=counted, kept=kept, k=gated.k):
                raise _refused("gate-report", name, f"what no report may say, at {fault}")


def check_nothing_lost(gated: Gated) -> None:
    """Refuse a release in which groups + floor + awaiting are not all finished cases so far (law 3)."""
    if not gated.balance.is_whole(gated.tables["margin"], gated.tables["case_group"]):
        raise _refused("gate-nothing-lost", "case_group", "groups, floor and awaiting that are not all finished cases")


def check_margin_identity(gated: Gated) -> None:
    """Refuse margins whose flows do not give the change of the stock, and two rows of one body and type."""
    margin = gated.tables["margin"]
    if has_twins(margin):
        raise _refused("gate-margin", "margin", "two rows of one body and case type")
    if gated.balance.lacks_rows(margin):
        raise _refused("gate-margin", "margin", "a body and case type that had a row before and has none now")
    if not gated.balance.closes(margin):
        raise _refused("gate-margin", "margin", "flows that do not give the change of open cases")


def check_release_id(gated: Gated) -> None:
    """Refuse rows that name another release than the one they are in."""
    for name, table in gated.tables.items():
        if "release_id" in table.column_names and not set(pc.unique(table["release_id"]).to_pylist()) <= {
            gated.release_id
        }:
            raise _refused("gate-release-id", name, "rows of another release")


def check_identity(gated: Gated) -> None:
    """Refuse a release beside whose groups stock and flow give a hidden number of fewer than k cases."""
    if gated.books.narrow(gated.release_id, k=gated.k):
        found = "a number of fewer than k cases that stock and flow give away"
        todo = "This is a fault of the program; please report it."
        raise _refused("gate-identity", ", ".join(POPULATIONS), found, todo=todo)


def check_corrections(gated: Gated) -> None:
    """Refuse a withdrawal of what is no released group, a second one, and a replacement that is not one coarser row.

    A replacement has the cases of the group it replaces, no more and no fewer, and shows nothing that the group did not.
    """
    group, withdrawal = gated.tables["case_group"], gated.tables["withdrawal"].to_pylist()
    ids = [row["case_group_id"] for row in withdrawal]
    if len(set(ids)) < len(ids) or set(ids) & gated.corrections.gone:
        raise _refused("gate-correction", "withdrawal", "a group that is withdrawn twice")
    news = {row["case_group_id"]: row for row in group.filter(pc.is_valid(group["replaces_id"])).to_pylist()}
    if sorted(news) != sorted(row["replaced_by_id"] for row in withdrawal if row["replaced_by_id"] is not None):
        raise _refused("gate-correction", "case_group", "replacing rows that are not one for each group replaced")
    for row in withdrawal:
        old = gated.corrections.groups.get(row["case_group_id"])
        if old is None or old["is_floor"]:
            raise _refused("gate-correction", "withdrawal", "a withdrawal of what is no released group, or a floor row")
        new = news.get(row["replaced_by_id"])
        if new is not None and (new["replaces_id"] != first_id(old) or not _is_coarser(new, old)):
            raise _refused("gate-correction", "case_group", "a replacement that is not coarser, over the same cases")


def _is_coarser(new: Group, old: Group) -> bool:
    may_lack = (*LADDER, *TIME_COLUMNS)
    same = [name for name in old if name not in ("case_group_id", "release_id", "replaces_id", *may_lack)]
    is_same = all(new[name] == old[name] for name in same)
    return is_same and all(new[name] is None or new[name] == old[name] for name in may_lack)


def check_words(gated: Gated) -> None:
    """Refuse codes outside their list, ids without a row, and periods that are none."""
    for name, table in gated.tables.items():
        spec = load_dictionary().tables[name]
        for column in spec.columns:
            values = _values(table, column.name)
            if column.codes and not values <= gated.codes.get(column.codes, frozenset()):
                found = f"a code in {column.name} that is not in the list {column.codes}"
                todo = f"Add it under x-shafaf.codes of metadata.yml (list: {column.codes}) or correct the mapping."
                raise _refused("gate-code", name, found, todo=todo)
            known = gated.ids.get(column.references or "")
            if known is not None and not values <= known:
                raise _refused("gate-id", name, f"an id in {column.name} that table {column.references} lacks")
            if column.name in PERIODS and not all(value == EARLIER or _is_period(value) for value in values):
                raise _refused("gate-period", name, f"a value in {column.name} that is no period")
    check_statutory_words(gated)


def check_statutory_words(gated: Gated) -> None:
    """Refuse statutory values outside the list of their dimension."""
    table = gated.tables["statutory"]
    pairs = table.group_by(["dimension_code", "value_code"]).aggregate([]).to_pylist()
    for pair in pairs:
        dimension = pair["dimension_code"]
        if pair["value_code"] not in gated.codes.get(DIMENSION_LISTS.get(dimension, dimension), frozenset()):
            raise _refused("gate-code", "statutory", f"a value of the dimension {dimension} that is not in its list")


def check_texts(gated: Gated) -> None:
    """Refuse formula cells, direction controls and canaries in any text of any table or document."""
    for name, table in gated.tables.items():
        for column in table.column_names:
            for value in _values(table, column):
                rule = gated.texts.refuse_cell(value)
                if rule is not None:
                    raise _refused("gate-text", name, f"{rule} in {column}")
    for name, text in gated.documents:
        rule = gated.texts.refuse_text(text)
        if rule is not None:
            raise _refused("gate-text", name, rule)


GATES: tuple[Gate, ...] = (
    check_schema,
    check_release_id,
    check_smallest_group,
    check_floor,
    check_partition,
    check_others,
    check_others_close,
    check_times,
    check_quality,
    check_report,
    check_margin_identity,
    check_nothing_lost,
    check_identity,
    check_corrections,
    check_words,
    check_texts,
)


def _values(table: pa.Table, name: str) -> set[str]:
    if not pa.types.is_string(table.schema.field(name).type):
        return set()
    return set(pc.unique(table[name]).to_pylist()) - {None}


def _sums(group: pa.Table) -> dict[tuple[str, str, str], int]:
    keys = ["body_id", "case_type_code", "period_code"]
    rows = group.group_by(keys).aggregate([("case_count", "sum")]).to_pylist()
    return {(row[keys[0]], row[keys[1]], row[keys[2]]): row["case_count_sum"] for row in rows}


def _registered(months: Mapping[tuple[str, str], Mapping[str, int]], key: tuple[str, str, str]) -> int:
    """Sum the registered cases of a body and type over the months of a period."""
    first, last = month_span(key[2])
    return sum(count for month, count in months.get(key[:2], {}).items() if first <= month <= last)


def _is_period(value: str) -> bool:
    try:
        parse_period(SYSTEMS[0], value)
    except UsageError:
        return False
    return True


def _refused(slug: str, table: str, found: str, *, todo: str = "Check mapping and settings.") -> PrivacyError:
    return PrivacyError(
        slug,
        found=f"{found} ({table})",
        expected="a release that passes every gate",
        todo=f"This release stayed inside, earlier ones are as they were. {todo}",
    )
