-- fa: روزهای پرونده‌ها در هر واحد
-- en: Days of cases in each unit
-- topic: stage
-- Middle of the group medians of the time from arriving at a unit to the next step; groups whose steps and units are
-- shown only.
-- میانهٔ میانه‌های گروه‌ها از رسیدن به واحد تا گام بعدی؛ تنها گروه‌هایی که گام‌ها و واحدهایشان نشان داده شده است.
-- column median_days: Median days in the unit, in the group that holds the middle case | میانهٔ روزهای ماندن در واحد، در گروهی که پروندهٔ وسط در آن است
with stay as (
  select s.unit_id, g.case_group_id, g.case_count, sum(n.since_previous_median_days) as days
  from case_group_as_of_v1 g
  -- SQLite keeps the order of a cross join, and so looks at the steps of these groups alone
  cross join case_group_step s on s.case_group_id = g.case_group_id
  cross join case_group_step n on n.case_group_id = s.case_group_id and n.step_number = s.step_number + 1
  where g.body_id = :body and g.case_type_code = :case_type
    and g.release_id between :first_release and :release and n.since_previous_median_days is not null
    and :release >= g.from_release_id and :release < g.until_release_id
    and g.trace_level = 'steps_units'
  group by 1, 2, 3
), ranked as (
  select unit_id, days, sum(case_count) over (partition by unit_id order by days, case_group_id) as up_to,
         sum(case_count) over (partition by unit_id) as whole
  from stay
)
select unit_id, min(case when 2 * up_to >= whole then days end) as median_days, max(whole) as case_count
from ranked
group by unit_id
order by median_days desc, unit_id
