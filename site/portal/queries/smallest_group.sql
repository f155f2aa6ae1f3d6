-- fa: کوچک‌ترین گروه منتشرشده
-- en: The smallest published group
-- topic: trust
-- Anyone can check that no published group is smaller than k. Floor rows count what is not shown in any finer way.
-- هر کسی می‌تواند بیازماید که هیچ گروه منتشرشده‌ای کوچک‌تر از k نیست. ردیف‌های کف آنچه را می‌شمارند که به هیچ شکل ریزتری
-- نشان داده نمی‌شود.
-- column smallest_group: Cases in the smallest group | شمار پرونده‌های کوچک‌ترین گروه
select min(case_count) as smallest_group
from case_group
where not is_floor and release_id <= :release
