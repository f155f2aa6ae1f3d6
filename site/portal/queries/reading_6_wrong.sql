-- fa: نادرست: جمع روی هر چه امروز هست
-- en: Wrong: a sum over whatever is there today
-- topic: reading
-- The answer grows with each release, so nobody can check it later.
-- پاسخ با هر انتشار بزرگ‌تر می‌شود، پس بعدها کسی نمی‌تواند آن را بیازماید.
-- column answer: The answer | پاسخ
select sum(case_count) as answer from case_group
