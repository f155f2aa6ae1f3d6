-- fa: ردشده‌ها از همهٔ پرونده‌های پایان‌یافته، سال به سال و دستگاه به دستگاه
-- en: Refused, of all that were decided, year by year and body by body
-- topic: ending
-- Exact counts of the yearly statutory table, of the years closed up to :release; refused with an exemption and refused as
-- unclear are apart, since the Act treats them apart.
-- شمارش دقیق جدول قانونی سالانه در سال‌هایی که تا انتشار خواسته‌شده بسته شده‌اند؛ رد به استناد مستثنیات و رد به دلیل ابهام از هم
-- جدا هستند، چون قانون هم آن‌ها را جدا می‌داند.
-- column refused_exempt_count: Refused, citing an exemption of the Act | رد به استناد مستثنیات قانون
-- column rejected_unclear_count: Refused as unclear | رد به دلیل ابهام
select year_code, body_id, case_type_code,
       sum(case when value_code = 'refused_exempt' then case_count else 0 end) as refused_exempt_count,
       sum(case when value_code = 'rejected_unclear' then case_count else 0 end) as rejected_unclear_count,
       sum(case_count) as total
from statutory
where dimension_code = 'outcome' and release_id <= :release
group by year_code, body_id, case_type_code
order by year_code, body_id, case_type_code
