-- The office automation's database, version 1: registers, letters, the dossiers they open, referrals with margins (هامش).
-- Dates are Jalali text; columns marked ! identify a person or are free text and must never leave the building.
create table meta (key text primary key, value text not null);
create table organisation (org_code text primary key, name text not null);
create table unit (unit_code text primary key, org_code text not null, parent_code text, name text not null);
create table register (register_code text primary key, org_code text not null, direction text not null, name text not null);
create table dossier (
  dossier_id integer primary key,
  org_code text,
  letter_id integer,                  -- the letter that opened it
  kind text,
  service_code text,
  unit_code text,                     -- the unit that answers for it
  status text,
  decided_date text,
  closed_date text,
  result text,
  entered_date text,
  changed_at text                     -- ISO 8601: the last change of the dossier or of what hangs on it
);
create table letter (
  letter_id integer primary key,
  dossier_id integer,
  register_code text,
  register_year text,
  register_no text,                   -- numbered in each register and year
  direction text,                     -- وارده / صادره / داخلی
  registered_date text,
  registered_time text,
  letter_date text,
  secrecy text,                       -- عادی / محرمانه / خیلی محرمانه / سری; sometimes missing
  urgency text,
  channel text,
  sender_kind text,                   -- حقیقی / حقوقی / دستگاه
  sender_name text,                   -- !
  recipient_name text,                -- !
  signatory_name text,                -- !
  tracking_code text,                 -- ! the desk's code, as the secretariat typed it
  reply_to_id integer,                -- عطف به
  follows_id integer,                 -- پیرو
  subject text,                       -- !
  body text                           -- !
);
create table referral (
  dossier_id integer not null,
  step_no integer not null,
  letter_id integer,
  action text,
  from_unit text,
  to_unit text,
  referral_date text,
  referral_time text,
  receiver_name text,                 -- !
  margin text,                        -- ! هامش
  changed_at text
);
