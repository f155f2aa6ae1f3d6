-- One row per request. No name, number, address, subject or text is selected.
select
  r.request_id as case_ref,
  r.tracking_code as tracking_ref,
  r.register_year || '/' || r.register_code || '/' || r.register_no as letter_ref,
  r.org_code as org,
  r.kind,
  r.service_code as service,
  s.unit_code as unit,
  r.channel,
  r.urgency,
  a.kind as applicant_kind,
  a.province,
  r.applicant_id as requester,
  r.received_date || ' ' || r.received_time as received_at,
  r.registered_date as registered_on,
  r.promised_date as promised_on,
  r.decided_date as decided_on,
  r.closed_date as closed_on,
  r.status,
  r.result,
  r.exemption,
  case when r.exemption is not null or r.result like 'رد %'
    then case when r.refusal_text is null then 'ندارد' else 'دارد' end end as reason,
  r.complaint_ground,
  v.score,
  r.parent_request_id as parent_ref,
  case when (select count(distinct n.stage) from notice n where n.request_id = r.request_id and n.state <> 'ناموفق')
    >= 1 + (r.decided_date is not null) + (r.closed_date is not null) then 'بلی' else 'خیر' end as notified_each,
  r.changed_at
from request r
left join applicant a on a.applicant_id = r.applicant_id
left join request_step s on s.request_id = r.request_id and s.step_no = 1
left join survey v on v.request_id = r.request_id
order by r.request_id
