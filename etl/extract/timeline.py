"""The timeline of every case: events of all its parts in one order, and what only the full timeline can tell.

Where it stands: after the join. `event_raw` + `case_one` -> `event_seq` (one row an event; key case_key, seq) and
`case_fact` (one row a case that has events). Order: time, then the source's order; an event without a time stays where its
source put it. Replay check: where a case's events do not give the status its source states, an `is_derived` event without
a time stands for the missing step; a time is never invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import duckdb

from etl.extract.mapping import SourceMap
from etl.extract.screen import scalar

EVENTS_AT_ONCE = 2_500_000  # a window over them takes about 200 MB
NOTICE_MILESTONES = ("registered", "awaiting_applicant", "decided")  # steps of which the applicant is to be told
ACTION_MILESTONES = ("assigned", "in_review", "awaiting_applicant", "decided", "issued", "closed")

_LIVE = """
create table event_live as
select coalesce(k.case_key, e.case_key) as case_key,
  {sort_at}::timestamp as sort_at,
  ((c.is_desk is distinct from true or k.case_key is not null)::bigint << 61) + (s.rank << 48)
    + coalesce(e.order_no, e.position) as place,
  e.activity_code::code as activity_code, coalesce(e.milestone_code::code, m.milestone_code) as milestone_code,
  e.occurred_at::timestamp as occurred_at, e.occurred_on,
  coalesce(e.time_precision_code::code, 'unknown'::code) as time_precision_code,
  coalesce(e.time_source_code::code, case when e.occurred_at is not null then 'system'::code end) as time_source_code,
  e.from_unit_id::code as from_unit_id, e.to_unit_id::code as to_unit_id, false as is_derived
from event_raw e
left join key_of k on k.row_key = e.case_key
join (select case_key, is_desk from case_one) c on c.case_key = coalesce(k.case_key, e.case_key)
join (select source, row_number() over (order by source) as rank from source_day) s on s.source = e.source
left join milestone_of m on m.source = e.source and m.activity_code = e.activity_code::code
"""
_CARRIED = """coalesce(e.occurred_at, last_value(e.occurred_at ignore nulls) over (
  partition by e.source, e.case_key order by coalesce(e.order_no, e.position), e.activity_code, e.to_unit_id, e.occurred_at
  rows between unbounded preceding and current row))"""
_DERIVED = """
insert into event_live by name
select c.case_key, 'infinity' as sort_at, 0 as place, c.needed as milestone_code, c.needed as activity_code,
  'unknown' as time_precision_code, true as is_derived
from (select case_key, (case status_code when 'decided' then 'decided' when 'closed' then 'closed'
        when 'awaiting_applicant' then 'awaiting_applicant' end)::code as needed
      from case_one where source in (select source from with_event_rows)) as c
where c.needed is not null and not exists (select 1 from event_live e
  where e.case_key = c.case_key and (e.milestone_code = c.needed or (c.needed = 'decided' and e.milestone_code = 'issued')))
"""
_SEQUENCE = """
{make} event_seq {as}
select case_key, (row_number() over timeline)::int as seq, * exclude (case_key, sort_at, place),
  lag(to_unit_id ignore nulls) over timeline as left_unit_id,
  count(*) filter (milestone_code = 'decided') over (timeline rows between unbounded preceding and 1 preceding) > 0
    as is_decided
from event_live where {part} window timeline as (partition by case_key order by sort_at nulls first, place{ties})
"""
# where a source numbers its events itself two may have one place: then what they say decides, never how they were read
_TIES = ", activity_code, milestone_code, from_unit_id, to_unit_id, time_precision_code, time_source_code"
_FACTS = """
{make} case_fact {as}
select case_key, min(occurred_on) filter (milestone_code in {actions}) as acted_on, count(*) as events,
  count(*) filter (left_unit_id <> to_unit_id) as referrals, count(distinct to_unit_id) as units,
  1 + referrals > units and units > 0 as is_loop,
  coalesce(arg_max(to_unit_id, seq) filter (not is_decided), arg_max(to_unit_id, seq))::varchar as holding_unit_id
from event_seq where {part} group by case_key
"""
_PAUSES = """
{make} case_pause {as}
select case_key, occurred_on as from_on, until_on from (
  select case_key, milestone_code, occurred_on, lead(occurred_on) over (partition by case_key order by seq) as until_on
  from event_seq where {part} and milestone_code is not null and milestone_code <> 'notified'
    and case_key in (select case_key from event_seq where {part} and milestone_code = 'awaiting_applicant')) as step
where milestone_code = 'awaiting_applicant' and until_on > occurred_on
"""
_NOTICES = """
{make} case_notice {as}
select case_key, bool_and(next_code is not distinct from 'notified') as is_notified_each from (
  select case_key, milestone_code, lead(milestone_code) over (partition by case_key order by seq) as next_code
  from event_seq where {part} and (milestone_code in {due} or milestone_code = 'notified')
    and case_key in (select case_key from case_one where is_desk)) as step
where milestone_code <> 'notified' and next_code is distinct from milestone_code group by case_key
"""


def make_timelines(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap]) -> int:
    """Make `event_seq`, `case_fact`, `case_pause` and `case_notice`; says how many events were derived."""
    _name_milestones(con, sources)
    untimed = scalar(con, "select count(*) from event_raw where occurred_at is null")
    con.execute(_LIVE.format(sort_at=_CARRIED if untimed else "e.occurred_at"))
    con.execute("drop table event_raw")
    con.execute(_DERIVED)
    parts = key_ranges(scalar(con, "select count(*) from event_live"))
    by_parts(con, _SEQUENCE, parts, ties=_TIES if any(source.changes.order for source in sources) else "")
    con.execute("drop table event_live")
    by_parts(con, _FACTS, parts, actions=ACTION_MILESTONES)
    by_parts(con, _PAUSES, parts)
    by_parts(con, _NOTICES, parts, due=NOTICE_MILESTONES)
    return scalar(con, "select count(*) from event_seq where is_derived")


def key_ranges(events: int) -> list[str]:
    """Cut the cases by their keys, which are evenly spread, into ranges of at most about EVENTS_AT_ONCE events.

    >>> key_ranges(10)
    ['true']
    >>> key_ranges(EVENTS_AT_ONCE * 2 - 1)[1]
    "case_key >= '80000000-0000-0000-0000-000000000000'"
    """
    count = 1 + events // EVENTS_AT_ONCE
    edges = [str(UUID(int=(number << 128) // count)) for number in range(count)]
    ranges = []
    for number, edge in enumerate(edges):
        sides = [f"case_key >= '{edge}'"] if number else []
        sides += [f"case_key < '{edges[number + 1]}'"] if number + 1 < count else []
        ranges.append(" and ".join(sides) or "true")
    return ranges


def by_parts(con: duckdb.DuckDBPyConnection, statement: str, parts: Sequence[str], **values: object) -> None:
    """Run a statement for one range of keys after the other, so that windows and lists fit in memory; the first makes it."""
    for number, part in enumerate(parts):
        words = {"make": "insert into", "as": ""} if number else {"make": "create table", "as": "as"}
        con.execute(statement.format(part=part, **words, **values))


def milestone_rule(rules: Mapping[str, str]) -> Callable[[str], str | None]:
    """Make a function from an activity to its milestone: exact keys first, then `re:` keys in their order.

    >>> rule = milestone_rule({"re:^ref_": "assigned", "ref_legal": "in_review"})
    >>> rule("ref_legal"), rule("ref_unit"), rule("phone")
    ('in_review', 'assigned', None)
    """
    patterns = [(re.compile(key[3:]), milestone) for key, milestone in rules.items() if key.startswith("re:")]

    def milestone(activity: str) -> str | None:
        return rules.get(activity) or next((code for pattern, code in patterns if pattern.search(activity)), None)

    return milestone


def _name_milestones(con: duckdb.DuckDBPyConnection, sources: Sequence[SourceMap]) -> None:
    con.execute("create table milestone_of (source varchar, activity_code code, milestone_code code)")
    for source in sources:
        rule = milestone_rule(source.milestone)
        seen = con.execute(
            "select distinct activity_code from event_raw where source = ? and activity_code is not null", [source.name]
        ).fetchall()
        named = [(source.name, activity, rule(activity)) for (activity,) in seen if rule(activity)]
        if named:
            con.executemany("insert into milestone_of values (?, ?, ?)", named)
