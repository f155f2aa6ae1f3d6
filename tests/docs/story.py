"""What the synthetic office tells (etl/demo/story.py), each item with the one statement that shows it.

`place` says where a statement runs: `published` on the released database, as anyone can at /data/; `office` on the
body's own two systems (desk, with the automation attached); `var` on private staging, which never leaves the building.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One thing to see: the name of its block, where its statement runs, and the statement."""

    name: str
    place: str
    sql: str


STORY = (
    Item(
        "nowruz",
        "published",
        """
select month_code, sum(registered_count + late_registered_count) as registered
from margin
where month_code between '1404-11' and '1405-03'
group by month_code
order by month_code
""",
    ),
    Item(
        "legal_unit",
        "published",
        """
select s.unit_id, max(n.since_previous_median_days) as days, count(*) as groups, sum(g.case_count) as cases
from case_group g
join case_group_step s on s.case_group_id = g.case_group_id
join case_group_step n on n.case_group_id = s.case_group_id and n.step_number = s.step_number + 1
where g.body_id = 'shahrdari' and g.trace_level = 'steps_units'
group by s.unit_id
order by days desc, s.unit_id
limit 4
""",
    ),
    Item(
        "reform",
        "published",
        """
select release_id, sum(case_count) as finished,
       sum(case when lateness_code = 'on_time' then case_count else 0 end) as on_time_at_least,
       sum(case when lateness_code is null then case_count else 0 end) as not_shown
from case_group
where body_id = 'sabt' and case_type_code = 'service'
group by release_id
order by release_id
""",
    ),
    Item(
        "silent_body",
        "published",
        """
select month_code, sum(registered_count) as registered, sum(finished_count) as finished, sum(open_count) as still_open
from margin
where body_id = 'mohit' and month_code between '1404-08' and '1405-01'
group by month_code
order by month_code
""",
    ),
    Item(
        "small_service",
        "published",
        """
select period_code, cadence_code, case_type_code, is_floor, service_id, outcome_code, lateness_code, case_count
from case_group
where body_id = 'asnad'
order by case_group_id
""",
    ),
    Item(
        "correction",
        "var",
        """
select count(*) as corrected_after_release
from 'var/staging/case/*/*.parquet' before
join 'var/staging/case/*/*.parquet' now on now.case_key = before.case_key and now.batch_id = 2
where before.batch_id = 1 and before.outcome_code <> now.outcome_code
  and before.case_key in (
    select case_key from 'var/placement/*.parquet' where population_code = 'finished' and release_id < '1405-06')
""",
    ),
    Item(
        "correction_published",
        "published",
        """
select release_id, sum(reopened_count) as reopened, sum(withdrawn_count) as withdrawn_by_the_body,
       sum(late_finished_count) as finished_earlier_known_now, (select count(*) from withdrawal) as groups_withdrawn
from margin
where release_id >= '1405-04'
group by release_id
order by release_id
""",
    ),
    Item(
        "broken_link",
        "office",
        """
select count(*) as requests_with_a_letter, sum(l.letter_id is null) as whose_letter_is_not_there
from request r
left join automation.letter l
  on l.register_year = r.register_year and l.register_code = r.register_code and l.register_no = r.register_no
where r.register_no is not null
""",
    ),
)
