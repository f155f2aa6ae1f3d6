-- fa: چند روز طول کشید و در مهلت بود یا نه
-- en: How many days it took, and whether in time
-- topic: time
-- One row per duration band and lateness; an empty cell means "not shown at this detail". Sum of case_count is every
-- case released from :first_release to :release.
-- هر بازهٔ مدت و رعایت مهلت در یک ردیف؛ خانهٔ خالی یعنی «در این سطح نشان داده نمی‌شود». جمع case_count برابر همهٔ
-- پرونده‌های انتشارهای خواسته‌شده است.
select duration_band_code, lateness_code, sum(case_count) as case_count
from case_group_as_of_v1
where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by duration_band_code, lateness_code
order by duration_band_code is null, duration_band_code, lateness_code
