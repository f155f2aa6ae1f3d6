-- fa: درست: پرونده‌هایی که تا ۱۰ روز پایان یافتند
-- en: Right: cases finished within ten days, from bands
-- topic: reading
-- Bands can be summed. Codes sort by length, and one edge is ten days; rows without a band widen the answer.
-- بازه‌ها را می‌توان جمع زد. کدها به ترتیب مدت‌اند و یکی از لبه‌ها ده روز است؛ ردیف‌های بی‌بازه پاسخ را پهن‌تر می‌کنند.
-- column answer: The answer at least | پاسخ، دست‌کم
-- column answer_at_most: The answer at most | پاسخ، حداکثر
select sum(case when duration_band_code < :above then case_count else 0 end) as answer,
       sum(case when duration_band_code is null or duration_band_code < :above then case_count else 0 end) as answer_at_most
from case_group where release_id = :release and replaces_id is null and case_type_code = :case_type
