-- fa: چند روز طول کشید، پرونده‌هایی که خدمتشان نشان داده شده است
-- en: How many days it took, cases whose service is shown
-- topic: service
-- One row per duration band and lateness; an empty cell means "not shown at this detail". A picture of the shown cases,
-- not a rate: see service_on_time.
-- هر بازهٔ مدت و رعایت مهلت در یک ردیف؛ خانهٔ خالی یعنی «در این سطح نشان داده نمی‌شود». تصویر پرونده‌های نشان‌داده‌شده
-- است نه نرخ؛ برای نرخ service_on_time را ببینید.
select duration_band_code, lateness_code, sum(case_count) as case_count
from case_group_as_of_v1
where body_id = :body and case_type_code = :case_type and service_id = :service
  and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by duration_band_code, lateness_code
order by duration_band_code is null, duration_band_code, lateness_code
