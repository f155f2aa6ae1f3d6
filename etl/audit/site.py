"""The audit of a site before it goes live: its pages and figures may show no more than the releases they stand for.

Called between building a site and putting it in place; the attacker is that of `shafaf audit`. A page that shows too much
stays where nobody reads it, and the site of the release before goes on being served. Cost: one reading of every page.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from etl.audit import pages
from etl.audit.evidence import Evidence, list_published, read_table
from etl.errors import PrivacyError
from etl.metadata import load_dictionary

_PLACES_TOLD = 3


def review_site(site: Path, *, releases: Path) -> None:
    """Read every page of a built site; PrivacyError naming the pages where one shows fewer than k cases.

    releases: the folder of the released folders. UncheckedError where one of them cannot be read.
    """
    published, specs = list_published(releases), load_dictionary().tables
    tables = {name: read_table(published[-1], specs[name]) for name in pages.LABELS}
    tables["margin"] = pa.concat_tables([read_table(release, specs["margin"]) for release in published])
    found = pages.attack_site(Evidence(published, tables, root=site.parent), site)
    if found.hit_count:
        places = sorted({hit.where.split(":")[0] for hit in found.findings})
        raise PrivacyError(
            "site-stopped",
            found=f"{found.hit_count} numbers of fewer than k cases on pages of the new site: {', '.join(places[:_PLACES_TOLD])}",
            expected="pages that show what the release shows",
            todo="The site before is as it was. Look for a number in a title of metadata.yml; without one, report it.",
        )
