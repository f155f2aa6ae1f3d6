-- Cases finished in a calendar year by unit: at_least certainly belong to it or to a part of it, at_most may, out of total.
-- A share is the interval [at_least / total, at_most / total]; every unit has a row, zeros too.
create view total_by_unit_v1 as
select t.body_id, t.case_type_code, t.year_code, t.value_code as unit_id,
       t.at_least, t.at_most, t.not_shown, t.total, x.title_fa, x.title_en, x.parent_id
from total t
join unit x on x.unit_id = t.value_code
where t.scope_code = 'year' and t.column_code = 'unit';
