-- fa: نوع‌های پرونده در دستگاه و شمار پایان‌یافته‌ها
-- en: Case types of a body and their finished cases
-- topic: volume
-- Exact counts of the months from :first_release to :release.
-- شمارش دقیق ماه‌های خواسته‌شده.
select case_type_code, sum(registered_count + late_registered_count) as registered_count,
       sum(finished_count + late_finished_count) as finished_count
from margin
where body_id = :body and release_id between :first_release and :release
group by case_type_code
order by finished_count desc, case_type_code
