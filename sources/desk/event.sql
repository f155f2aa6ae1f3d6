-- One row per step of a request at the desk, in the desk's order.
select
  request_id as case_ref,
  action,
  step_date || ' ' || step_time as at,
  unit_code as unit,
  step_no
from request_step
order by request_id, step_no
