-- fa: پرونده‌ها در هر واحد چند روز می‌مانند، یک میانه در سال
-- en: How many days cases stay in each unit, one median a year
-- topic: stage
-- Units of a body in the newest year published up to :release, with the unit above and, as a band, for how many applicants a
-- time is known. Computed inside the body from single cases (basis attested); a small unit counts in the one above.
-- واحدهای یک دستگاه در تازه‌ترین سالِ منتشرشده، با واحد بالادست و بازهٔ شمار متقاضیانی که زمانشان معلوم است. در درون
-- دستگاه و از تک‌تک پرونده‌ها حساب شده است (مبنا: گواهی دستگاه)؛ واحد کوچک در واحد بالادست خود شمرده می‌شود.
select t.release_id, t.year_code, t.unit_id, u.parent_id, t.stay_median_days, t.timed_band_code, t.basis_code
from unit_time t
left join unit u on u.unit_id = t.unit_id
where t.body_id = :body and t.stay_median_days is not null
  and t.release_id = (select max(release_id) from unit_time where release_id <= :release)
order by t.unit_id
