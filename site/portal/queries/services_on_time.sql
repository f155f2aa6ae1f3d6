-- fa: در مهلت پاسخ گرفته، خدمت‌های یک دستگاه کنار هم، دست‌کم و حداکثر
-- en: Answered within the limit, services of a body side by side, at least and at most
-- topic: service
-- As service_on_time, a row per service that is shown, in the order of its id. Ask it for two spans of releases to see what changed:
-- a service certainly grew slower only where its later high_share is below its earlier low_share.
-- مانند service_on_time، هر خدمتی که نشان داده شده در یک ردیف، به ترتیب شناسه. برای دیدن تغییر، همین را برای دو بازه از انتشارها
-- بپرسید: خدمتی بی‌گمان کندتر شده که high_share بازهٔ بعدی‌اش از low_share بازهٔ پیشین کمتر باشد.
-- column shown: Cases whose service is shown | پرونده‌هایی که خدمتشان نشان داده شده است
-- column on_time: Of the shown, in time | از این‌ها، در مهلت
-- column unclear: Of the shown, not shown whether in time | از این‌ها، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column possible: Other cases that may belong to the service | پرونده‌های دیگری که شاید از همین خدمت باشند
-- column possible_on_time: Of these others, in time | از آن دیگران، در مهلت
-- column possible_unclear: Of these others, not shown whether in time | از آن دیگران، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column low_share: Lowest possible share in time, 0 to 1 | کمترین سهم ممکنِ در مهلت، از ۰ تا ۱
-- column high_share: Highest possible share in time, 0 to 1 | بیشترین سهم ممکنِ در مهلت، از ۰ تا ۱
with recursive grouped as (
  select service_id, service_level, lateness_code, sum(case_count) as case_count
  from case_group_as_of_v1
  where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
  group by 1, 2, 3
), named as (
  select distinct service_id
  from grouped
  where service_level = 'leaf'
), above(service_id, above_id) as (
  select s.service_id, s.parent_id
  from named n
  join service s on s.service_id = n.service_id
  where s.parent_id is not null
  union
  select a.service_id, s.parent_id
  from above a
  join service s on s.service_id = a.above_id
  where s.parent_id is not null
), part as (
  select n.service_id, case when g.service_id = n.service_id then 1 else 0 end as is_shown, g.lateness_code, g.case_count
  from named n
  join grouped g on g.service_id is null or g.service_id = n.service_id
    or exists (select 1 from above a where a.service_id = n.service_id and a.above_id = g.service_id)
  union all
  select n.service_id, 0, null, m.awaiting_count
  from named n
  join margin m on m.body_id = :body and m.case_type_code = :case_type and m.release_id = :release
), total as (
  select service_id,
         sum(case when is_shown = 1 then case_count else 0 end) as shown,
         sum(case when is_shown = 1 and lateness_code = 'on_time' then case_count else 0 end) as on_time,
         sum(case when is_shown = 1 and lateness_code is null then case_count else 0 end) as unclear,
         sum(case when is_shown = 0 then case_count else 0 end) as possible,
         sum(case when is_shown = 0 and lateness_code = 'on_time' then case_count else 0 end) as possible_on_time,
         sum(case when is_shown = 0 and lateness_code is null then case_count else 0 end) as possible_unclear
  from part
  group by service_id
)
select service_id, shown, on_time, unclear, possible, possible_on_time, possible_unclear,
       1.0 * on_time / max(shown + possible - possible_on_time, 1) as low_share,
       min(1.0 * (on_time + unclear + possible_on_time + possible_unclear)
           / max(shown + possible_on_time + possible_unclear, 1), 1.0) as high_share
from total
order by service_id
