"""Templates of one language: Jinja2 with autoescape, gettext and our filters; each template is compiled once.

Templates stand in `templates/`; pages of both languages come from the same files.
"""

from __future__ import annotations

from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from portal.charts import to_svg, to_table
from portal.formats import singular
from portal.words import Words, translations


class Renderer:
    """Renders pages in one language; `shared` values are known to every page."""

    def __init__(self, words: Words, **shared: object) -> None:
        """Make the environment."""
        env = Environment(
            loader=PackageLoader("portal", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        env.install_gettext_translations(translations(words.lang), newstyle=True)  # type: ignore[attr-defined]
        env.filters.update(words.filters)
        env.globals.update(
            lang=words.lang,
            other="en" if words.lang == "fa" else "fa",
            direction="rtl" if words.lang == "fa" else "ltr",
            words=words,
            svg=to_svg,
            table_of=to_table,
            report_to=self._report_to,
            **shared,
        )
        self.words = words
        self._shared = shared
        self._env = env

    def page(self, template: str, *, path: str, **values: object) -> str:
        """Render a template for the page at `path` (inside the language's folder); links are relative to it."""
        root = "../" * path.count("/")
        page = self._env.get_template(template).render(
            path=path, root=root, chart_page=f"{root}chart.html?page={path}&chart=", **values
        )
        return singular(page) if self.words.lang == "en" else page

    def _report_to(self, path: str) -> str:
        """Give the address for a correction: a letter that names release and page, or the body's own page for it."""
        facts, release = self._shared["facts"], self._shared["release"]
        contact = str(getattr(facts, "contact", ""))
        if "@" not in contact or ":" in contact:
            return contact
        subject = quote(f"{getattr(release, 'release_id', '')} {self.words.lang}/{path}")
        return f"mailto:{contact}?subject={subject}"
