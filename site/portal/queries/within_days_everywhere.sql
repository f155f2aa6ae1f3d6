-- fa: تا این بازهٔ انتظار پاسخ گرفته، در همهٔ دستگاه‌ها
-- en: Answered up to this wait, in all bodies
-- topic: time
-- As within_days, over every body.
-- مانند within_days، برای همهٔ دستگاه‌ها.
with known as (
  select sum(case when duration_band_code <= :band then case_count else 0 end) as at_least,
         sum(case when duration_band_code is null then case_count else 0 end) as hidden,
         sum(case_count) as grouped
  from case_group_as_of_v1
  where case_type_code = :case_type and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
), rest as (
  select sum(awaiting_count) as awaiting, sum(open_count) as still_open
  from margin
  where case_type_code = :case_type and release_id = :release
)
select coalesce(at_least, 0) as at_least,
       coalesce(hidden, 0) + coalesce(awaiting, 0) as not_shown,
       coalesce(at_least, 0) + coalesce(hidden, 0) + coalesce(awaiting, 0) as at_most,
       coalesce(grouped, 0) + coalesce(awaiting, 0) + coalesce(still_open, 0) as total
from known, rest
