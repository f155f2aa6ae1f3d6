-- fa: چند گروه پس از انتشار پس گرفته یا اصلاح شده است
-- en: How many groups were taken back or corrected after release
-- topic: trust
-- Groups and their cases, withdrawn for good and replaced by a coarser row, up to :release; view withdrawal_v1 lists them.
-- گروه‌هایی که تا انتشار خواسته‌شده برای همیشه پس گرفته شده یا ردیفی کلی‌تر جای آن‌ها را گرفته است، و پرونده‌هایشان؛
-- نمای withdrawal_v1 فهرستشان است.
-- column withdrawn_groups: Groups withdrawn for good | گروه‌هایی که برای همیشه پس گرفته شد
-- column withdrawn_cases: Cases of these groups | پرونده‌های آن گروه‌ها
-- column corrected_groups: Groups replaced by a coarser row | گروه‌هایی که ردیفی کلی‌تر جایشان را گرفت
-- column corrected_cases: Cases of these groups | پرونده‌های این گروه‌ها
select coalesce(sum(w.replaced_by_id is null), 0) as withdrawn_groups,
       coalesce(sum(case when w.replaced_by_id is null then g.case_count else 0 end), 0) as withdrawn_cases,
       coalesce(sum(w.replaced_by_id is not null), 0) as corrected_groups,
       coalesce(sum(case when w.replaced_by_id is not null then g.case_count else 0 end), 0) as corrected_cases
from withdrawal w
join case_group g on g.case_group_id = w.case_group_id
where w.release_id <= :release
