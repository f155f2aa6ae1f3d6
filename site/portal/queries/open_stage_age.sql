-- fa: پرونده‌های باز در پایان سال، مرحله و روزهای انتظار با هم
-- en: Cases open at the year's end, stage and days of waiting together
-- topic: stage
-- As open_by_age, a row per stage and age band; an empty cell means "not shown at this detail". Sum of case_count is every
-- open case.
-- مانند open_by_age، هر مرحله و بازهٔ روز در یک ردیف. خانهٔ خالی یعنی «در این سطح نشان داده نمی‌شود». جمع case_count
-- برابر همهٔ پرونده‌های باز است.
select period_code, stage_code, age_band_code, sum(case_count) as case_count
from open_group
where body_id = :body and case_type_code = :case_type
  and release_id = (select max(release_id) from open_group where release_id <= :release)
group by period_code, stage_code, age_band_code
order by stage_code is null, stage_code, age_band_code is null, age_band_code
