-- fa: درست: سهم در مهلت از همهٔ ردیف‌ها
-- en: Right: share in time of all rows
-- topic: reading
-- All groups, with and without steps; rows whose lateness is not shown widen the share.
-- همهٔ گروه‌ها، با گام و بی‌گام؛ ردیفی که رعایت مهلت در آن نشان داده نمی‌شود سهم را پهن‌تر می‌کند.
-- column answer: The answer at least | پاسخ، دست‌کم
-- column answer_at_most: The answer at most | پاسخ، حداکثر
select round(100.0 * sum(case when lateness_code = 'on_time' then case_count else 0 end) / sum(case_count), 1) as answer,
       round(100.0 * sum(case when lateness_code = 'on_time' or lateness_code is null then case_count else 0 end)
             / sum(case_count), 1) as answer_at_most
from case_group where release_id = :release and replaces_id is null and case_type_code = :case_type
