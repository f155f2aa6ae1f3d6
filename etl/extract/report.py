"""What an extraction did, in cases: for people, for `--json`, for the manifest. Holds counts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from etl.extract.link import Joined
from etl.extract.screen import SourceCount


@dataclass(frozen=True)
class Indicator:
    """A share as its two counts; `median_days` where the indicator is a time (calendar days)."""

    count: int
    of: int
    median_days: int | None = None


@dataclass(frozen=True)
class Linkage:
    """Indicators of the join of desk and automation, and what the join could not settle.

    I1 desk requests followed through the automation · I2 days from desk receipt to registration · I3 with a promised date ·
    I4 notified at every milestone.
    """

    joined: Joined
    i1: Indicator
    i2: Indicator
    i3: Indicator
    i4: Indicator


@dataclass(frozen=True)
class ExtractReport:
    """read = staged + unchanged + quarantined, in cases after joining; classified letters are one band, outside of it."""

    read: int
    staged: int
    unchanged: int
    quarantined: int
    deleted: int
    batch_id: int | None  # None: nothing new, nothing written (or a dry run)
    snapshot_at: datetime
    linkage: Linkage
    by_source: Mapping[str, SourceCount] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)  # quarantined cells by reason
    classified_band: str = "0"
    derived_events: int = 0
    events: int = 0  # events of the cases that were staged
    left_out: int = 0  # rows of files that are none by [leave_out]
    is_window: bool = False  # only what changed was read; counts are of all there is all the same


def band_of(count: int) -> str:
    """Give the band in which a count of classified letters is shown.

    >>> [band_of(n) for n in (0, 4, 10, 250, 4000)]
    ['0', '1-9', '10-99', '100-999', '1000+']
    """
    for edge, band in ((0, "0"), (9, "1-9"), (99, "10-99"), (999, "100-999")):
        if count <= edge:
            return band
    return "1000+"
