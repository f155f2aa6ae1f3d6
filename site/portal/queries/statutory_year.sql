-- fa: جدول قانونی سالانهٔ یک دستگاه
-- en: Yearly statutory table of a body
-- topic: ending
-- Exact counts, one dimension at a time, of the years closed up to :release.
-- شمارش دقیق سال‌هایی که تا انتشار خواسته‌شده بسته شده‌اند، هر بار بر پایهٔ یک ویژگی.
select year_code, case_type_code, dimension_code, value_code, case_count, basis_code
from statutory
where body_id = :body and release_id <= :release
order by year_code, case_type_code, dimension_code, value_code
