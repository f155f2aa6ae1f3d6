"""People who do not exist: names, numbers and texts that must never leave the building.

Every name, national id, mobile, e-mail address and postcode has at least ten characters and a form that does not occur
by chance in published files (compound surnames, numbers with dashes), so that a search for them proves a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ARABIC = str.maketrans("یک", "يك")

_GIVEN_NAMES = (
    "علی‌رضا محمدحسین امیرحسین ابوالفضل غلامرضا سیدمهدی محمدجواد عبدالله اسماعیل منوچهر جهانگیر فرامرز کیومرث سیاوش "
    "خشایار داریوش بهروز مصطفی شهریار ایرج فاطمه‌زهرا زینب‌سادات معصومه مرضیه طاهره شهربانو گلناز مهناز فرشته نسترن "
    "ماهرخ پریسا سودابه شکوفه نیلوفر ریحانه کتایون منیژه اقدس پروانه"
)
_FAMILY_NAMES = (
    "رضایی‌پور کریمی‌زاده محمدیان حسینی‌نژاد عباس‌پور یزدان‌فر نیک‌سرشت پاک‌نهاد خوش‌گفتار بهرامی‌فر جهان‌دیده کیان‌مهر "
    "دل‌آور راست‌منش فرهادی‌کیا ملک‌شاهی صادق‌زاده اکبری‌پناه قاسمی‌تبار یوسفی‌راد شکیبامنش نادری‌مقدم صفری‌کیا بیگ‌زاده "
    "گودرزیان آذرمهر خدابنده‌لو سلیمانی‌پور تقی‌زاده موسوی‌کیا"
)
_PLACE_NAMES = (
    "سپیدرودی آهن‌کوهی گل‌دشتی سنگ‌چالی شوراب‌سری تنگه‌واری کهن‌دژی مرغ‌زاری چشمه‌ساری ریگ‌زاری باغ‌ملکی خارستانی پل‌سفیدی "
    "دره‌گزی نخل‌آبی برف‌خانی کبودرآهی زرین‌رودی سیه‌چشمه‌ای ده‌بالایی"
)
_STREET_NAMES = "بوستان لاله شقایق آزادگان کوهسار چنار مهتاب دانش نیلوفر سپیده"
_GIVEN, _FAMILY, _PLACE, _STREETS = (
    tuple(names.split()) for names in (_GIVEN_NAMES, _FAMILY_NAMES, _PLACE_NAMES, _STREET_NAMES)
)
PROVINCES = ("تهران", "البرز", "اصفهان", "خراسان رضوی", "فارس", "مازندران", "قزوین", "قم", "آذربایجان شرقی", "خوزستان")


@dataclass(frozen=True)
class Applicant:
    """Somebody who asked: an invented person or company."""

    number: int
    kind: str
    full_name: str
    national_id: str
    mobile: str
    email: str | None
    address: str
    province: str

    @property
    def row(self) -> tuple[object, ...]:
        """The row of the desk's table `applicant`."""
        return (
            self.number,
            self.kind,
            self.full_name,
            self.national_id,
            self.mobile,
            self.email,
            self.address,
            self.province,
        )


def draw_name(rnd: Random, *, arabic: bool = False) -> str:
    """Invent a full name; `arabic` writes it with Arabic ي and ك, as many keyboards do."""
    draw = int(rnd.random() * len(_GIVEN) * len(_FAMILY) * len(_PLACE))
    draw, given = divmod(draw, len(_GIVEN))
    place, family = divmod(draw, len(_FAMILY))
    name = f"{_GIVEN[given]} {_FAMILY[family]} {_PLACE[place]}"
    return name.translate(ARABIC) if arabic else name


def draw_applicant(rnd: Random, number: int, *, arabic: bool) -> Applicant:
    """Invent an applicant; `number` is the desk's serial number."""
    digits = int(rnd.random() * 10**9)
    other = int(rnd.random() * 10**8)
    where = rnd.random()
    national_id = f"{digits // 10**6:03}-{digits % 10**6:06}-{digits % 11 % 10}"
    email = f"karbar{number}.{other % 1000:03}@payam.example" if where < 0.25 else None
    street = _STREETS[other % len(_STREETS)]
    return Applicant(
        number,
        "حقوقی" if rnd.random() < 0.14 else "حقیقی",
        draw_name(rnd, arabic=arabic),
        national_id,
        f"09{10 + other % 30}-{other // 10:07}",
        email,
        f"سپیدار، خیابان {street}، پلاک {other % 290 + 1}، کد پستی {digits % 10**5:05}-{other % 10**5:05}",
        PROVINCES[int(where * where * len(PROVINCES))],
    )


def request_text(applicant: Applicant, service: str) -> tuple[str, str]:
    """Write the subject and body of a request, full of what must not be published."""
    return (
        f"{service} - {applicant.full_name}",
        f"با سلام و احترام، اینجانب {applicant.full_name} به شماره ملی {applicant.national_id} درخواست خود را درباره "
        f"«{service}» تقدیم می‌کنم. خواهشمند است نتیجه را به شماره {applicant.mobile} اعلام فرمایید.",
    )


def letter_text(name: str, service: str, *, reply: bool) -> tuple[str, str]:
    """Write the subject and body of a letter about a person or from an official."""
    if reply:
        return (
            f"پاسخ: {service} - {name}",
            f"با سلام، بازگشت به نامه {name} درباره «{service}»، نتیجه رسیدگی به پیوست اعلام می‌شود.",
        )
    return (
        f"{service} - {name}",
        f"با سلام، به پیوست درخواست {name} درباره «{service}» برای رسیدگی و اعلام نتیجه ارسال می‌شود.",
    )


def margin_text(rnd_value: float, name: str) -> str:
    """Write a margin order (هامش) to a named colleague."""
    orders = ("لطفاً بررسی و اقدام فرمایید", "جهت اقدام مقتضی", "سریعاً پیگیری شود", "نظر کارشناسی اعلام گردد")
    return f"{name}؛ {orders[int(rnd_value * len(orders))]}"
