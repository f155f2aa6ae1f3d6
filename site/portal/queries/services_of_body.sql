-- fa: خدمت‌های دستگاه: دست‌کم چند پرونده
-- en: Services of a body: at least how many cases
-- topic: service
-- Cases whose service is shown. Cases whose service is not shown, or only its family, may add to each service: see
-- service_on_time for the interval of one service.
-- پرونده‌هایی که خدمتشان نشان داده شده است. پرونده‌هایی که خدمتشان نشان داده نمی‌شود، یا تنها خانواده‌اش، شاید به هر
-- خدمت افزوده شوند؛ برای بازهٔ یک خدمت service_on_time را ببینید.
select service_id, service_level, sum(case_count) as at_least
from case_group_as_of_v1
where body_id = :body and case_type_code = :case_type and release_id between :first_release and :release
  and :release >= from_release_id and :release < until_release_id
group by service_id, service_level
order by service_id is null, at_least desc, service_id
