-- One row per dossier, with what the letter that opened it says. No name, subject or text is selected.
select
  d.dossier_id as case_ref,
  l.tracking_code as tracking_ref,
  l.register_year || '/' || l.register_code || '/' || l.register_no as letter_ref,
  l.secrecy,
  d.org_code as org,
  d.kind,
  d.service_code as service,
  d.unit_code as unit,
  l.channel,
  l.urgency,
  l.sender_kind,
  l.direction,
  l.registered_date as registered_on,
  d.decided_date as decided_on,
  d.closed_date as closed_on,
  d.status,
  d.result,
  d.changed_at
from dossier d
left join letter l on l.letter_id = d.letter_id
order by d.dossier_id
