-- fa: آنچه پیش از شمارش کنار گذاشته شد
-- en: What was set aside before counting
-- topic: trust
-- Of all sources together, when a release was made; orders of magnitude, never exact counts. The newest up to :release.
-- از همهٔ منبع‌ها با هم، هنگام ساختن انتشار؛ تنها مرتبهٔ بزرگی، هرگز شمارش دقیق. تازه‌ترین تا انتشار خواسته‌شده.
select release_id, year_code, measure_code, reason_code, unit_code, at_least, at_most
from quality
where body_id is null
  and release_id = (select max(release_id) from quality where body_id is null and release_id <= :release)
order by measure_code, reason_code
