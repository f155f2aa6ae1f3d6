"""Table `quality` of one release: the rows that name it, checked against the dictionary, sorted and numbered."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from etl.errors import PrivacyError
from etl.load.numbering import ROWS_A_RELEASE
from etl.metadata import load_dictionary
from etl.model.quality import QualityRow

_ORDER = ("year_code", "body_id", "measure_code", "reason_code")


def quality_table(rows: Sequence[QualityRow], release_id: str, *, number: int) -> pa.Table:
    """Make table `quality` of the release; PrivacyError where a row has other columns than the dictionary names."""
    spec = load_dictionary().tables["quality"]
    wanted = set(spec.names) - {spec.key}
    mine = [dict(row) for row in rows if row["release_id"] == release_id]
    for row in mine:
        if set(row) != wanted:
            raise PrivacyError(
                "release-columns",
                found=f"columns of quality that the dictionary does not name: {', '.join(sorted(set(row) ^ wanted))}",
                expected="exactly the columns of etl/metadata/dictionary.yml",
                todo="Correct the stage that makes the relation; nothing else may be published.",
            )
    mine.sort(key=lambda row: tuple(str(row[name] or "") for name in _ORDER))
    numbered = [{**row, spec.key: number * ROWS_A_RELEASE + place} for place, row in enumerate(mine, 1)]
    return pa.Table.from_pylist(numbered, schema=spec.arrow)
