-- fa: کوچک‌ترین گروه منتشرشده
-- en: The smallest published group
-- Anyone can check that no published group is smaller than k. Floor rows count what is not shown in any finer way.
select min(case_count) as smallest_group
from case_group
where not is_floor and release_id <= :release
