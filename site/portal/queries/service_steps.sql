-- fa: گام‌های یک خدمت، آن‌گونه که پیموده شد
-- en: Steps of a service, as they were walked
-- topic: service
-- The timeline of the largest group of the service whose steps are shown; days are medians since the start and since the step before.
-- is_gap = 1: other steps may lie here; the timeline is then what its cases have in common.
-- گردش کار بزرگ‌ترین گروه این خدمت که گام‌هایش نشان داده شده؛ روزها میانه‌اند، از آغاز و از گام پیشین. is_gap = 1 یعنی
-- شاید این‌جا گام‌های دیگری باشد؛ آن‌گاه این گردش کار وجه مشترک پرونده‌های گروه است.
with biggest as (
  select case_group_id, case_count
  from case_group_as_of_v1
  where body_id = :body and case_type_code = :case_type and service_id = :service
    and release_id between :first_release and :release and trace_id > 0
    and :release >= from_release_id and :release < until_release_id
  order by case_count desc, case_group_id
  limit 1
)
select s.step_number, s.activity_code, s.unit_id, s.is_gap, s.since_start_median_days, s.since_previous_median_days, b.case_count
from biggest b
join case_group_step s on s.case_group_id = b.case_group_id
order by s.step_number
