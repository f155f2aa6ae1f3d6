-- fa: نتیجهٔ پرونده‌ها، دست‌کم و حداکثر
-- en: Outcomes, at least and at most
-- topic: ending
-- Finished cases released from :first_release to :release and those awaiting their group, by outcome. A row without
-- outcome, or with a coarser one, may hold any finer outcome: it counts in not_shown. positive and negative hold the outcomes
-- whose parent_code they are: never add them to their parts.
-- پرونده‌های پایان‌یافتهٔ انتشارهای خواسته‌شده و آن‌ها که منتظر گروه خودند، بر پایهٔ نتیجه. ردیفی که نتیجه ندارد، یا
-- تنها نتیجهٔ کلی دارد، شاید هر نتیجهٔ ریزتری داشته باشد و در not_shown شمرده می‌شود. positive و negative نتیجه‌هایی را
-- در بر دارند که parent_code آن‌ها همین است؛ پس با اجزای خود جمع نشوند.
with grouped as (
  select outcome_code, sum(case_count) as case_count
  from case_group_as_of_v1
  where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
  group by outcome_code
), awaiting as (
  select coalesce(sum(awaiting_count), 0) as case_count
  from margin
  where body_id = :body and case_type_code = :case_type and release_id = :release
), counted as (
  select c.code as outcome_code, c.parent_code, c.position,
         coalesce((select sum(g.case_count) from grouped g join code f on f.list_code = 'outcome' and f.code = g.outcome_code
                   where f.code = c.code or f.parent_code = c.code), 0) as at_least,
         coalesce((select sum(g.case_count) from grouped g
                   where g.outcome_code is null or g.outcome_code = c.parent_code), 0)
           + (select a.case_count from awaiting a) as not_shown,
         (select coalesce(sum(g.case_count), 0) from grouped g) + (select a.case_count from awaiting a) as total
  from code c
  where c.list_code = 'outcome'
)
select outcome_code, at_least, not_shown, at_least + not_shown as at_most, total, parent_code
from counted
order by position
