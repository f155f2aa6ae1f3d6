-- fa: درست: جمع زدن شمار پرونده‌ها
-- en: Right: summing the cases
-- topic: reading
-- A row is a group; case_count says of how many cases.
-- هر ردیف یک گروه است و case_count می‌گوید گروهِ چند پرونده.
-- column answer: The answer | پاسخ
select sum(case_count) as answer from case_group where release_id = :release and replaces_id is null
