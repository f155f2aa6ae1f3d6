-- fa: آنچه دستگاه ثبت نکرده است، دست‌کم و حداکثر
-- en: What a body did not record, at least and at most
-- topic: trust
-- Finished cases released from :first_release to :release and those awaiting their group at its end; a detail that is not
-- shown may be recorded or not, so it counts in not_shown.
-- پرونده‌های پایان‌یافتهٔ انتشارهای خواسته‌شده و آن‌ها که در پایانشان منتظر گروه خود بوده‌اند. جزئیاتی که نشان داده
-- نمی‌شود شاید ثبت شده باشد و شاید نه؛ پس در not_shown شمرده می‌شود.
with grouped as (
  select case_count, outcome_code, lateness_code, service_id, unit_id, channel_code
  from case_group_as_of_v1
  where body_id = :body and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
), awaiting as (
  select coalesce(sum(awaiting_count), 0) as case_count from margin where body_id = :body and release_id = :release
), counted as (
  select 'outcome' as column_code, outcome_code as value_code, case_count from grouped
  union all select 'lateness', lateness_code, case_count from grouped
  union all select 'service', service_id, case_count from grouped
  union all select 'unit', unit_id, case_count from grouped
  union all select 'channel', channel_code, case_count from grouped
), summed as (
  select column_code,
         sum(case when value_code = 'not_recorded' then case_count else 0 end) as at_least,
         sum(case when value_code is null then case_count else 0 end) + (select case_count from awaiting) as not_shown,
         sum(case_count) + (select case_count from awaiting) as total
  from counted
  group by column_code
)
select column_code, at_least, not_shown, at_least + not_shown as at_most, total
from summed
order by column_code
