-- fa: باز، خارج از مهلت، و در انتظار انتشار جزئیات در همهٔ دستگاه‌ها
-- en: Open, past the limit, and awaiting detail in all bodies
-- topic: volume
-- Exact counts of a case type at the end of the month :release.
-- شمارش دقیق یک نوع پرونده در پایان ماه خواسته‌شده.
select coalesce(sum(open_count), 0) as open_count,
       coalesce(sum(open_overdue_count), 0) as open_overdue_count,
       coalesce(sum(awaiting_count), 0) as awaiting_count
from margin
where case_type_code = :case_type and release_id = :release
