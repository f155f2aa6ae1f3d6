-- What is said of each case from release to release: a row holds from from_release_id on and before until_release_id.
-- For what a release says, take rows with from_release_id <= it < until_release_id; sums of case_count then count every
-- grouped case once. release_id is the release in which the cases were grouped, also where the row is a later correction.
-- A group withdrawn for good goes on as a row without detail (is_withdrawn = 1): its cases count as not shown.
create view case_group_as_of_v1 as
select g.case_group_id, g.release_id, g.release_id as from_release_id,
       coalesce(w.release_id, '9999-12') as until_release_id, 0 as is_withdrawn,
       g.body_id, g.case_type_code, g.period_code, g.cadence_code, g.period_first_on, g.period_last_on, g.late_for_code,
       g.is_floor, g.service_id, g.service_level, g.unit_id, g.unit_level, g.outcome_code, g.lateness_code,
       g.duration_band_code, g.is_loop, g.channel_code, g.trace_id, g.trace_level, g.case_count, g.timed_band_code,
       g.wait_p25_days, g.wait_median_days, g.wait_p75_days, g.wait_p90_days
from case_group g
left join withdrawal w on w.case_group_id = g.case_group_id
where g.replaces_id is null
union all
-- corrections: the same cases, less detail
select g.case_group_id, o.release_id, g.release_id, coalesce(w.release_id, '9999-12'), 0,
       g.body_id, g.case_type_code, g.period_code, g.cadence_code, g.period_first_on, g.period_last_on, g.late_for_code,
       g.is_floor, g.service_id, g.service_level, g.unit_id, g.unit_level, g.outcome_code, g.lateness_code,
       g.duration_band_code, g.is_loop, g.channel_code, g.trace_id, g.trace_level, g.case_count, g.timed_band_code,
       g.wait_p25_days, g.wait_median_days, g.wait_p75_days, g.wait_p90_days
from withdrawal r
join case_group g on g.case_group_id = r.replaced_by_id
join case_group o on o.case_group_id = g.replaces_id
left join withdrawal w on w.case_group_id = g.case_group_id
union all
-- withdrawn for good: body, period and case type stay, as in the margin
select g.case_group_id, coalesce(o.release_id, g.release_id), w.release_id, '9999-12', 1,
       g.body_id, g.case_type_code, g.period_code, g.cadence_code, g.period_first_on, g.period_last_on, g.late_for_code,
       0, null, null, null, null, null, null, null, null, null, null, null, g.case_count, null, null, null, null, null
from withdrawal w
join case_group g on g.case_group_id = w.case_group_id
left join case_group o on o.case_group_id = g.replaces_id
where w.replaced_by_id is null;
