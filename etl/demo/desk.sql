-- The service desk's database, version 1. Dates are Jalali text as its operators and forms wrote them
-- (1403/05/07, ۱۴۰۳/۰۵/۰۷ or 1403/5/7); columns marked ! identify a person and must never leave the building.
create table meta (key text primary key, value text not null);
create table organisation (org_code text primary key, name text not null);
create table service (service_code text primary key, org_code text, name text not null);
create table applicant (
  applicant_id integer primary key,   -- the desk's own serial number
  kind text,                          -- حقیقی / حقوقی
  full_name text,                     -- !
  national_id text,                   -- !
  mobile text,                        -- !
  email text,                         -- !
  address text,                       -- !
  province text
);
create table request (
  request_id integer primary key,
  tracking_code text,                 -- !
  org_code text,
  kind text,
  service_code text,
  channel text,
  urgency text,
  applicant_id integer,
  received_date text,
  received_time text,
  registered_date text,               -- the day the desk took it on
  entered_date text,                  -- the day it was typed in; later for paper
  promised_date text,
  decided_date text,
  closed_date text,
  status text,
  result text,
  exemption text,
  refusal_text text,                  -- ! free text
  complaint_ground text,
  parent_request_id integer,
  register_year text,                 -- the automation's letter, as the operator typed it
  register_code text,
  register_no text,
  subject text,                       -- !
  body text,                          -- !
  changed_at text                     -- ISO 8601: the last change of the request or of what hangs on it
);
create table request_step (
  request_id integer not null,
  step_no integer not null,
  action text,
  step_date text,
  step_time text,
  unit_code text,
  operator_name text                  -- !
);
create table notice (
  request_id integer not null,
  stage text,                         -- the milestone it tells of: ثبت / تصمیم / اختتام
  mobile text,                        -- !
  message text,                       -- !
  sent_date text,
  state text                          -- تحویل شد / ارسال شد / ناموفق
);
create table survey (request_id integer not null, score integer, comment text);
