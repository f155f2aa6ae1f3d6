-- Monthly counts with labels. Exact at any size: the volume of a public body's work is public.
create view margin_v1 as
select m.margin_id, m.release_id, m.month_code, m.body_id, b.title_fa as body_fa, b.title_en as body_en,
       m.case_type_code, t.title_fa as case_type_fa, t.title_en as case_type_en,
       m.registered_count, m.finished_count, m.open_count, m.open_overdue_count, m.reopened_count,
       m.late_registered_count, m.late_finished_count, m.withdrawn_count, m.awaiting_count
from margin m
join body b using (body_id)
left join code t on t.code = m.case_type_code and t.list_code = 'case_type';
