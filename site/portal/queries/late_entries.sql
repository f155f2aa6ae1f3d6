-- fa: پرونده‌هایی که دیر به ثبت رسیدند، سال به سال
-- en: Cases entered late, year by year
-- topic: volume
-- Exact counts: cases dated before a month that was released already, counted in the month in which they were first seen.
-- شمارش دقیق پرونده‌هایی که تاریخشان پیش از ماهی است که دیگر منتشر شده بود؛ در ماهی شمرده می‌شوند که نخستین بار دیده
-- شدند.
select substr(month_code, 1, 4) as year_code,
       sum(registered_count) + sum(late_registered_count) as registered_count,
       sum(late_registered_count) as late_registered_count
from margin
where body_id = :body and release_id <= :release
group by substr(month_code, 1, 4)
order by year_code desc
