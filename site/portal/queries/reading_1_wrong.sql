-- fa: نادرست: شمردن ردیف‌ها
-- en: Wrong: counting rows
-- topic: reading
-- A row is a group, not a case.
-- هر ردیف یک گروه است، نه یک پرونده.
-- column answer: The answer | پاسخ
select count(*) as answer from case_group where release_id = :release and replaces_id is null
