"""Derived columns of a case: deadlines, lateness on both clocks, waits, bands, pauses, indicators (CONTRACT "Staging").

Where it stands: after the timeline, before writing. `case_one` + `case_fact` -> `case_new` in the shape of staging's CASE
without batch columns, plus `month` (the partition). Days are of the headline clock's kind: working days (difference of
`working_day_number`) or calendar days. All arithmetic is on civil dates; no time zone is touched here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from etl.calendars import WorkingCalendar, period_of
from etl.metadata import Policy
from etl.metadata.settings import Clock
from etl.model.codes import NOT_RECORDED
from etl.model.staging import CASE, EVENT

OPEN_PARTITION = "open"
BANDS = ((0, "0"), (1, "1"), (2, "2"), (5, "3_5"))
LAST_BAND = "6_up"
HASHED = tuple(field.name for field in CASE)[5:]

_TIMED = """
create view case_timed as
select c.* exclude (registered_on, unit_id), f.acted_on, coalesce(f.events, 0) as events,
  coalesce(f.referrals, 0) as referrals, coalesce(f.units, 0) as units, coalesce(f.is_loop, false) as is_loop,
  coalesce(c.unit_id, f.holding_unit_id, '{none}') as unit_id,
  coalesce(c.registered_on, c.received_on) as registered_on,
  coalesce(c.received_on, c.registered_on) as begun_on,
  coalesce(c.decided_on, c.closed_on) as finished_on
from case_one c left join case_fact f using (case_key)
"""
_CASE = """
create table case_new as
select t.case_key, case_type_code, body_id, unit_id, coalesce(service_id, '{none}') as service_id,
  coalesce(channel_code, '{none}') as channel_code, coalesce(applicant_kind_code, 'unknown') as applicant_kind_code,
  applicant_province_code, track_code, requester_key, received_at, t.registered_on, promised_on,
  {bylaw} as due_bylaw_on, {law} as due_law_on, decided_on, closed_on, t.finished_on,
  coalesce(status_code, case when closed_on is not null then 'closed' when decided_on is not null then 'decided'
    when events > 1 then 'in_progress' else 'registered' end) as status_code,
  case when t.finished_on is not null then coalesce(outcome_code, '{none}') end as outcome_code,
  {late_bylaw} as lateness_bylaw_code, {late_law} as lateness_law_code, {wait}::int as wait_days,
  complaint_ground_code, reason_code, letter_direction_code, score, parent_case_key,
  {referral_band} as referral_band_code, {unit_band} as unit_band_code, is_loop,
  greatest({action}, 0)::int as first_action_days, coalesce(p.paused_days, 0)::int as paused_days,
  is_desk, is_linked, registration_days,
  case when is_desk then coalesce(t.is_notified_each, n.is_notified_each, false) end as is_notified_each,
  t.exemption_code, coalesce(m.month_code, '{open}') as month
from case_timed t
left join due_on b on b.clock = 'bylaw' and b.start_on = {bylaw_start}
left join due_on l on l.clock = 'law' and l.start_on = {law_start}
left join pause_sum p using (case_key)
left join case_notice n using (case_key)
left join month_of m on m.day_on = t.finished_on
left join day_number w0 on w0.day_on = t.registered_on
left join day_number w1 on w1.day_on = t.finished_on
left join day_number w2 on w2.day_on = t.acted_on
"""
_PAUSE_SUM = """
create temp table pause_sum as
select case_key, sum({pause}) as paused_days
from case_pause left join day_number w0 on w0.day_on = from_on left join day_number w1 on w1.day_on = until_on
group by case_key
"""


def derive_cases(con: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Make `case_new` from `case_one` and the facts of the timeline."""
    clocks = policy.clocks
    counts_working = clocks.lead.kind == "working"
    con.execute(_TIMED.format(none=NOT_RECORDED))
    _load_days(con, policy.calendar.working if counts_working else None)
    _load_months(con, policy.calendar.system)
    _load_due(con, {"bylaw": clocks.bylaw, "law": clocks.law}, policy.calendar.working)
    con.execute(_PAUSE_SUM.format(pause=_days("from_on", "until_on", "w0", "w1", counts_working)))
    bylaw, law = _due(clocks.bylaw, "b"), _due(clocks.law, "l")
    con.execute(
        _CASE.format(
            none=NOT_RECORDED,
            open=OPEN_PARTITION,
            bylaw=bylaw,
            law=law,
            bylaw_start=_start(clocks.bylaw),
            law_start=_start(clocks.law),
            late_bylaw=_lateness(bylaw),
            late_law=_lateness(law),
            wait=_days("t.registered_on", "t.finished_on", "w0", "w1", counts_working),
            action=_days("t.registered_on", "t.acted_on", "w0", "w2", counts_working),
            referral_band=_band("referrals"),
            unit_band=_band("units"),
        )
    )
    con.execute("drop view case_timed")
    for table in ("case_fact", "case_pause", "case_notice", "pause_sum"):  # memory is for what follows
        con.execute(f"drop table {table}")


def hash_content(con: duckdb.DuckDBPyConnection) -> None:
    """Make `case_hash` (case_key, content_hash): SHA-256 over a case's columns and the sum of its events' hashes.

    The sum of 64-bit parts of MD5 over numbered events needs no sorted list, and does not depend on an engine's own hash.
    """
    event = _text(field.name for field in EVENT if field.name not in ("case_key", "batch_id"))
    case = _text((*HASHED, "exemption_code"))
    con.execute(
        f"""create table case_hash as
            with part as (select case_key, count(*) as events, sum(md5_number_lower(concat_ws('|', {event}))) as digest
              from event_seq group by case_key)
            select c.case_key, sha256(concat_ws('|', {case}, coalesce(events, 0), coalesce(digest, 0)::varchar))
              as content_hash
            from case_new c left join part using (case_key)"""
    )


def _text(columns: Iterable[str]) -> str:
    texts = (f"{name}::varchar || '+00'" if name == "occurred_at" else f"{name}::varchar" for name in columns)
    return ", ".join(f"coalesce({text}, '\\N')" for text in texts)


def _days(first: str, last: str, first_row: str, last_row: str, working: bool) -> str:
    if working:
        return f"({last_row}.working_day_number - {first_row}.working_day_number)"
    return f"({last} - {first})"


def _start(clock: Clock | None) -> str:
    return "t.begun_on" if clock is not None and clock.start == "received" else "t.registered_on"


def _due(clock: Clock | None, row: str) -> str:
    if clock is None:
        return "null::date"
    return "promised_on" if clock.kind == "promised" else f"{row}.due_on"


def _lateness(due: str) -> str:
    return f"""case when t.finished_on is null then null when {due} is null then '{NOT_RECORDED}'
      when t.finished_on <= {due} then 'on_time' else 'late' end"""


def _band(column: str) -> str:
    whens = " ".join(f"when {column} <= {edge} then '{code}'" for edge, code in BANDS)
    return f"case {whens} else '{LAST_BAND}' end"


def _load_days(con: duckdb.DuckDBPyConnection, calendar: WorkingCalendar | None) -> None:
    """Number the working days between the first and the last date that occurs (none where days are calendar days)."""
    con.execute("create temp table day_number (day_on date, working_day_number integer)")
    if calendar is None:
        return
    first, last = con.execute(
        """select least(min(registered_on), (select min(from_on) from case_pause)),
             greatest(max(registered_on), max(finished_on), max(acted_on), (select max(until_on) from case_pause))
           from case_timed"""
    ).fetchone() or (None, None)
    if first is not None:
        days = calendar.days(first, last).select(["day_on", "working_day_number"])
        _insert(con, "day_number", days)


def _load_months(con: duckdb.DuckDBPyConnection, system: str) -> None:
    con.execute("create temp table month_of (day_on date, month_code varchar)")
    days = [
        row[0]
        for row in con.execute("select distinct finished_on from case_timed where finished_on is not null").fetchall()
    ]
    months = [period_of(system, "month", day).code for day in days]
    _insert(
        con, "month_of", pa.table({"day_on": pa.array(days, pa.date32()), "month_code": pa.array(months, pa.string())})
    )


def _load_due(con: duckdb.DuckDBPyConnection, clocks: dict[str, Clock | None], calendar: WorkingCalendar) -> None:
    con.execute("create temp table due_on (clock varchar, start_on date, due_on date)")
    for name, clock in clocks.items():
        if clock is None or clock.kind == "promised":
            continue
        column = _start(clock).removeprefix("t.")
        starts = [row[0] for row in con.execute(f"select distinct {column} from case_timed").fetchall()]
        ends = [_due_date(clock, start, calendar) for start in starts]
        table = pa.table(
            {
                "clock": pa.array([name] * len(starts), pa.string()),
                "start_on": pa.array(starts, pa.date32()),
                "due_on": pa.array(ends, pa.date32()),
            }
        )
        _insert(con, "due_on", table)


def _due_date(clock: Clock, start: date, calendar: WorkingCalendar) -> date:
    if clock.kind == "working":
        return calendar.add_working_days(start, clock.days)
    return start + timedelta(days=clock.days)


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("new_rows", rows)
    con.execute(f"insert into {name} select * from new_rows")
    con.unregister("new_rows")
