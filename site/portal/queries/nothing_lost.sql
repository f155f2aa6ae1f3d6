-- fa: هیچ پرونده‌ای گم نشده است: گروه‌ها و منتظران برابر پایان‌یافته‌ها
-- en: Nothing lost: groups and waiting cases equal finished cases
-- topic: trust
-- Over all releases up to :release.
-- در همهٔ انتشارها تا انتشار خواسته‌شده.
-- column grouped: Cases in groups | پرونده‌هایی که در گروه‌ها آمده‌اند
-- column awaiting: Cases awaiting their group | پرونده‌های منتظر گروه
-- column finished: All finished cases; the sum of the other two | همهٔ پایان‌یافته‌ها؛ جمع دو ستون دیگر
select (select sum(case_count) from case_group_as_of_v1
        where release_id <= :release and :release >= from_release_id and :release < until_release_id) as grouped,
       (select sum(awaiting_count) from margin where release_id = :release) as awaiting,
       (select sum(finished_count + late_finished_count) from margin where release_id <= :release) as finished
