"""What the server itself says: short pages that no template of the site stands for, both languages on one page.

These few sentences stand here and not in the site's catalogues, because they must be there before any site is built.
"""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse, Response

BANNER: Final = {
    "fa": "نسخهٔ نمایشی؛ انتشار رسمی هیچ دستگاهی نیست.",
    "en": "Demonstration; not an official publication of any body.",
}
FOUND_TITLE: Final = {"fa": "یافته‌ها", "en": "Found"}
FOUND_NOTHING: Final = {
    "fa": "چیزی پیدا نشد. واژه‌ای کوتاه‌تر یا نامی دیگر را بیازمایید، یا از فهرست زیر برگزینید.",
    "en": "Nothing was found. Try a shorter word or another name, or choose from the list below.",
}
_NOT_FOUND: Final = {
    "fa": ("این صفحه پیدا نشد", "نشانی را دوباره ببینید یا از صفحهٔ نخست آغاز کنید."),
    "en": ("This page was not found", "Check the address, or start from the first page."),
}
_UNAVAILABLE: Final = {
    "fa": ("هنوز چیزی منتشر نشده است", "نخستین انتشار در راه است؛ اندکی بعد دوباره سر بزنید."),
    "en": ("Nothing has been published yet", "The first release is on its way; please come back later."),
}
_HOME: Final = {"fa": "صفحهٔ نخست", "en": "First page"}
_PAGE: Final = """<!DOCTYPE html>
<html lang="{first}" dir="{direction}" data-languages="fa en">
<head><meta charset="utf-8"><title>{title}</title><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/data/assets/explorer.css"></head>
<body><main>{parts}</main></body></html>
"""
_PART: Final = """<section lang="{lang}" dir="{direction}"><{level}>{title}</{level}><p>{text}</p>
<p><a href="/{lang}/">{home}</a></p></section>"""


def not_found(*, language: str = "fa") -> Response:
    """Make the page 404, in both languages, the given one first."""
    return _page(_NOT_FOUND, language, 404)


def unavailable(*, language: str = "fa") -> Response:
    """Make the page 503 that stands until the first release is in place."""
    return _page(_UNAVAILABLE, language, 503)


def refused(status: int, text: str) -> Response:
    """Make a short English answer to a request that no reader's browser would send."""
    return Response(f"{text}\n", status_code=status, media_type="text/plain", headers={"cache-control": "no-store"})


def direction_of(language: str) -> str:
    """Say in which direction a language is written."""
    return "rtl" if language == "fa" else "ltr"


def _page(words: dict[str, tuple[str, str]], language: str, status: int) -> Response:
    order = ("en", "fa") if language == "en" else ("fa", "en")
    parts = "".join(
        _PART.format(
            lang=lang,
            direction=direction_of(lang),
            level="h1" if lang == order[0] else "h2",
            title=escape(words[lang][0]),
            text=escape(words[lang][1]),
            home=escape(_HOME[lang]),
        )
        for lang in order
    )
    title = escape(" · ".join(words[lang][0] for lang in order))
    html = _PAGE.format(first=order[0], direction=direction_of(order[0]), title=title, parts=parts)
    return HTMLResponse(html, status_code=status, headers={"cache-control": "no-store"})
