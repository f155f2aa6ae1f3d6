-- fa: از همهٔ آنچه ثبت شد چه شد، دست‌کم و حداکثر
-- en: What became of all that were registered, at least and at most
-- topic: time
-- Registered cases of a body and case type whose period was published from :first_release to :release, by what had become of
-- them when it was published: once, when its last due date had passed. A row without cohort_state_code may be in any state: it
-- counts in not_shown.
-- پرونده‌های ثبت‌شدهٔ یک دستگاه و نوع که دوره‌شان در انتشارهای خواسته‌شده منتشر شده است، با سرانجامی که هنگام انتشار
-- داشته‌اند؛ هر دوره یک بار، پس از گذشتن واپسین سررسیدش. ردیفی که cohort_state_code ندارد شاید هر سرانجامی داشته باشد و
-- در not_shown شمرده می‌شود.
with asked as (
  select cohort_state_code, sum(case_count) as case_count
  from cohort_group
  where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
  group by cohort_state_code
), counted as (
  select c.code as cohort_state_code, c.position,
         coalesce((select a.case_count from asked a where a.cohort_state_code = c.code), 0) as at_least,
         coalesce((select a.case_count from asked a where a.cohort_state_code is null), 0) as not_shown,
         (select coalesce(sum(a.case_count), 0) from asked a) as total
  from code c
  where c.list_code = 'cohort_state'
)
select cohort_state_code, at_least, not_shown, at_least + not_shown as at_most, total
from counted
order by position
