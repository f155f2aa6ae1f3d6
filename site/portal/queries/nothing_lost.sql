-- fa: هیچ پرونده‌ای گم نشده است: گروه‌ها و منتظران برابر پایان‌یافته‌ها
-- en: Nothing lost: groups and waiting cases equal finished cases
-- Over all releases up to :release.
-- در همهٔ انتشارها تا انتشار خواسته‌شده.
select (select sum(case_count) from case_group_as_of_v1
        where release_id <= :release and :release >= from_release_id and :release < until_release_id) as grouped,
       (select sum(awaiting_count) from margin where release_id = :release) as awaiting,
       (select sum(finished_count + late_finished_count) from margin where release_id <= :release) as finished
