-- fa: درست: دست‌کم و حداکثر، از همه
-- en: Right: at least and at most, of all
-- topic: reading
-- Rows without outcome, or with only a coarser one, stay in the whole and widen the share; so do cases awaiting their group.
-- ردیف‌هایی که نتیجه ندارند یا تنها نتیجهٔ کلی دارند در کل می‌مانند و سهم را پهن‌تر می‌کنند؛ پرونده‌های منتظر گروه هم.
-- column answer: The answer at least | پاسخ، دست‌کم
-- column answer_at_most: The answer at most | پاسخ، حداکثر
with whole as (
  select sum(case when outcome_code = 'refused_exempt' then case_count else 0 end) as known,
         sum(case when outcome_code is null or outcome_code = 'negative' then case_count else 0 end)
           + (select coalesce(sum(awaiting_count), 0) from margin
              where release_id = :release and case_type_code = :case_type) as not_shown,
         sum(case_count) + (select coalesce(sum(awaiting_count), 0) from margin
              where release_id = :release and case_type_code = :case_type) as total
  from case_group_as_of_v1
  where release_id <= :release and :release >= from_release_id and :release < until_release_id and case_type_code = :case_type
)
select round(100.0 * known / total, 1) as answer, round(100.0 * (known + not_shown) / total, 1) as answer_at_most from whole
