-- fa: نادرست: پایان‌یافته‌های ماه تقسیم بر ثبت‌شده‌های همان ماه، به نام «سهم پاسخ»
-- en: Wrong: finished divided by registered, called "share answered"
-- topic: reading
-- Two different crowds: most cases finished in a month were registered earlier.
-- دو جمعیت جدا: بیشترِ پرونده‌هایی که در یک ماه پایان یافته‌اند پیش از آن ثبت شده‌اند.
-- column answer: The answer | پاسخ
select round(100.0 * sum(finished_count) / sum(registered_count), 1) as answer
from margin where release_id = :release and case_type_code = :case_type
