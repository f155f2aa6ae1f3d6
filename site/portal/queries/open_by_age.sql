-- fa: پرونده‌های باز در پایان سال چند روز است که منتظرند، دست‌کم و حداکثر
-- en: How long the cases open at the year's end had waited, at least and at most
-- topic: stage
-- Cases of a body and case type that were open at the end of the newest year published up to :release, by the days since their
-- registration. A row without age_band_code may be of any age: it counts in not_shown.
-- پرونده‌های یک دستگاه و نوع که در پایان تازه‌ترین سالِ منتشرشده باز بوده‌اند، بر پایهٔ روزهای گذشته از ثبت. ردیفی که
-- age_band_code ندارد شاید هر سنی داشته باشد و در not_shown شمرده می‌شود.
with waiting as (
  select period_code, age_band_code, sum(case_count) as case_count
  from open_group
  where body_id = :body and case_type_code = :case_type
    and release_id = (select max(release_id) from open_group where release_id <= :release)
  group by period_code, age_band_code
), counted as (
  select c.code as age_band_code, c.position,
         coalesce((select w.case_count from waiting w where w.age_band_code = c.code), 0) as at_least,
         coalesce((select w.case_count from waiting w where w.age_band_code is null), 0) as not_shown,
         (select coalesce(sum(w.case_count), 0) from waiting w) as total
  from code c
  where c.list_code = 'age_band'
)
select (select max(period_code) from waiting) as period_code, age_band_code,
       at_least, not_shown, at_least + not_shown as at_most, total
from counted
order by age_band_code = 'not_recorded', position, age_band_code
