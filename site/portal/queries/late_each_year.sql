-- fa: پاسخ‌های خارج از مهلت قانونی، از همهٔ پرونده‌های پایان‌یافته، سال به سال و دستگاه به دستگاه
-- en: Past the legal limit, of all that were decided, year by year and body by body
-- topic: time
-- Exact counts of the yearly statutory table, of the years closed up to :release, on each clock of the law: the bylaw's and the
-- Act's own. Cases without a recorded deadline are in total only.
-- شمارش دقیق جدول قانونی سالانه در سال‌هایی که تا انتشار خواسته‌شده بسته شده‌اند، با هر دو مهلت: مهلت آیین‌نامه و مهلت خود
-- قانون. پرونده‌هایی که مهلتشان ثبت نشده، تنها در total آمده‌اند.
-- column late_bylaw_count: Ended past the limit of the bylaw | پایان‌یافته پس از مهلت آیین‌نامه
-- column late_law_count: Ended past the limit of the Act | پایان‌یافته پس از مهلت قانون
select year_code, body_id, case_type_code,
       sum(case when dimension_code = 'lateness_bylaw' and value_code = 'late' then case_count else 0 end) as late_bylaw_count,
       sum(case when dimension_code = 'lateness_law' and value_code = 'late' then case_count else 0 end) as late_law_count,
       sum(case when dimension_code = 'outcome' then case_count else 0 end) as total
from statutory
where dimension_code in ('outcome', 'lateness_bylaw', 'lateness_law') and release_id <= :release
group by year_code, body_id, case_type_code
order by year_code, body_id, case_type_code
