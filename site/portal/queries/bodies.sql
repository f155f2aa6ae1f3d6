-- fa: دستگاه‌ها: ثبت‌شده، پایان‌یافته، باز و خارج از مهلت
-- en: Bodies: registered, finished, open and past the limit
-- topic: volume
-- Exact counts by body and case type: flows of the months from :first_release to :release, stock at the end of :release.
-- شمارش دقیق به تفکیک دستگاه و نوع پرونده: ورودی و خروجی ماه‌های خواسته‌شده، و آنچه در پایان آخرین ماه مانده است.
-- column last_active_month_code: Last month in which a case was registered or finished | آخرین ماهی که پرونده‌ای ثبت شده یا پایان یافته است
select body_id, case_type_code,
       sum(registered_count + late_registered_count) as registered_count,
       sum(finished_count + late_finished_count) as finished_count,
       sum(case when release_id = :release then open_count else 0 end) as open_count,
       sum(case when release_id = :release then open_overdue_count else 0 end) as open_overdue_count,
       max(case when registered_count + finished_count > 0 then month_code end) as last_active_month_code
from margin
where release_id between :first_release and :release
group by body_id, case_type_code
order by body_id, case_type_code
