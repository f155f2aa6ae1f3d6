-- fa: در مهلت پاسخ گرفته، دستگاه‌ها کنار هم، دست‌کم و حداکثر
-- en: Answered within the limit, bodies side by side, at least and at most
-- topic: time
-- As on_time, a row per body in the order of its id. Two bodies differ for certain only where the share that one has at least is
-- more than the other has at most; they do different work, so this is no ranking.
-- مانند on_time، هر دستگاه در یک ردیف، به ترتیب شناسه. تنها وقتی می‌توان گفت دو دستگاه فرق دارند که سهمِ دست‌کمِ یکی از سهمِ
-- حداکثرِ دیگری بیشتر باشد؛ کار دستگاه‌ها یکسان نیست، پس این رتبه‌بندی نیست.
with known as (
  select body_id,
         sum(case when lateness_code = 'on_time' then case_count else 0 end) as at_least,
         sum(case when lateness_code is null then case_count else 0 end) as hidden,
         sum(case_count) as grouped
  from case_group_as_of_v1
  where case_type_code = :case_type and release_id between :first_release and :release
    and :release >= from_release_id and :release < until_release_id
  group by body_id
), rest as (
  select body_id, awaiting_count as awaiting, open_count as still_open
  from margin
  where case_type_code = :case_type and release_id = :release
), counted as (
  select b.body_id, coalesce(k.at_least, 0) as at_least, coalesce(k.hidden, 0) + coalesce(r.awaiting, 0) as not_shown,
         coalesce(k.grouped, 0) + coalesce(r.awaiting, 0) + coalesce(r.still_open, 0) as total
  from body b
  left join known k on k.body_id = b.body_id
  left join rest r on r.body_id = b.body_id
)
select body_id, at_least, not_shown, at_least + not_shown as at_most, total
from counted
where total > 0
order by body_id
