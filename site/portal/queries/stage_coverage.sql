-- fa: مرحله‌ها برای چند پرونده نشان داده شده و آن‌ها چه فرقی دارند
-- en: For how many cases stages are shown, and how these differ
-- topic: stage
-- Cases with and without shown steps, and how many of each were in time (at least, not shown).
-- پرونده‌هایی که گام‌هایشان نشان داده شده و آن‌ها که نشان داده نشده، و این‌که چند تای هر دسته در مهلت بوده‌اند (دست‌کم،
-- نشان‌داده‌نشده).
-- column has_steps: 1: steps are shown; 0: they are not | ۱: گام‌ها نشان داده شده؛ ۰: نه
-- column on_time_at_least: At least so many were in time | دست‌کم این شمار در مهلت بوده
-- column on_time_not_shown: So many more may have been in time | این شمار دیگر هم شاید در مهلت بوده
select case when trace_level is null then 0 else 1 end as has_steps,
       sum(case_count) as case_count,
       sum(case when lateness_code = 'on_time' then case_count else 0 end) as on_time_at_least,
       sum(case when lateness_code is null then case_count else 0 end) as on_time_not_shown
from case_group_as_of_v1
where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by 1
order by 1
