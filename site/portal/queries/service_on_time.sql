-- fa: در مهلت پاسخ گرفته در یک خدمت، دست‌کم و حداکثر
-- en: Answered within the limit in a service, at least and at most
-- topic: service
-- Among finished cases of a body and case type. shown: cases whose service is shown. possible: cases of the family or
-- without service, and cases awaiting their group, which may belong to the service. low_share takes every possible case
-- that may be late as late and of this service; high_share the reverse.
-- در میان پرونده‌های پایان‌یافتهٔ یک دستگاه و نوع. shown: پرونده‌هایی که خدمتشان نشان داده شده. possible: پرونده‌های
-- همان خانواده یا بی‌خدمت، و پرونده‌های منتظر گروه، که شاید از همین خدمت باشند. low_share هر پروندهٔ احتمالی را که شاید
-- دیر باشد دیر و از این خدمت می‌گیرد و high_share وارون آن.
-- column shown: Cases whose service is shown | پرونده‌هایی که خدمتشان نشان داده شده است
-- column on_time: Of the shown, in time | از این‌ها، در مهلت
-- column unclear: Of the shown, not shown whether in time | از این‌ها، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column possible: Other cases that may belong to the service | پرونده‌های دیگری که شاید از همین خدمت باشند
-- column possible_on_time: Of these others, in time | از آن دیگران، در مهلت
-- column possible_unclear: Of these others, not shown whether in time | از آن دیگران، آن‌ها که در مهلت بودنشان نشان داده نمی‌شود
-- column low_share: Lowest possible share in time, 0 to 1 | کمترین سهم ممکنِ در مهلت، از ۰ تا ۱
-- column high_share: Highest possible share in time, 0 to 1 | بیشترین سهم ممکنِ در مهلت، از ۰ تا ۱
with recursive above(service_id) as (
  select parent_id from service where service_id = :service and parent_id is not null
  union
  select s.parent_id from above a join service s on s.service_id = a.service_id where s.parent_id is not null
), part as (
  select case when g.service_id = :service then 1 else 0 end as is_shown, g.lateness_code, sum(g.case_count) as case_count
  from case_group_as_of_v1 g
  where g.body_id = :body and g.case_type_code = :case_type and g.release_id between :first_release and :release
    and :release >= g.from_release_id and :release < g.until_release_id
    and (g.service_id is null or g.service_id = :service
         or g.service_id in (select a.service_id from above a))
  group by 1, 2
  union all
  select 0, null, awaiting_count
  from margin
  where body_id = :body and case_type_code = :case_type and release_id = :release
), total as (
  select sum(case when is_shown = 1 then case_count else 0 end) as shown,
         sum(case when is_shown = 1 and lateness_code = 'on_time' then case_count else 0 end) as on_time,
         sum(case when is_shown = 1 and lateness_code is null then case_count else 0 end) as unclear,
         sum(case when is_shown = 0 then case_count else 0 end) as possible,
         sum(case when is_shown = 0 and lateness_code = 'on_time' then case_count else 0 end) as possible_on_time,
         sum(case when is_shown = 0 and lateness_code is null then case_count else 0 end) as possible_unclear
  from part
)
select shown, on_time, unclear, possible, possible_on_time, possible_unclear,
       1.0 * on_time / max(shown + possible - possible_on_time, 1) as low_share,
       min(1.0 * (on_time + unclear + possible_on_time + possible_unclear)
           / max(shown + possible_on_time + possible_unclear, 1), 1.0) as high_share
from total
