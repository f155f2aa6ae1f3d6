-- Sums of whole groups as they hold today: table case_group_rollup less the groups that were withdrawn or replaced.
-- Cases withdrawn for good are in no row here; view case_group_as_of_v1 and the totals count them as not shown.
create view case_group_rollup_v1 as
select release_id, body_id, case_type_code, period_code, service_id, outcome_code, lateness_code,
       sum(case_count) as case_count
from (
  select release_id, body_id, case_type_code, period_code, service_id, outcome_code, lateness_code, case_count
  from case_group_rollup
  union all
  select g.release_id, g.body_id, g.case_type_code, g.period_code, g.service_id, g.outcome_code, g.lateness_code,
         -g.case_count
  from withdrawal w
  join case_group g on g.case_group_id = w.case_group_id
)
group by 1, 2, 3, 4, 5, 6, 7
having sum(case_count) > 0;
