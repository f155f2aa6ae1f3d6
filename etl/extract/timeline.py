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

EVENTS_AT_ONCE = 1_000_000
NOTICE_MILESTONES = ("registered", "awaiting_applicant", "decided")  # steps of which the applicant is to be told
ACTION_MILESTONES = ("assigned", "in_review", "awaiting_applicant", "decided", "issued", "closed")

_LIVE = """
create table event_live as
select e.source, coalesce(k.case_key, e.case_key) as case_key, e.position,
  coalesce(e.milestone_code, m.milestone_code) as milestone_code,
  e.* exclude (source, case_key, position, is_secret, milestone_code),
  false as is_derived, {sort_at} as sort_at, c.is_desk is distinct from true or k.case_key is not null as is_letter
from event_raw e
left join key_of k on k.row_key = e.case_key
join (select case_key, is_desk from case_one) c on c.case_key = coalesce(k.case_key, e.case_key)
left join milestone_of m on m.source = e.source and m.activity_code = e.activity_code
"""
_CARRIED = """coalesce(e.occurred_at, last_value(e.occurred_at ignore nulls) over (
  partition by e.source, e.case_key order by e.position rows between unbounded preceding and current row))"""
_DERIVED = """
insert into event_live by name
select c.source, c.case_key, 9000000000000000 as position, c.needed as milestone_code, c.needed as activity_code,
  'unknown' as time_precision_code, true as is_derived, true as is_letter
from (select source, case_key, case status_code when 'decided' then 'decided' when 'closed' then 'closed'
        when 'awaiting_applicant' then 'awaiting_applicant' end as needed
      from case_one where source in (select source from with_event_rows)) as c
where c.needed is not null and not exists (select 1 from event_live e
  where e.case_key = c.case_key and (e.milestone_code = c.needed or (c.needed = 'decided' and e.milestone_code = 'issued')))
"""
_SEQUENCE = """
{make} event_seq {as}
select case_key,
  row_number() over (partition by case_key order by is_derived, sort_at nulls first, is_letter, source, position)::int as seq,
  activity_code, milestone_code, occurred_at, occurred_on, coalesce(time_precision_code, 'unknown') as time_precision_code,
  coalesce(time_source_code, case when occurred_at is not null then 'system' end) as time_source_code,
  from_unit_id, to_unit_id, is_derived
from event_live where {part}
"""
_FACTS = """
{make} case_fact {as}
with part as (select * from event_seq where {part}),
held as (
  select case_key, seq, to_unit_id, lag(to_unit_id) over (partition by case_key order by seq) as before
  from part where to_unit_id is not null),
turn as (
  select case_key, min(seq) filter (milestone_code = 'decided') as decided_seq,
    min(occurred_on) filter (milestone_code in {actions}) as acted_on, count(*) as events from part group by case_key)
select t.case_key, t.acted_on, t.events,
  count(*) filter (before <> to_unit_id) as referrals, count(distinct to_unit_id) as units,
  1 + count(*) filter (before <> to_unit_id) > count(distinct to_unit_id) and count(to_unit_id) > 0 as is_loop,
  coalesce(arg_max(to_unit_id, seq) filter (seq <= decided_seq), arg_max(to_unit_id, seq)) as holding_unit_id
from turn t left join held h using (case_key) group by all
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
    con.execute(_DERIVED)
    parts = key_ranges(scalar(con, "select count(*) from event_live"))
    _by_parts(con, _SEQUENCE, parts)
    con.execute("drop table event_live")
    _by_parts(con, _FACTS, parts, actions=ACTION_MILESTONES)
    _by_parts(con, _PAUSES, parts)
    _by_parts(con, _NOTICES, parts, due=NOTICE_MILESTONES)
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


def _by_parts(con: duckdb.DuckDBPyConnection, statement: str, parts: Sequence[str], **values: object) -> None:
    """Run a statement for one range of keys after the other, so that its windows fit in memory; the first makes the table."""
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
    con.execute("create table milestone_of (source varchar, activity_code varchar, milestone_code varchar)")
    for source in sources:
        rule = milestone_rule(source.milestone)
        seen = con.execute(
            "select distinct activity_code from event_raw where source = ? and activity_code is not null", [source.name]
        ).fetchall()
        named = [(source.name, activity, rule(activity)) for (activity,) in seen if rule(activity)]
        if named:
            con.executemany("insert into milestone_of values (?, ?, ?)", named)
