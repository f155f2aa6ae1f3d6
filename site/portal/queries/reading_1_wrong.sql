-- fa: نادرست: شمردن ردیف‌ها
-- en: Wrong: counting rows
-- A row is a group, not a case.
-- هر ردیف یک گروه است، نه یک پرونده.
select count(*) as answer from case_group where release_id = :release and replaces_id is null
