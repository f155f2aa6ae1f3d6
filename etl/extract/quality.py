"""What extraction left out, as rows of the published table `quality`: orders of magnitude, for the instance as a whole.

Where it stands: after extraction, beside the release; reads the newest manifest only. Counts are of what stands in the
sources at that time, so a row says nothing of one body, month or case.
"""

from __future__ import annotations

from etl.extract.manifest import Manifest
from etl.metadata import shipped_codes
from etl.model.quality import QualityRow, count_band

QUARANTINED = "quarantined"
CLASSIFIED = "classified"
REASON_PREFIX = "reason_"
OTHER = "other"


def source_quality(manifest: Manifest, *, release_id: str, year_code: str, k: int) -> list[QualityRow]:
    """Write what the newest extraction set aside: cases, broken cells by reason, letters dropped as classified."""
    counts = manifest.counts
    classified = sum(source.get(CLASSIFIED, 0) for source in manifest.sources.values())
    found: list[tuple[str, str | None, str, int]] = [
        (QUARANTINED, None, "case", counts.get(QUARANTINED, 0)),
        (CLASSIFIED, None, "case", classified),
    ]
    found += [("broken_cells", reason, "cell", count) for reason, count in sorted(_by_reason(manifest).items())]
    named: dict[str, str | int | None] = {"release_id": release_id, "year_code": year_code, "body_id": None}
    rows: list[QualityRow] = []
    for measure, reason, unit, count in found:
        low, high = count_band(count, k)
        rows.append(
            {**named, "measure_code": measure, "reason_code": reason}
            | {"unit_code": unit, "at_least": low, "at_most": high}
        )
    return rows


def _by_reason(manifest: Manifest) -> dict[str, int]:
    """Sum broken cells by published reason; one that has no label yet is counted as other."""
    known = shipped_codes()["quarantine_reason"]
    sums: dict[str, int] = {}
    for name, count in manifest.counts.items():
        if name.startswith(REASON_PREFIX):
            reason = name.removeprefix(REASON_PREFIX)
            reason = reason if reason in known else OTHER
            sums[reason] = sums.get(reason, 0) + count
    return sums
