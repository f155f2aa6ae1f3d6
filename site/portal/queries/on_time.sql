-- fa: در مهلت پاسخ گرفته، از همهٔ پرونده‌ها
-- en: Answered within the limit, of all cases
-- topic: time
-- Cases of a body and case type released from :first_release to :release, cases still waiting for their group and cases
-- still open at the end of the month :release. Rows whose lateness is not shown widen the interval; none is left out.
-- پرونده‌های یک دستگاه و نوع در انتشارهای خواسته‌شده، همراه آن‌ها که هنوز منتظر گروه خودند و آن‌ها که در پایان آخرین ماه
-- هنوز بازند. ردیفی که رعایت مهلت در آن نشان داده نمی‌شود بازه را پهن‌تر می‌کند؛ هیچ ردیفی کنار گذاشته نمی‌شود.
with known as (
  select sum(case when lateness_code = 'on_time' then case_count else 0 end) as at_least,
         sum(case when lateness_code is null then case_count else 0 end) as hidden,
         sum(case_count) as grouped
  from case_group_as_of_v1
  where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
), rest as (
  select sum(awaiting_count) as awaiting, sum(open_count) as still_open
  from margin
  where body_id = :body and case_type_code = :case_type and release_id = :release
)
select coalesce(at_least, 0) as at_least,
       coalesce(hidden, 0) + coalesce(awaiting, 0) as not_shown,
       coalesce(at_least, 0) + coalesce(hidden, 0) + coalesce(awaiting, 0) as at_most,
       coalesce(grouped, 0) + coalesce(awaiting, 0) + coalesce(still_open, 0) as total
from known, rest
