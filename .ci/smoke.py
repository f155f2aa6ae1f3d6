"""Look at what two runs of the demo left, as a stranger would: SQL on the published file, no import of ours."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path


def look(work: Path) -> list[str]:
    """Give what is wrong, in words; empty where all is right."""
    wrong = []
    first = json.loads((work / "first.json").read_text(encoding="utf-8"))["report"]
    second = json.loads((work / "second.json").read_text(encoding="utf-8"))["report"]
    current = json.loads((work / "datasets" / "current.json").read_text(encoding="utf-8"))
    site = json.loads((work / "public" / "current.json").read_text(encoding="utf-8"))
    if len(first["releases"]) < 12:
        wrong.append(f"the first run released {len(first['releases'])} months")
    if second["releases"] or second["database"] or second["site"]:
        wrong.append("the second run wrote something new")
    if current["release_id"] != site["release_id"]:
        wrong.append("database and site stand at different releases")
    with sqlite3.connect(f"file:{work / 'datasets' / current['database']}?mode=ro", uri=True) as database:
        (smallest,) = database.execute("select min(case_count) from case_group where not is_floor").fetchone()
        (k,) = database.execute("select max(k) from release").fetchone()
    if smallest is None or smallest < k:
        wrong.append(f"the smallest group has {smallest} cases")
    wrong += [
        f"no page {page}"
        for page in ("fa/index.html", "en/index.html")
        if not (work / "public" / site["release_id"] / page).exists()
    ]
    return wrong


if __name__ == "__main__":
    found = look(Path(sys.argv[1]))
    print("\n".join(found) or "two runs look right", file=sys.stderr)
    sys.exit(bool(found))
