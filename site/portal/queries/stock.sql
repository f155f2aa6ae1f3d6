-- fa: باز، خارج از مهلت، و در انتظار انتشار جزئیات در پایان ماه
-- en: Open, past the limit, and awaiting detail at the end of the month
-- topic: volume
-- Exact counts of a body and case type at the end of the month :release.
-- شمارش دقیق یک دستگاه و نوع در پایان ماه خواسته‌شده.
select coalesce(sum(open_count), 0) as open_count,
       coalesce(sum(open_overdue_count), 0) as open_overdue_count,
       coalesce(sum(awaiting_count), 0) as awaiting_count
from margin
where body_id = :body and case_type_code = :case_type and release_id = :release
