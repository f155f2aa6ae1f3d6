-- fa: دستگاه‌ها و نوع‌های پروندهٔ یک خدمت
-- en: Bodies and case types of a service
-- topic: service
-- Where cases of the service are shown, and at least how many.
-- پرونده‌های این خدمت در کدام دستگاه‌ها نشان داده شده و دست‌کم چند تا.
select body_id, case_type_code, sum(case_count) as at_least
from case_group_as_of_v1
where service_id = :service and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by body_id, case_type_code
order by at_least desc, body_id, case_type_code
