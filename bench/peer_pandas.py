"""The peer: the groups of a demo office made with pandas, as an analyst would who has one machine and no Shafaf.

Same input (the queries of sources/ through `read_sql`), same screening, join, timeline, periods, rungs and rules of
standing: k requesters of whom none has more than half, no outcome beside a class that it dominates, no row that proves
every finer value. One frame of all events in memory, traces as tuples, rungs by group-by in a loop, `to_sql` into SQLite.
It makes less: no keyed hashes, no medians, no steps, no margins, no statutory table, no cohorts or open groups (and so
none of the identity gate, which coarsens only these), no late cases, no audit, no files for download, no site, nothing
for a second run. What it shares with the program: policy, calendar, code lists and the folding of spellings, so that a
difference is a difference. It knows the levels that the demo's ladder uses.

`python -m bench.peer_pandas PORTAL OUT.db` needs the packages of requirements-peer.txt on its path (`bench.spent.PEER`)
and the months in PORTAL/datasets/releases, which say what is due.
"""

from __future__ import annotations

import sqlite3
import sys
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from persiantools.jdatetime import JalaliDate

from bench.peer_groups import FLOOR, PUBLISHED, trace_text
from etl.calendars import parse_period, year_month
from etl.instance import Instance
from etl.metadata import Policy, code_rows, duration_bands
from etl.metadata.levels import ancestors
from etl.model.text import fold, latin_digits

NOT_RECORDED = "not_recorded"
VALUES = {
    ("service", "leaf"): "service_id",
    ("service", "family"): "service_family",
    ("unit", "leaf"): "unit_id",
    ("unit", "department"): "unit_department",
    ("outcome", "code"): "outcome_code",
    ("lateness", "code"): "lateness_code",
    ("duration", "band"): "duration_band",
    ("loop", "flag"): "is_loop",
    ("channel", "code"): "channel_code",
    **{("trace", level): f"trace_{level}" for level in ("steps_units", "steps", "milestones")},
}
CASE = ["case_type_code", "body_id", "unit_id", "service_id", "channel_code", "received_on", "registered_on"]
CASE += ["decided_on", "closed_on", "status_code", "outcome_code", "requester"]
ORDER = ["case_key", "occurred_at", "is_letter", "source", "step_no", "activity_code", "from_unit_id", "to_unit_id"]


def read_source(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read cases and events of one source, mapped and screened; keys begin with the source's name."""
    source = tomllib.loads((folder / "sources" / name / "source.toml").read_text(encoding="utf-8"))
    con = sqlite3.connect(folder / source["url"].removeprefix("sqlite:///"))
    case, event = (pd.read_sql((folder / "sources" / name / f"{t}.sql").read_text(), con) for t in ("case", "event"))
    snapshot = datetime.fromisoformat(con.execute(source["snapshot_query"]).fetchone()[0])
    con.close()
    snapshot_on = pd.Timestamp(snapshot.astimezone(ZoneInfo(source["zone"])).date())
    made, bad_case = _mapped(case, source["case"], source)
    made["row"], made["tracking_ref"], made["letter_ref"] = range(len(case)), case["tracking_ref"], case["letter_ref"]
    made["case_key"] = name + case["case_ref"].astype(str)
    if "requester_key" in source["case"]:  # a person counts anew each year
        year = made["received_on"].fillna(made["registered_on"]).map(_jalali_year, na_action="ignore")
        made["requester"] = case[source["case"]["requester_key"]].map(str).map(fold) + " " + year.astype(str)
    steps, bad_event = _mapped(event, source["event"], source)
    steps["case_key"] = name + event["case_ref"].astype(str)
    steps["step_no"] = event["step_no"]
    steps["milestone_code"] = steps["activity_code"].map(source["milestone"])
    if "column" in source["secrecy"]:
        maps = {fold(k) for k, v in source["map"][source["secrecy"]["map"]].items() if v == "normal"}
        classified = ~_by_value(case[source["secrecy"]["column"]], lambda text: fold(text) in maps).eq(True)
        secret = set(made.loc[classified, "case_key"])
        bad_event |= steps["case_key"].isin(secret)
        bad_case |= made["case_key"].isin(secret)
    started = made["registered_on"].fillna(made["received_on"])
    days = made[["received_on", "registered_on", "decided_on", "closed_on"]]
    ended = made[["decided_on", "closed_on"]]
    bad_case |= started.isna() | made["body_id"].isna() | made["case_type_code"].isna()
    bad_case |= made["case_key"].duplicated(keep=False) | ended.lt(started, axis=0).any(axis=1)
    bad_case |= days.gt(snapshot_on).any(axis=1)
    bad_case |= made["status_code"].isin(["decided", "closed"]) & ended.isna().all(axis=1)
    bad_event |= steps["activity_code"].isna() | steps["occurred_at"].dt.normalize().gt(snapshot_on)
    bad_case |= made["case_key"].isin(set(steps.loc[bad_event, "case_key"]))
    made = made[~bad_case]
    return made, steps[steps["case_key"].isin(set(made["case_key"]))]


def _mapped(raw: pd.DataFrame, columns: dict[str, Any], source: dict[str, Any]) -> tuple[pd.DataFrame, pd.Series]:
    made = pd.DataFrame(index=raw.index)
    bad = pd.Series(False, index=raw.index)
    missing = {"", *source["missing"]}
    for name, how in columns.items():
        if isinstance(how, str) and name != "score":
            continue
        values = raw[how if isinstance(how, str) else how["column"]]
        values = values.mask(values.astype(str).str.strip().isin(missing))
        if name == "score":
            found = pd.to_numeric(values.map(lambda v: latin_digits(str(v)), na_action="ignore"), errors="coerce")
        elif "map" in how:
            codes = {fold(k): v for k, v in source["map"][how["map"]].items()}
            found = _by_value(values, lambda text, codes=codes: codes.get(fold(text)))
        else:
            found = _moments(values)
        bad |= values.notna() & found.isna()
        made[name] = found
        if name == "received_at":
            made["received_on"] = found.dt.normalize()
    for name in CASE:
        made[name] = made.get(name, pd.Series(None, index=raw.index, dtype="object"))
    for name in ("received_on", "registered_on", "decided_on", "closed_on"):
        made[name] = pd.to_datetime(made[name])
    return made, bad


def _by_value(values: pd.Series, convert: Any) -> pd.Series:
    known = {value: convert(str(value)) for value in values.dropna().unique()}
    return values.map(known)


def _moments(values: pd.Series) -> pd.Series:
    parts = values.astype("object").str.strip().str.partition(" ")
    days = pd.to_datetime(_by_value(parts[0].where(values.notna()), _jalali))
    clock = _by_value(parts[2].where(parts[2].fillna("") != ""), lambda text: latin_digits(text.strip()) + ":00")
    return days + pd.to_timedelta(clock.astype("object").fillna("00:00:00"))


def _jalali(text: str) -> pd.Timestamp | None:
    try:
        return pd.Timestamp(JalaliDate(*(int(part) for part in latin_digits(text).split("/"))).to_gregorian())
    except ValueError:
        return None


def _jalali_year(day: pd.Timestamp) -> int:
    return int(JalaliDate.to_jalali(day.year, day.month, day.day).year)


def join(desk: pd.DataFrame, letters: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Join letters to the requests they answer: one row a case, and the key of the request of each joined letter."""
    refs = [_references(desk), _references(letters)]
    pairs = refs[1].merge(refs[0], on="ref", suffixes=("_letter", "_desk"))
    pairs = pairs[["case_key_letter", "case_key_desk"]].drop_duplicates()
    pairs = pairs[~pairs["case_key_letter"].duplicated(keep=False)]
    key_of = dict(zip(pairs["case_key_letter"], pairs["case_key_desk"], strict=True))
    is_joined = letters["case_key"].isin(key_of)
    joined = letters[is_joined].sort_values(["registered_on", "row"])
    by_request = joined.groupby(joined["case_key"].map(key_of))
    letter = by_request[CASE].first()
    letter["registered_on"] = by_request["registered_on"].min()
    desk = desk.set_index("case_key")
    part = letter.reindex(desk.index)
    for name in CASE:
        first, second = (part, desk) if name in ("registered_on", "unit_id") else (desk, part)
        desk[name] = first[name].where(first[name].notna(), second[name])
    started = desk["registered_on"].fillna(desk["received_on"])
    is_misfit = desk.index.isin(letter.index) & desk[["decided_on", "closed_on"]].min(axis=1).lt(started)
    return pd.concat([desk.loc[~is_misfit, CASE], letters[~is_joined].set_index("case_key")[CASE]]), key_of


def _references(rows: pd.DataFrame) -> pd.DataFrame:
    long = rows.melt(id_vars="case_key", value_vars=["tracking_ref", "letter_ref"], value_name="ref").dropna()
    long["ref"] = long["ref"].map(fold)
    return long[~long["ref"].isin({"", "-", fold("نامشخص")})][["case_key", "ref"]].drop_duplicates()


def timelines(case: pd.DataFrame, event: pd.DataFrame) -> pd.DataFrame:
    """Give each case with events its traces at three levels, loop flag and the unit that decided or held it last."""
    event = event[event["case_key"].isin(case.index)]
    event = event.sort_values(ORDER, kind="stable")
    step = event["activity_code"]
    unit = event["to_unit_id"].fillna(NOT_RECORDED)
    made = pd.DataFrame(index=case.index)
    both = pd.Series(list(zip(step, unit, strict=True)), index=event.index)
    made["trace_steps_units"] = both.groupby(event["case_key"]).agg(tuple)
    made["trace_steps"] = step.groupby(event["case_key"]).agg(tuple)
    stone = event[event["milestone_code"].notna()]
    before = stone.groupby("case_key")["milestone_code"].shift()
    stone = stone[stone["milestone_code"] != before]
    made["trace_milestones"] = stone.groupby("case_key")["milestone_code"].agg(tuple)
    held = event[event["to_unit_id"].notna()]
    before = held.groupby("case_key")["to_unit_id"].shift()
    turns = (before.notna() & (before != held["to_unit_id"])).groupby(held["case_key"]).sum()
    made["is_loop"] = (turns + 1 > held.groupby("case_key")["to_unit_id"].nunique()).reindex(
        case.index, fill_value=False
    )
    seq = event.groupby("case_key").cumcount()
    decided = seq[event["milestone_code"] == "decided"].groupby(event["case_key"]).min()
    until = held[seq[held.index] <= held["case_key"].map(decided)].groupby("case_key")["to_unit_id"].last()
    made["holding"] = until.reindex(case.index).fillna(held.groupby("case_key")["to_unit_id"].last())
    return made


def finished_cases(case: pd.DataFrame, policy: Policy, due: list[str]) -> pd.DataFrame:
    """Give finished cases the values of every level and their period, those whose period closes with the due months."""
    case["registered_on"] = case["registered_on"].fillna(case["received_on"])
    case["finished_on"] = case["decided_on"].fillna(case["closed_on"])
    case["case_type_code"] = case["case_type_code"].replace(policy.margins.join_small)
    working = policy.calendar.working
    first, last = case["registered_on"].min(), case[["registered_on", "finished_on"]].max().max()
    day = working.days(first.date(), last.date()).to_pandas().set_index("day_on")
    day.index = pd.to_datetime(day.index)
    day["month"] = day["calendar_year"].astype(int) * 12 + day["calendar_month"].astype(int) - 1
    case["registered_index"], case["finished_index"] = (
        case[n].map(day["month"]) for n in ("registered_on", "finished_on")
    )
    low, high = (_month(policy, code) for code in (due[0], due[-1]))
    cadence = _cadences(case, policy, low=low, high=high)
    case = case[case["finished_on"].notna() & (case["finished_index"] <= high)].copy()
    for name in ("month_code", "season_code", "year_code"):
        case[name] = case["finished_on"].map(day[name])
    kinds = zip(case["body_id"], case["case_type_code"], case["finished_index"] // 12, strict=True)
    case["cadence"] = [cadence(*kind) for kind in kinds]
    month = case["finished_index"]
    is_month, is_season = case["cadence"] == "month", case["cadence"] == "season"
    case["period_code"] = case["month_code"].where(is_month, case["season_code"].where(is_season, case["year_code"]))
    closing = month.where(is_month, (month - month % 3 + 2).where(is_season, month - month % 12 + 11))
    case = case[closing <= high].copy()
    wait = case["finished_on"].map(day["working_day_number"]) - case["registered_on"].map(day["working_day_number"])
    *bands, last_band = duration_bands(policy.bands.duration)
    codes = pd.cut(wait, [-10_000, *policy.bands.duration[1:], 1e9], labels=[*bands, last_band])
    case["duration_band"] = codes.astype("object").fillna(NOT_RECORDED)
    bylaw = policy.clocks.bylaw
    ends = {
        d: pd.Timestamp(working.add_working_days(d.date(), bylaw.days if bylaw else 0))
        for d in case["registered_on"].unique()
    }
    is_late = case["finished_on"] > case["registered_on"].map(ends)
    case["lateness_code"] = is_late.map({True: "late", False: "on_time"})
    for name in ("service_id", "unit_id", "outcome_code", "channel_code"):
        case[name] = case[name].fillna(NOT_RECORDED)
    case["service_family"] = case["service_id"].replace(ancestors(policy.services, 1))
    case["unit_department"] = case["unit_id"].replace(ancestors(policy.units, 1))
    marked = policy.sensitive_roots
    case["is_sensitive"] = case["service_id"].isin(marked) | case["service_family"].isin(marked)
    coarse = case["outcome_code"].replace(policy.sensitive.coarsen["outcome"])
    case["outcome_code"] = coarse.where(case["is_sensitive"], case["outcome_code"])
    case["is_personal"] = ~case["case_type_code"].isin(policy.statutory.case_types)
    return case


def _month(policy: Policy, code: str) -> int:
    year, month = year_month(policy.calendar.system, parse_period(policy.calendar.system, code).first_on)
    return year * 12 + month - 1


def _cadences(case: pd.DataFrame, policy: Policy, *, low: int, high: int) -> Any:
    """Give a function from body, type and year to how often its groups are released."""

    def of(cases: float, months: float) -> str:
        limits = policy.cadence
        return "month" if cases >= limits.month * months else "season" if cases >= limits.season * months else "year"

    guessed, fixed = {}, {}
    scope = case[(case["registered_index"] <= high) | (case["finished_index"] <= high)]
    for kind, rows in scope.groupby(["body_id", "case_type_code"]):
        counts = rows["finished_index"].value_counts()
        start = max(min(rows["registered_index"].min(), rows["finished_index"].min()), low)
        months = high - start + 1
        finished = rows["finished_index"].between(low, high).sum()
        guessed[kind] = of(finished, months) if months >= 3 else "year"
        for year in range(low // 12, high // 12 + 1):
            if start <= year * 12 and year * 12 + 11 <= high:
                fixed[*kind, year + 1] = of(sum(counts.get(year * 12 + month, 0) for month in range(12)), 12)
    return lambda body, case_type, year: fixed.get((body, case_type, year), guessed[body, case_type])


def peel(case: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Partition the cases rung by rung, by group-by; what no rung takes is one floor row a period."""
    case = case.assign(requester=case["requester"].fillna(pd.Series(case.index, index=case.index)))
    dominated: dict[tuple[str, ...], pd.Series] = {}
    groups, left = [], case
    for number, levels in enumerate(policy.ladder, 1):
        columns = [VALUES[pair] for pair in levels.items()]
        fits = left
        if set(levels) & set(policy.sensitive.implies):
            fits = fits[~fits["is_sensitive"]]
        if "trace" in levels:
            fits = fits[fits[columns[-1]].notna()]
        if set(levels) & {"outcome", *policy.sensitive.implies}:
            for known in policy.sensitive.known_to_outsiders:
                if set(known) <= set(levels):
                    shown = tuple(VALUES[name, levels[name]] for name in known)
                    if shown not in dominated:
                        dominated[shown] = find_dominated(case, shown, policy)
                    fits = fits[~dominated[shown][fits.index]]
        taken = fits[stand(fits, [*FLOOR, *columns], most=most_cases(policy, number - 1), k=policy.k)]
        found = taken.groupby([*FLOOR, *columns]).size().reset_index(name="case_count")
        found = found.rename(columns={VALUES[pair]: PUBLISHED[pair[0]] for pair in levels.items()})
        groups.append(found.assign(rung_number=number))
        left = left.drop(taken.index)
    floor = left.groupby(FLOOR).size().reset_index(name="case_count")
    groups.append(floor.assign(rung_number=len(policy.ladder) + 1))
    return pd.concat([group for group in groups if len(group)], ignore_index=True)


def stand(fits: pd.DataFrame, columns: list[str], *, most: float, k: int) -> pd.Series:
    """Say which cases share the columns with enough others: k requesters, none with more than half of the cases."""
    size = fits.groupby(columns)["requester"].transform("size")
    fits = fits[(size >= k) & ((size <= most) | ~fits["is_personal"])]
    each = fits.groupby([*columns, "requester"])["requester"].transform("size")
    whole = fits.groupby(columns)["requester"]
    largest = each.groupby([fits[name] for name in columns]).transform("max")
    is_enough = (whole.transform("nunique") >= k) & (2 * largest <= whole.transform("size"))
    return is_enough.reindex(size.index, fill_value=False)


def find_dominated(case: pd.DataFrame, known: tuple[str, ...], policy: Policy) -> pd.Series:
    """Say which cases an outsider, who knows these columns of them, could guess the outcome of."""
    place = [*FLOOR, *known]
    personal = case[case["is_personal"]]
    size = personal.groupby(place)["outcome_code"].transform("size")
    alike = personal.groupby([*place, "outcome_code"])["outcome_code"].transform("size")
    alike = alike.where(~personal["outcome_code"].isin(policy.sensitive.ordinary), 0)
    largest = alike.groupby([personal[name] for name in place]).transform("max")
    return (largest > policy.sensitive.largest_share * size).reindex(case.index, fill_value=False)


def most_cases(policy: Policy, place: int) -> float:
    """Give the most cases of a row that only lacks the outcome of an earlier rung: more would prove every outcome."""
    levels = policy.ladder[place]
    if "outcome" in levels or not any({**levels, "outcome": "code"} == earlier for earlier in policy.ladder[:place]):
        return float("inf")
    rows = [row for row in code_rows(policy) if row.list_code == "outcome"]
    finest = {row.code for row in rows} - {row.parent_code for row in rows}
    return (len(finest) - 1) * (policy.k - 1)


def make_groups(folder: Path) -> pd.DataFrame:
    """Make the groups of every release of a portal from the office's databases."""
    policy = Instance(folder).settings.policy
    due = sorted(path.name for path in (folder / "datasets" / "releases").iterdir())
    letters, letter_events = read_source(folder, "automation")
    desk, desk_events = read_source(folder, "desk")
    case, key_of = join(desk, letters)
    moved = letter_events["case_key"].map(key_of)
    letter_events["case_key"] = moved.where(moved.notna(), letter_events["case_key"])
    event = pd.concat(
        [letter_events.assign(is_letter=True, source="automation"), desk_events.assign(is_letter=False, source="desk")],
        ignore_index=True,
    )
    facts = timelines(case, event)
    case = case.join(facts)
    case["unit_id"] = case["unit_id"].fillna(case["holding"])
    return peel(finished_cases(case, policy, due), policy)


def write_groups(groups: pd.DataFrame, path: Path) -> None:
    """Write the groups into SQLite; traces as text."""
    groups = groups.reindex(columns=[*FLOOR, "rung_number", *PUBLISHED.values(), "case_count"])
    groups["trace"] = groups["trace"].map(trace_text, na_action="ignore")
    with sqlite3.connect(path) as con:
        groups.to_sql("case_group", con, index=False, if_exists="replace")


if __name__ == "__main__":
    write_groups(make_groups(Path(sys.argv[1])), Path(sys.argv[2]))
