-- Groups with labels, without those that were withdrawn. A row is a group: sum case_count, never count rows.
-- An empty label means "not shown at this detail", never "unknown".
create view case_group_v1 as
select g.case_group_id, g.release_id, g.period_code, g.period_first_on, g.period_last_on, g.cadence_code, g.late_for_code,
       g.body_id, b.title_fa as body_fa, b.title_en as body_en,
       g.case_type_code, t.title_fa as case_type_fa, t.title_en as case_type_en,
       g.case_count, g.is_floor, g.rung_number,
       g.service_id, s.title_fa as service_fa, s.title_en as service_en, g.service_level,
       g.unit_id, u.title_fa as unit_fa, u.title_en as unit_en, g.unit_level,
       g.outcome_code, o.title_fa as outcome_fa, o.title_en as outcome_en,
       g.lateness_code, l.title_fa as lateness_fa, l.title_en as lateness_en,
       g.duration_band_code, d.title_fa as duration_band_fa, d.title_en as duration_band_en,
       g.is_loop,
       g.channel_code, c.title_fa as channel_fa, c.title_en as channel_en,
       g.trace_id, g.trace_level, g.timed_band_code,
       g.wait_p25_days, g.wait_median_days, g.wait_p75_days, g.wait_p90_days, g.replaces_id
from case_group g
join body b using (body_id)
left join service s on s.service_id = g.service_id
left join unit u on u.unit_id = g.unit_id
left join code t on t.code = g.case_type_code and t.list_code = 'case_type'
left join code o on o.code = g.outcome_code and o.list_code = 'outcome'
left join code l on l.code = g.lateness_code and l.list_code = 'lateness'
left join code d on d.code = g.duration_band_code and d.list_code = 'duration_band'
left join code c on c.code = g.channel_code and c.list_code = 'channel'
where g.case_group_id not in (select case_group_id from withdrawal);
