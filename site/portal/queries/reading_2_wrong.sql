-- fa: نادرست: سهم در میان ردیف‌های معلوم
-- en: Wrong: a share of the known rows only
-- topic: reading
-- Leaving out rows whose outcome is not shown makes rare outcomes look rarer than they are.
-- اگر ردیف‌هایی را که نتیجه‌شان نشان داده نمی‌شود کنار بگذارید، نتیجه‌های کم‌شمار از آنچه هستند کم‌شمارتر دیده می‌شوند.
-- column answer: The answer | پاسخ
select round(100.0 * sum(case when outcome_code = 'refused_exempt' then case_count else 0 end) / sum(case_count), 1) as answer
from case_group where outcome_code is not null and release_id <= :release and case_type_code = :case_type
