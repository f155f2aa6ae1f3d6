-- Groups that were taken back, with the reason, and the coarser row over the same cases that stands for them, if one does.
-- The group as it was released stays in table case_group; totals, case_group_v1 and the pages leave it out.
create view withdrawal_v1 as
select w.withdrawal_id, w.release_id, w.case_group_id, w.reason_code, r.title_fa as reason_fa, r.title_en as reason_en,
       w.replaced_by_id, g.release_id as group_release_id, g.period_code, g.body_id, b.title_fa as body_fa,
       b.title_en as body_en, g.case_type_code, t.title_fa as case_type_fa, t.title_en as case_type_en, g.case_count
from withdrawal w
join case_group g on g.case_group_id = w.case_group_id
join body b on b.body_id = g.body_id
left join code r on r.code = w.reason_code and r.list_code = 'withdrawal_reason'
left join code t on t.code = g.case_type_code and t.list_code = 'case_type';
