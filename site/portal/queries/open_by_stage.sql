-- fa: پرونده‌های باز در پایان سال در کدام مرحله‌اند، دست‌کم و حداکثر
-- en: In which stage the cases open at the year's end were, at least and at most
-- topic: stage
-- As open_by_age, by the newest dated step up to the year's end. A row without stage_code may be in any stage: it counts in
-- not_shown.
-- مانند open_by_age، بر پایهٔ آخرین گامِ تاریخ‌دار تا پایان سال. ردیفی که stage_code ندارد شاید در هر مرحله‌ای باشد و در
-- not_shown شمرده می‌شود.
with waiting as (
  select period_code, stage_code, sum(case_count) as case_count
  from open_group
  where body_id = :body and case_type_code = :case_type
    and release_id = (select max(release_id) from open_group where release_id <= :release)
  group by period_code, stage_code
), counted as (
  select c.code as stage_code, c.position,
         coalesce((select w.case_count from waiting w where w.stage_code = c.code), 0) as at_least,
         coalesce((select w.case_count from waiting w where w.stage_code is null), 0) as not_shown,
         (select coalesce(sum(w.case_count), 0) from waiting w) as total
  from code c
  where c.list_code = 'stage'
)
select (select max(period_code) from waiting) as period_code, stage_code,
       at_least, not_shown, at_least + not_shown as at_most, total
from counted
order by position, stage_code
