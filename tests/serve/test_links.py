"""Every link of every page that the site builds leads somewhere on the server that serves it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

LINK = re.compile(r'(?:href|src|action)="([^"]+)"')


def links_of(site: Path) -> dict[str, str]:
    """Collect the addresses that the pages of a built site point to, each with a page that has it."""
    found = {}
    for page in sorted(site.rglob("*.html")):
        here = f"/{page.relative_to(site)}"
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            address = urlsplit(urljoin(here, html.unescape(link)))
            if address.scheme != "data":
                found.setdefault(address._replace(fragment="").geturl(), here)
    return found


def test_every_link_of_the_site_leads_somewhere(loaded):
    """Pages, named queries with their values, tables, downloads and styles; and none leads off the site."""
    links = links_of(loaded.instance.public / "1403-03")
    assert len(links) > 50
    broken = {link: page for link, page in links.items() if loaded.client.get(link).status_code != 200}
    assert broken == {}
    assert all(link.startswith("/") for link in links)


def test_every_download_is_the_file_that_the_manifest_lists(loaded):
    """Byte for byte, and nothing else of the folder."""
    release = loaded.instance.releases / "1403-03"
    for file in sorted(release.iterdir()):
        answer = loaded.client.get(f"/datasets/releases/1403-03/{file.name}")
        assert (answer.status_code, answer.content) == (200, file.read_bytes()), file.name
