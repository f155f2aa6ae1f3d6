-- fa: نردبان: هر پله چه نشان می‌دهد و چند پرونده روی آن ماند
-- en: The ladder: what each rung shows, and how many cases stayed on it
-- topic: trust
-- The rungs of the newest policy, from most to least detail; a column without a level is not shown on that rung.
-- پله‌های تازه‌ترین سیاست انتشار، از پرجزئیات‌ترین تا کم‌جزئیات‌ترین؛ ستونی که سطح ندارد در آن پله نشان داده نمی‌شود.
select rung.rung_number, service_level, unit_level, outcome_level, lateness_level, duration_level, loop_level,
       channel_level, trace_level,
       coalesce((select sum(case_count) from case_group join release using (release_id)
                 where case_group.rung_number = rung.rung_number and release.policy_sha256 = rung.policy_sha256
                   and not is_floor and release_id <= :release), 0) as case_count
from rung
where policy_sha256 = (select policy_sha256 from release where release_id = :release)
order by rung.rung_number
