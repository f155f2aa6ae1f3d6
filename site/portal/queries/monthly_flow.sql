-- fa: ثبت‌شده، پایان‌یافته و باز، ماه به ماه
-- en: Registered, finished and open, month by month
-- topic: volume
-- Exact counts of the months from :first_release to :release.
-- شمارش دقیق ماه‌های خواسته‌شده.
select month_code, registered_count + late_registered_count as registered_count,
       finished_count + late_finished_count as finished_count, open_count, open_overdue_count
from margin
where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
order by month_code
