-- fa: نادرست: میانگین گرفتن از میانه‌ها
-- en: Wrong: averaging medians
-- topic: reading
-- A median of a small group weighs as much here as that of a large one, and groups without times vanish.
-- در این‌جا میانهٔ یک گروه کوچک هم‌وزن میانهٔ گروهی بزرگ است، و گروه‌های بی‌زمان ناپدید می‌شوند.
-- column answer: The answer | پاسخ
select round(avg(wait_median_days), 1) as answer from case_group where release_id = :release and replaces_id is null and case_type_code = :case_type
