-- fa: پرونده‌های دانلود یک انتشار
-- en: Files of a release
-- Name, size in bytes and SHA-256 of each file of :release.
select name, byte_count, sha256
from file
where release_id = :release
order by name
