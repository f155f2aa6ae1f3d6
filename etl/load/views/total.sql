-- Fills table `total`: for each scope and each value of a code list the cases that certainly have the value (at_least),
-- those that may have it (not_shown: detail dropped, only a coarser value shown, or still waiting for a group),
-- and all cases of the scope. Everything is a sum over whole groups and published margins.
--
-- scope `year`    all cases finished in a calendar year, late ones by the year they are late for
-- scope `period`  the cases released together with their own period (late ones apart): n is exact and final
--
-- Given: value_list (column_code, body_id or NULL for every body, position, value_code),
--        ancestry (column_code, ancestor_code, value_code): a value and every coarser one, itself included.

create temp table live as
select * from case_group where case_group_id not in (select case_group_id from withdrawal);

-- what the rows show, one line per scope and value; `year_code` NULL: several earlier years together
create temp table shown as
with line as (
  select body_id, case_type_code, case_count, service_id, unit_id, outcome_code, lateness_code, channel_code,
         case when period_code = 'earlier' then null else substr(period_code, 1, 4) end as year_code,
         case when late_for_code is null then period_code end as period_code
  from live
), finest as (
  select body_id, case_type_code, year_code, period_code, service_id, unit_id, outcome_code, lateness_code,
         channel_code, sum(case_count) as case_count
  from line group by 1, 2, 3, 4, 5, 6, 7, 8, 9
)
select 'service' as column_code, body_id, case_type_code, year_code, period_code, service_id as value_code,
       sum(case_count) as case_count from finest group by 2, 3, 4, 5, 6
union all
select 'unit', body_id, case_type_code, year_code, period_code, unit_id, sum(case_count) from finest group by 2, 3, 4, 5, 6
union all
select 'outcome', body_id, case_type_code, year_code, period_code, outcome_code, sum(case_count)
from finest group by 2, 3, 4, 5, 6
union all
select 'lateness', body_id, case_type_code, year_code, period_code, lateness_code, sum(case_count)
from finest group by 2, 3, 4, 5, 6
union all
select 'channel', body_id, case_type_code, year_code, period_code, channel_code, sum(case_count)
from finest group by 2, 3, 4, 5, 6;

-- months that the groups released with their period cover
create temp table period_of_month as
select distinct l.body_id, l.case_type_code, d.month_code
from (select distinct body_id, case_type_code, period_code from live where late_for_code is null) l
join (select distinct month_code, season_code, year_code from calendar_day) d
  on l.period_code in (d.month_code, d.season_code, d.year_code);

-- finished cases of months whose own period is not released yet: they certainly belong to their year
create temp table unreleased as
select m.body_id, m.case_type_code, substr(m.month_code, 1, 4) as year_code, sum(m.finished_count) as case_count
from margin m
where m.finished_count > 0
  and not exists (
    select 1 from period_of_month p
    where p.month_code = m.month_code and p.body_id = m.body_id and p.case_type_code = m.case_type_code)
group by 1, 2, 3;

-- cases of which only the body and type are known to the reader: grouped as `earlier`, or late and waiting
create temp table undated as
select body_id, case_type_code, sum(case_count) as case_count
from (
  select body_id, case_type_code, case_count from live where period_code = 'earlier'
  union all
  select m.body_id, m.case_type_code,
         max(0, m.awaiting_count - coalesce((
           select sum(u.case_count) from unreleased u
           where u.body_id = m.body_id and u.case_type_code = m.case_type_code), 0))
  from margin m
  where m.release_id = (select release_id from release order by release_number desc limit 1)
)
group by 1, 2;

-- every scope with all its cases and those without any group of the scope
create temp table scope as
select 'year' as scope_code, y.body_id, y.case_type_code, y.year_code, null as period_code,
       coalesce(u.case_count, 0) + coalesce(d.case_count, 0) as ungrouped_count,
       coalesce(g.case_count, 0) + coalesce(u.case_count, 0) + coalesce(d.case_count, 0) as case_count
from (
  select body_id, case_type_code, substr(month_code, 1, 4) as year_code from margin
  union
  select body_id, case_type_code, year_code from shown where year_code is not null
) y
left join (
  select body_id, case_type_code, year_code, sum(case_count) as case_count
  from shown where column_code = 'outcome' and year_code is not null group by 1, 2, 3
) g using (body_id, case_type_code, year_code)
left join unreleased u using (body_id, case_type_code, year_code)
left join undated d using (body_id, case_type_code)
union all
select 'period', body_id, case_type_code, year_code, period_code, 0, sum(case_count)
from shown where column_code = 'outcome' and period_code is not null group by 2, 3, 4, 5;

-- sums by scope and shown value; NULL value: detail dropped
create temp table scope_sum (
  scope_code text, body_id text, case_type_code text, year_code text, period_code text, column_code text,
  value_code text, case_count integer
);
insert into scope_sum
select 'year', body_id, case_type_code, year_code, '', column_code, value_code, sum(case_count)
from shown where year_code is not null group by 2, 3, 4, 6, 7;
insert into scope_sum
select 'period', body_id, case_type_code, year_code, period_code, column_code, value_code, sum(case_count)
from shown where period_code is not null and column_code in ('outcome', 'lateness', 'channel')
group by 2, 3, 4, 5, 6, 7;

-- per scope and value: what certainly has it (the value and its finer ones), what may have it (NULL and coarser ones)
create temp table certain (
  scope_code text, body_id text, case_type_code text, year_code text, period_code text, column_code text,
  value_code text, case_count integer,
  primary key (scope_code, body_id, case_type_code, year_code, period_code, column_code, value_code)
) without rowid;
insert into certain
select s.scope_code, s.body_id, s.case_type_code, s.year_code, s.period_code, s.column_code, a.ancestor_code,
       sum(s.case_count)
from scope_sum s join ancestry a on a.column_code = s.column_code and a.value_code = s.value_code
group by 1, 2, 3, 4, 5, 6, 7;

create temp table possible (
  scope_code text, body_id text, case_type_code text, year_code text, period_code text, column_code text,
  value_code text, case_count integer,
  primary key (scope_code, body_id, case_type_code, year_code, period_code, column_code, value_code)
) without rowid;
insert into possible
select s.scope_code, s.body_id, s.case_type_code, s.year_code, s.period_code, s.column_code, a.value_code,
       sum(s.case_count)
from scope_sum s
join ancestry a on a.column_code = s.column_code and a.ancestor_code = s.value_code and a.value_code <> s.value_code
group by 1, 2, 3, 4, 5, 6, 7;
insert into possible
select scope_code, body_id, case_type_code, year_code, period_code, column_code, '', sum(case_count)
from scope_sum where value_code is null group by 1, 2, 3, 4, 5, 6;

-- every code of the list, zeros too
insert into total (scope_code, column_code, body_id, case_type_code, year_code, period_code, value_code,
                   at_least, at_most, not_shown, total)
select scope_code, column_code, body_id, case_type_code, year_code, period_code, value_code,
       at_least, at_least + not_shown, not_shown, total
from (
  select s.scope_code, v.column_code, s.body_id, s.case_type_code, s.year_code, s.period_code, v.value_code,
         coalesce(c.case_count, 0) as at_least,
         s.ungrouped_count + coalesce(h.case_count, 0) + coalesce(p.case_count, 0) as not_shown,
         s.case_count as total, v.position
  from scope s
  join value_list v
    on (v.body_id is null or v.body_id = s.body_id)
   and (s.scope_code = 'year' or v.column_code in ('outcome', 'lateness', 'channel'))
  left join certain c
    on c.scope_code = s.scope_code and c.body_id = s.body_id and c.case_type_code = s.case_type_code
   and c.year_code = s.year_code and c.period_code = coalesce(s.period_code, '')
   and c.column_code = v.column_code and c.value_code = v.value_code
  left join possible p
    on p.scope_code = s.scope_code and p.body_id = s.body_id and p.case_type_code = s.case_type_code
   and p.year_code = s.year_code and p.period_code = coalesce(s.period_code, '')
   and p.column_code = v.column_code and p.value_code = v.value_code
  left join possible h
    on h.scope_code = s.scope_code and h.body_id = s.body_id and h.case_type_code = s.case_type_code
   and h.year_code = s.year_code and h.period_code = coalesce(s.period_code, '')
   and h.column_code = v.column_code and h.value_code = ''
)
order by scope_code desc, column_code, body_id, case_type_code, year_code, period_code, position, value_code;
