"""Two systems, one case: desk requests and the letters they cause become one (DESIGN §3, indicators I1-I4).

Where it stands: after screening. `case_raw` (one row a case row) -> `case_one` (one row a case) and `key_of` (the key of a
case row -> the key of its case). The desk leads; the automation gives registration, unit and direction first and fills
what the desk leaves empty. What does not match, or matches two requests, is counted and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from etl.extract.read import CASE_RAW
from etl.extract.screen import scalar

_NOT_MERGED = ("source", "role", "row_number", "case_key", "is_secret", "link_keys", "parent_case_key")
_AUTOMATION_FIRST = ("registered_on", "unit_id", "letter_direction_code")
_VALUES = tuple(field.name for field in CASE_RAW if field.name not in _NOT_MERGED)
# letters of one day stand in the order of what they say, since keys depend on the body's secret and published rows must not
_ORDER = ", ".join([*(name for name in _VALUES if not name.endswith("_key")), "c.case_key"])


@dataclass(frozen=True)
class Joined:
    """How the references of two systems met: in cases of the desk and cases of the automation."""

    desk_requests: int
    followed: int  # desk requests that have at least one letter
    letters_joined: int
    letters_ambiguous: int  # fit more than one request: joined to none
    letters_unmatched: int  # hold references that no request of the desk has (internal letters among them)


def join_cases(con: duckdb.DuckDBPyConnection) -> Joined:
    """Make `case_one` and `key_of` from `case_raw`; every case row ends in exactly one case."""
    con.execute(
        """create table reference as
           select distinct role, case_key, unnest(link_keys) as link_key from case_raw where role <> ''"""
    )
    con.execute(
        """create table pair as select distinct a.case_key as letter_key, d.case_key as desk_key
           from reference a join reference d using (link_key) where a.role = 'automation' and d.role = 'desk'"""
    )
    con.execute(
        """create table key_of as select letter_key as row_key, min(desk_key) as case_key from pair
           group by letter_key having count(*) = 1"""
    )
    _merge(con)
    return count_letters(
        desk=scalar(con, "select count(*) from case_raw where role = 'desk'"),
        followed=scalar(con, "select count(distinct case_key) from key_of"),
        joined=scalar(con, "select count(*) from key_of"),
        matched=scalar(con, "select count(distinct letter_key) from pair"),
        letters=scalar(con, "select count(distinct case_key) from reference where role = 'automation'"),
    )


def count_letters(*, desk: int, followed: int, joined: int, matched: int, letters: int) -> Joined:
    """Tell letters that joined a request from those that fit several and those that fit none."""
    return Joined(
        desk_requests=desk,
        followed=followed,
        letters_joined=joined,
        letters_ambiguous=matched - joined,
        letters_unmatched=letters - matched if desk else 0,
    )


def _merge(con: duckdb.DuckDBPyConnection) -> None:
    first = ", ".join(
        f"min({name}) as {name}" if name == "registered_on" else f"arg_min({name}, turn) as {name}" for name in _VALUES
    )
    con.execute(
        f"""create table letter as select joined_key as case_key, {first} from (
              select c.*, k.case_key as joined_key, row_number() over (partition by k.case_key
                order by coalesce(registered_on, received_on) nulls last, {_ORDER}) as turn
              from case_raw c join key_of k on k.row_key = c.case_key) as letter_row
            group by joined_key"""
    )
    chosen = ", ".join(
        f"coalesce(l.{name}, c.{name}) as {name}"
        if name in _AUTOMATION_FIRST
        else f"coalesce(c.{name}, l.{name}) as {name}"
        for name in _VALUES
    )
    is_linked = scalar(con, "select count(*) from key_of") > 0
    kind = "table" if is_linked else "view"
    con.execute(
        f"""create {kind} case_one as
            select c.source, c.row_number, c.case_key, c.role = 'desk' as is_desk, l.case_key is not null as is_linked,
              {chosen}, coalesce(p.case_key, c.parent_case_key) as parent_case_key,
              case when l.case_key is not null and l.registered_on >= c.received_on
                then date_diff('day', c.received_on, l.registered_on) end::int as registration_days
            from case_raw c left join letter l on l.case_key = c.case_key
            left join key_of p on p.row_key = c.parent_case_key
            where c.case_key not in (select row_key from key_of)"""
    )
    if is_linked:  # their values stand in `case_one` now; memory is for the timelines
        con.execute("drop table letter")
        con.execute("create or replace table case_raw as select case_key, role from case_raw")
