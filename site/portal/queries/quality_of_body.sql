-- fa: کیفیت ثبت‌های یک دستگاه، سال به سال
-- en: How whole the records of a body are, year by year
-- topic: trust
-- Shares in percent, as ranges of five points; 0 to 100 means too few cases to give a share. Counted once, at the end of
-- the year in which the cases were registered.
-- سهم‌ها به درصد و در بازه‌های پنج‌تایی؛ صفر تا صد یعنی پرونده کمتر از آن است که بتوان سهمی گفت. یک بار، در پایان سالی
-- که پرونده‌ها در آن ثبت شده‌اند، شمرده می‌شود.
select year_code, measure_code, unit_code, at_least, at_most
from quality
where body_id = :body and release_id <= :release
order by year_code desc, measure_code
