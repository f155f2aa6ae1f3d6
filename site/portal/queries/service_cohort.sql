-- fa: از همهٔ درخواست‌های ثبت‌شدهٔ یک خدمت چند تا در مهلت پایان یافت، دست‌کم و حداکثر
-- en: Of all registered cases of a service, how many ended in time, at least and at most
-- topic: service
-- Registered cases of a body and case type whose period was published from :first_release to :release. shown: cases whose
-- service is shown. possible: cases of the family or without service, which may belong to it. low_share takes every
-- possible case that may not have ended in time as of this service; high_share the reverse.
-- پرونده‌های ثبت‌شدهٔ یک دستگاه و نوع که دوره‌شان در انتشارهای خواسته‌شده منتشر شده است. shown: پرونده‌هایی که خدمتشان
-- نشان داده شده. possible: پرونده‌های همان خانواده یا بی‌خدمت که شاید از همین خدمت باشند. low_share هر پروندهٔ احتمالی
-- را که شاید در مهلت پایان نیافته باشد از این خدمت می‌گیرد و high_share وارون آن.
-- column shown: Cases whose service is shown | پرونده‌هایی که خدمتشان نشان داده شده است
-- column on_time: Of the shown, in time | از این‌ها، در مهلت
-- column unclear: Of the shown, not shown whether in time | از این‌ها، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column possible: Other cases that may belong to the service | پرونده‌های دیگری که شاید از همین خدمت باشند
-- column possible_on_time: Of these others, in time | از آن دیگران، در مهلت
-- column possible_unclear: Of these others, not shown whether in time | از آن دیگران، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column low_share: Lowest possible share in time, 0 to 1 | کمترین سهم ممکنِ در مهلت، از ۰ تا ۱
-- column high_share: Highest possible share in time, 0 to 1 | بیشترین سهم ممکنِ در مهلت، از ۰ تا ۱
-- column late: Of the shown, ended late | از این‌ها، دیر پایان‌یافته
-- column open_late: Of the shown, open past the limit | از این‌ها، باز و از مهلت گذشته
with recursive above(service_id) as (
  select parent_id from service where service_id = :service and parent_id is not null
  union
  select s.parent_id from above a join service s on s.service_id = a.service_id where s.parent_id is not null
), part as (
  select case when g.service_id = :service then 1 else 0 end as is_shown, g.cohort_state_code, sum(g.case_count) as case_count
  from cohort_group g
  where g.body_id = :body and g.case_type_code = :case_type and g.release_id between :first_release and :release
    and (g.service_id is null or g.service_id = :service
         or g.service_id in (select a.service_id from above a))
  group by 1, 2
), total as (
  select coalesce(sum(case when is_shown = 1 then case_count end), 0) as shown,
         coalesce(sum(case when is_shown = 1 and cohort_state_code = 'on_time' then case_count end), 0) as on_time,
         coalesce(sum(case when is_shown = 1 and cohort_state_code = 'late' then case_count end), 0) as late,
         coalesce(sum(case when is_shown = 1 and cohort_state_code = 'open_late' then case_count end), 0) as open_late,
         coalesce(sum(case when is_shown = 1 and cohort_state_code is null then case_count end), 0) as unclear,
         coalesce(sum(case when is_shown = 0 then case_count end), 0) as possible,
         coalesce(sum(case when is_shown = 0 and cohort_state_code = 'on_time' then case_count end), 0) as possible_on_time,
         coalesce(sum(case when is_shown = 0 and cohort_state_code is null then case_count end), 0) as possible_unclear
  from part
)
select shown, on_time, late, open_late, unclear, possible, possible_on_time, possible_unclear,
       1.0 * on_time / max(shown + possible - possible_on_time, 1) as low_share,
       min(1.0 * (on_time + unclear + possible_on_time + possible_unclear)
           / max(shown + possible_on_time + possible_unclear, 1), 1.0) as high_share
from total
