-- fa: ردها به کدام مادهٔ قانون استناد کرده‌اند، سال به سال و دستگاه به دستگاه
-- en: Which article of the Act refusals cited, year by year and body by body
-- topic: ending
-- Exact counts of the yearly statutory table, of the years closed up to :release. A refusal that cites several articles counts
-- under each: do not add the rows of a body to a number of refusals, see refused_each_year.
-- شمارش دقیق جدول قانونی سالانه در سال‌هایی که تا انتشار خواسته‌شده بسته شده‌اند. ردی که به چند ماده استناد کرده زیر هر کدام
-- شمرده می‌شود؛ پس جمع ردیف‌های یک دستگاه شمار ردها نیست، برای آن refused_each_year را ببینید.
select year_code, body_id, case_type_code, dimension_code, value_code, case_count, basis_code
from statutory
where dimension_code = 'exemption' and release_id <= :release
order by year_code, body_id, case_type_code, value_code
