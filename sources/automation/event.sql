-- One row per step of a dossier, in the order of its referrals.
select
  dossier_id as case_ref,
  action,
  referral_date || ' ' || referral_time as at,
  from_unit,
  to_unit,
  step_no,
  changed_at
from referral
order by dossier_id, step_no
