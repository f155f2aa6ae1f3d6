-- fa: دستگاه‌ها و نوع‌های پروندهٔ یک خدمت
-- en: Bodies and case types of a service
-- Where cases of the service are shown, and at least how many.
select body_id, case_type_code, sum(case_count) as at_least
from case_group
where service_id = :service and release_id between :first_release and :release
group by body_id, case_type_code
order by at_least desc, body_id, case_type_code
