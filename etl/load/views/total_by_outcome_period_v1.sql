-- Cases released together with their own month, season or year, by outcome; late ones are not counted here.
-- A share is the interval [at_least / total, at_most / total]; every code of the list has a row, zeros too.
-- positive and negative contain other codes (parent_code names the container): do not add them to their parts.
create view total_by_outcome_period_v1 as
select t.body_id, t.case_type_code, t.year_code, t.period_code, t.value_code as outcome_code,
       t.at_least, t.at_most, t.not_shown, t.total, c.title_fa, c.title_en, c.parent_code
from total t
join code c on c.code = t.value_code and c.list_code = 'outcome'
where t.scope_code = 'period' and t.column_code = 'outcome';
