-- fa: چند روز طول کشید، در همهٔ دستگاه‌ها
-- en: How many days it took, in all bodies
-- topic: time
-- As waits, over every body; cases waiting for their group and open cases stand in stock_everywhere.
-- مانند waits، برای همهٔ دستگاه‌ها؛ پرونده‌های منتظر گروه و پرونده‌های باز در stock_everywhere آمده‌اند.
select duration_band_code, lateness_code, sum(case_count) as case_count
from case_group_as_of_v1
where case_type_code = :case_type and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by duration_band_code, lateness_code
order by duration_band_code is null, duration_band_code, lateness_code
