-- fa: درست: هر سه را کنار هم، جدا از هم
-- en: Right: the three beside one another
-- topic: reading
-- Registered, finished and open are three different crowds; say which one a figure is about.
-- ثبت‌شده، پایان‌یافته و باز سه جمعیت جدا هستند؛ بگویید عدد از کدام است.
-- column answer: Registered | ثبت‌شده‌ها
-- column finished: Finished | پایان‌یافته‌ها
-- column still_open: Still open | هنوز باز
select sum(registered_count) as answer, sum(finished_count) as finished, sum(open_count) as still_open
from margin where release_id = :release and case_type_code = :case_type
