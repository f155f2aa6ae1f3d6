-- fa: پرونده‌های پایان‌یافتهٔ یک سال چند روز طول کشید
-- en: How long the cases took that ended in a year
-- topic: time
-- Newest year published up to :release, of a body and case type; days by which a quarter, half, three quarters and nine of ten
-- had ended. service_id empty: all cases of the type. A family contains its services. An empty figure is not shown.
-- تازه‌ترین سالِ منتشرشدهٔ یک دستگاه و نوع؛ روزهایی که تا آن یک‌چهارم، نیم، سه‌چهارم و نه‌دهم پرونده‌ها پایان یافته
-- بودند. service_id خالی: همهٔ پرونده‌های آن نوع. هر خانوادهٔ خدمت‌های خود را در بر دارد. عدد خالی نشان داده نمی‌شود.
select d.release_id, d.year_code, d.service_id, d.service_level, s.parent_id, d.scope_count, d.timed_band_code,
       d.wait_p25_days, d.wait_median_days, d.wait_p75_days, d.wait_p90_days, d.basis_code
from duration d
left join service s on s.service_id = d.service_id
where d.body_id = :body and d.case_type_code = :case_type
  and d.release_id = (select max(release_id) from duration where body_id = :body and release_id <= :release)
order by d.service_id is not null, coalesce(s.parent_id, d.service_id), s.parent_id is not null, d.scope_count desc, d.service_id
