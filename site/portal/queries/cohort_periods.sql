-- fa: از آنچه در هر دوره ثبت شد چند پرونده در مهلت پایان یافت
-- en: Of what was registered in each period, how many ended in time
-- topic: time
-- As cohort_states, a row per period of registration. open_late_at_least: still open past their limit when the period was
-- published.
-- مانند cohort_states، هر دورهٔ ثبت در یک ردیف. ستون open_late_at_least: هنگام انتشار دوره هنوز باز و خارج از مهلت.
-- column open_late_at_least: At least so many were still open past their limit when published | دست‌کم این شمار هنگام انتشار هنوز باز و از مهلت گذشته بود
select period_code, period_first_on, period_last_on, release_id,
       sum(case when cohort_state_code = 'on_time' then case_count else 0 end) as at_least,
       sum(case when cohort_state_code is null then case_count else 0 end) as not_shown,
       sum(case when cohort_state_code = 'on_time' or cohort_state_code is null then case_count else 0 end) as at_most,
       sum(case when cohort_state_code = 'open_late' then case_count else 0 end) as open_late_at_least,
       sum(case_count) as total
from cohort_group
where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
group by period_code, period_first_on, period_last_on, release_id
order by period_first_on, period_code
