"""Times: an order statistic must have company, or it is one case's value (DESIGN §4 "A group").

From the published band of timed cases and the group's size an outsider knows how many cases stand behind a figure. Rank r
of n is anyone's but the owner's only if at least four lie on each side, so a quartile of a group that is too small for it,
or a figure without a band of at least k, gives a single person's time away. So does a figure of a larger selection that
differs from what is known inside it by a few cases (`etl.audit.nested`).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.evidence import GROUPS, Evidence
from etl.audit.finding import Attack, Tally
from etl.audit.nested import bound_nested, fewest
from etl.audit.selections import key_text
from etl.metadata import load_dictionary, shipped_codes

NAME = "times"
BAND = "timed_band_code"
EDGES = sorted(int(code) for code in shipped_codes()["timed_band"])
PERCENTS = {"p25": 25, "median": 50, "p75": 75, "p90": 90}


def attack(evidence: Evidence, *, seed: int, attempts: int) -> Attack:
    """Look at every published time; nothing is drawn."""
    tally = Tally(NAME)
    sizes = _sizes(evidence)
    for name, table in evidence.tables.items():
        figures = [c for c in table.column_names if c.endswith("_days") and _percent(c) and BAND in table.column_names]
        if figures:
            _look_at(name, table, figures, sizes, evidence, tally)
    bound_nested(evidence, tally)
    return tally.done()


def _look_at(
    name: str, table: pa.Table, figures: list[str], sizes: dict[int, int], evidence: Evidence, tally: Tally
) -> None:
    key = load_dictionary().tables[name].key if name in load_dictionary().tables else table.column_names[0]
    needed = {figure: fewest(_percent(figure)) for figure in figures}
    read = {key, BAND, "case_count", "scope_count", "case_group_id", *figures}
    timed = table.filter(pc.is_valid(table[BAND])).select([name for name in table.column_names if name in read])
    for row in timed.to_pylist():
        band = int(row[BAND])
        size = row.get("case_count") or row.get("scope_count") or sizes.get(row.get("case_group_id"), 10**9)
        above = next((edge for edge in EDGES if edge > band), 10**9)  # the lowest band, from k, ends at the next edge
        most = min(size, above - 1)
        for figure in figures:
            if row[figure] is None:
                continue
            tally.tried()
            if band < evidence.k or most < needed[figure]:
                tally.hit("lonely_time", tables=(name,), where=f"{key_text({key: row[key]})} ({figure})")
    for figure in figures:
        for row in table.filter(pc.and_(pc.is_null(table[BAND]), pc.is_valid(table[figure]))).to_pylist():
            tally.tried()
            tally.hit("lonely_time", tables=(name,), where=f"{key_text({key: row[key]})} ({figure})")


def _percent(figure: str) -> int:
    return next((percent for name, percent in PERCENTS.items() if f"_{name}_" in figure), 0)


def _sizes(evidence: Evidence) -> dict[int, int]:
    group = evidence.table(GROUPS)
    return dict(zip(group["case_group_id"].to_pylist(), group["case_count"].to_pylist(), strict=True))
