-- Cases finished in a calendar year by outcome: at_least certainly have the code, at_most may have it, out of total.
-- A share is the interval [at_least / total, at_most / total]; every code of the list has a row, zeros too.
-- positive and negative contain other codes (parent_code names the container): do not add them to their parts.
create view total_by_outcome_v1 as
select t.body_id, t.case_type_code, t.year_code, t.value_code as outcome_code,
       t.at_least, t.at_most, t.not_shown, t.total, c.title_fa, c.title_en, c.parent_code
from total t
join code c on c.code = t.value_code and c.list_code = 'outcome'
where t.scope_code = 'year' and t.column_code = 'outcome';
