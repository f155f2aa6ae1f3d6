-- fa: میانهٔ روزهای هر مرحله
-- en: Median days in each stage
-- topic: stage
-- A stage is the time from a step to the next one. Each group gives its median; the figure is that of the group that
-- holds the middle case. Only groups whose steps are shown: see stage_coverage.
-- هر مرحله از یک گام تا گام بعدی است. هر گروه میانهٔ خود را می‌دهد و عدد از آنِ گروهی است که پروندهٔ وسط در آن است. تنها
-- گروه‌هایی که گام‌هایشان نشان داده شده؛ stage_coverage را ببینید.
-- column median_days: Median days of the stage, in the group that holds the middle case | میانهٔ روزهای مرحله در گروهی که پروندهٔ وسط در آن است
with stage as (
  select case when g.trace_level = 'milestones' then 'milestones' else 'steps' end as level_code,
         s.activity_code, g.case_group_id, g.case_count,
         sum(coalesce(n.since_previous_median_days, 0)) as days
  from case_group_as_of_v1 g
  -- SQLite keeps the order of a cross join, and so looks at the steps of these groups alone
  cross join case_group_step s on s.case_group_id = g.case_group_id
  cross join case_group_step n on n.case_group_id = s.case_group_id and n.step_number = s.step_number + 1
  where g.body_id = :body and g.case_type_code = :case_type
    and g.release_id between :first_release and :release and n.since_previous_median_days is not null
    and :release >= g.from_release_id and :release < g.until_release_id
  group by 1, 2, 3, 4
), ranked as (
  select level_code, activity_code, days, case_count,
         sum(case_count) over (partition by level_code, activity_code order by days, case_group_id) as up_to,
         sum(case_count) over (partition by level_code, activity_code) as whole
  from stage
)
select level_code, activity_code, min(case when 2 * up_to >= whole then days end) as median_days, max(whole) as case_count
from ranked
group by level_code, activity_code
order by level_code, median_days desc, activity_code
