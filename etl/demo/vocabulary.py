"""The words the office's two systems store for each code, as typed on a Persian and on an Arabic keyboard.

The instance maps these words back to codes (`sources/*/source.toml`); that both agree is a test.
"""

from __future__ import annotations

from collections.abc import Mapping

from etl.demo.people import ARABIC

WORDS: Mapping[str, str] = {
    # kinds
    "foi": "دسترسی به اطلاعات",
    "service": "درخواست خدمت",
    "complaint": "شکایت",
    "inquiry": "استعلام",
    "correspondence": "مکاتبه",
    "proposal": "پیشنهاد",  # a kind no mapping knows
    # channels
    "web": "وب",
    "mobile": "تلفن همراه",
    "desk": "حضوری",
    "post": "پست",
    "phone": "تلفن",
    "email": "رایانامه",
    "portal": "درگاه ملی",
    "ece": "تبادل الکترونیک",
    "internal": "داخلی",
    # urgency, secrecy, direction
    "simple": "عادی",
    "urgent": "فوری",
    "immediate": "آنی",
    "normal": "عادی",
    "confidential": "محرمانه",
    "very_confidential": "خیلی محرمانه",
    "secret": "سری",
    "incoming": "وارده",
    "outgoing": "صادره",
    # status
    "status_registered": "ثبت شده",
    "status_in_progress": "در دست اقدام",
    "status_awaiting_applicant": "در انتظار متقاضی",
    "status_decided": "تصمیم‌گیری شده",
    "status_closed": "مختومه",
    "status_reopened": "بازگشایی شده",
    # outcomes
    "granted_full": "پذیرش کامل",
    "granted_partial": "پذیرش جزئی",
    "refused_exempt": "رد به استناد مستثنیات",
    "rejected_unclear": "رد به دلیل ابهام",
    "not_held": "اطلاعات موجود نیست",
    "referred_elsewhere": "هدایت به دستگاه دیگر",
    "already_public": "پیش‌تر منتشر شده",
    "withdrawn": "انصراف متقاضی",
    "duplicate": "تکراری",
    "completed": "انجام شد",
    "not_eligible": "فاقد شرایط",
    "incomplete_documents": "نقص مدارک",
    "other": "سایر",
    # exemptions
    "ir_13": "ماده ۱۳",
    "ir_14": "ماده ۱۴",
    "ir_15": "ماده ۱۵",
    "ir_16": "ماده ۱۶",
    "ir_17a": "ماده ۱۷ بند الف",
    "ir_17b": "ماده ۱۷ بند ب",
    "ir_17c": "ماده ۱۷ بند ج",
    "ir_17d": "ماده ۱۷ بند د",
    # grounds of complaints
    "no_reply": "عدم پاسخ",
    "refusal": "رد درخواست",
    "incomplete": "پاسخ ناقص",
    "irrelevant": "پاسخ نامرتبط",
    "late": "تأخیر در پاسخ",
    "cost": "هزینه",
    "conduct": "برخورد نامناسب",
    # steps
    "received": "دریافت درخواست",
    "answered_at_desk": "پاسخ در میز خدمت",
    "registered": "ثبت در دبیرخانه",
    "referred": "ارجاع",
    "assigned": "ارجاع جهت اقدام",
    "reviewed": "بررسی کارشناسی",
    "legal_review": "بررسی حقوقی",
    "clarification_asked": "درخواست تکمیل مدارک",
    "clarification_given": "دریافت تکمیل مدارک",
    "inquiry_sent": "استعلام از واحد دیگر",
    "inquiry_answered": "پاسخ استعلام",
    "drafted": "پیش‌نویس پاسخ",
    "returned": "بازگشت جهت اصلاح",
    "commission": "طرح در کمیسیون",
    "signed": "امضای پاسخ",
    "issued": "صدور نامه",
    "filed": "بایگانی",
    "notified": "ابلاغ به متقاضی",
    "closed": "مختومه",
    "reopened": "بازگشایی",
}
Spelling = Mapping[str | None, str | None]


def _spell(words: Mapping[str, str]) -> Spelling:
    spelling: dict[str | None, str | None] = {None: None}
    spelling.update(words)
    return spelling


SPELLINGS: tuple[Spelling, Spelling] = (
    _spell(WORDS),
    _spell({code: word.translate(ARABIC) for code, word in WORDS.items()}),
)
STATUS_AFTER: Mapping[str, str] = {
    "received": "status_registered",
    "registered": "status_registered",
    "clarification_asked": "status_awaiting_applicant",
    "answered_at_desk": "status_decided",
    "signed": "status_decided",
    "issued": "status_decided",
    "notified": "status_decided",
    "filed": "status_closed",
    "closed": "status_closed",
    "reopened": "status_reopened",
}
IN_PROGRESS = "status_in_progress"
