-- fa: نادرست: سهم در مهلت فقط از ردیف‌های دارای گام
-- en: Wrong: share in time of rows with steps only
-- topic: reading
-- Cases whose full path is shown are the ordinary, easy ones.
-- پرونده‌هایی که مسیر کاملشان نشان داده شده، پرونده‌های معمولی و آسان‌اند.
-- column answer: The answer | پاسخ
select round(100.0 * sum(case when lateness_code = 'on_time' then case_count else 0 end) / sum(case_count), 1) as answer
from case_group where trace_id is not null and release_id = :release and replaces_id is null and case_type_code = :case_type
