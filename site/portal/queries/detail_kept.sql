-- fa: چند پرونده با چه جزئیاتی نشان داده شده است
-- en: How many cases are shown in what detail
-- topic: trust
-- Over all releases up to :release, floor rows included in the total.
-- در همهٔ انتشارها تا انتشار خواسته‌شده؛ ردیف‌های کف هم در جمع کل هستند.
-- column with_outcome: Outcome shown | نتیجه نشان داده شده
-- column with_lateness: Shown whether in time | در مهلت بودن یا نبودن نشان داده شده
-- column with_duration: Duration band shown | بازهٔ مدت نشان داده شده
-- column with_service: Service or its family shown | خدمت یا خانوادهٔ آن نشان داده شده
-- column with_unit: Unit or its department shown | واحد یا ادارهٔ آن نشان داده شده
-- column with_steps: Steps shown | گام‌ها نشان داده شده
select sum(case_count) as total,
       sum(case when outcome_code is null then 0 else case_count end) as with_outcome,
       sum(case when lateness_code is null then 0 else case_count end) as with_lateness,
       sum(case when duration_band_code is null then 0 else case_count end) as with_duration,
       sum(case when service_id is null then 0 else case_count end) as with_service,
       sum(case when unit_id is null then 0 else case_count end) as with_unit,
       sum(case when trace_id is null then 0 else case_count end) as with_steps
from case_group_as_of_v1
where release_id <= :release
  and :release >= from_release_id and :release < until_release_id
