-- fa: درست: همان جمع، با نام انتشار
-- en: Right: the same sum, naming the release
-- topic: reading
-- A query that names its release gives the same answer for ever.
-- پرس‌وجویی که نام انتشار را دارد همیشه همین پاسخ را می‌دهد.
-- column answer: The answer | پاسخ
select sum(case_count) as answer from case_group where release_id <= :release and replaces_id is null
