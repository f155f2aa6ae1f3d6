-- fa: فایل‌های یک انتشار
-- en: Files of a release
-- topic: trust
-- Name, size in bytes, SHA-256 and address of each file of :release.
-- نام، اندازه (بایت)، چکیدهٔ SHA-256 و نشانی هر فایل آن انتشار.
-- column address: Address to fetch it from | نشانی دریافت
select name, byte_count, sha256,
       '/datasets/releases/' || release_id || '/' || name as address
from file
where release_id = :release
order by name
