-- Fills table `total`: for each scope and each value of a code list the cases that certainly have the value (at_least),
-- those that may have it (not_shown: detail dropped, only a coarser value shown, or still waiting for a group),
-- and all cases of the scope. Everything is a sum over whole groups and published margins.
--
-- scope `year`    all cases finished in a calendar year, late ones by the year they are late for
-- scope `period`  the cases released together with their own period (late ones apart): n is exact and final
--
-- Given: value_list (column_code, body_id or NULL for every body, position, value_code),
--        ancestry (column_code, ancestor_code, value_code): a value and every coarser one, itself included.

-- what holds today: corrections in place of what they replace; a group withdrawn for good as a row that shows nothing
create temp table live as
select * from case_group_as_of_v1 where until_release_id = '9999-12';

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
create index temp.period_of_month_key on period_of_month (body_id, case_type_code, month_code);

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
create temp table scope (
  scope_id integer primary key, scope_code text, body_id text, case_type_code text, year_code text, period_code text,
  ungrouped_count integer, case_count integer
);
insert into scope (scope_code, body_id, case_type_code, year_code, period_code, ungrouped_count, case_count)
select 'year', y.body_id, y.case_type_code, y.year_code, null,
       coalesce(u.case_count, 0) + coalesce(d.case_count, 0),
       coalesce(g.case_count, 0) + coalesce(u.case_count, 0) + coalesce(d.case_count, 0)
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
create index temp.scope_key on scope (body_id, case_type_code, year_code, period_code);

-- sums by scope and shown value; NULL value: detail dropped
create temp table scope_sum (scope_id integer, column_code text, value_code text, case_count integer);
insert into scope_sum
select s.scope_id, w.column_code, w.value_code, sum(w.case_count)
from shown w
join scope s on s.body_id = w.body_id and s.case_type_code = w.case_type_code and s.year_code = w.year_code
            and s.period_code is null
group by 1, 2, 3
union all
select s.scope_id, w.column_code, w.value_code, sum(w.case_count)
from shown w
join scope s on s.body_id = w.body_id and s.case_type_code = w.case_type_code and s.year_code = w.year_code
            and s.period_code = w.period_code
where w.column_code in ('outcome', 'lateness', 'channel')
group by 1, 2, 3;

-- per scope and value: what certainly has it (the value and its finer ones) ...
create temp table certain (
  scope_id integer, column_code text, value_code text, case_count integer,
  primary key (scope_id, column_code, value_code)
) without rowid;
insert into certain
select s.scope_id, s.column_code, a.ancestor_code, sum(s.case_count)
from scope_sum s join ancestry a on a.column_code = s.column_code and a.value_code = s.value_code
group by 1, 2, 3;

-- ... and what may have it: rows that show only a coarser value, and (value '') rows that show nothing
create temp table possible (
  scope_id integer, column_code text, value_code text, case_count integer,
  primary key (scope_id, column_code, value_code)
) without rowid;
insert into possible
select s.scope_id, s.column_code, a.value_code, sum(s.case_count)
from scope_sum s
join ancestry a on a.column_code = s.column_code and a.ancestor_code = s.value_code and a.value_code <> s.value_code
group by 1, 2, 3
union all
select scope_id, column_code, '', sum(case_count) from scope_sum where value_code is null group by 1, 2;

-- every code of the list, zeros too
insert into total (scope_code, column_code, body_id, case_type_code, year_code, period_code, value_code,
                   at_least, at_most, not_shown, total)
select s.scope_code, v.column_code, s.body_id, s.case_type_code, s.year_code, s.period_code, v.value_code,
       coalesce(c.case_count, 0),
       coalesce(c.case_count, 0) + s.ungrouped_count + coalesce(h.case_count, 0) + coalesce(p.case_count, 0),
       s.ungrouped_count + coalesce(h.case_count, 0) + coalesce(p.case_count, 0),
       s.case_count
from scope s
join value_list v
  on (v.body_id is null or v.body_id = s.body_id)
 and (s.scope_code = 'year' or v.column_code in ('outcome', 'lateness', 'channel'))
left join certain c on c.scope_id = s.scope_id and c.column_code = v.column_code and c.value_code = v.value_code
left join possible p on p.scope_id = s.scope_id and p.column_code = v.column_code and p.value_code = v.value_code
left join possible h on h.scope_id = s.scope_id and h.column_code = v.column_code and h.value_code = ''
order by s.scope_id, v.column_code, v.position, v.value_code;
