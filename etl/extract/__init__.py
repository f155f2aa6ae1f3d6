"""Extraction: sources and mappings -> private staging batches (DESIGN §3). Keys are hashed in passing; no identity is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from etl.extract.manifest import DataFile, Manifest, batch_hashes, check_batches, newest_manifest, read_manifests
    from etl.extract.mapping import SourceMap
    from etl.extract.mapping_file import load_source, load_sources
    from etl.extract.quality import source_quality
    from etl.extract.report import ExtractReport, Indicator, Linkage
    from etl.extract.run import extract
    from etl.extract.screen import SourceCount
    from etl.extract.view import leave_out, open_staging, read_labels
    from etl.extract.vocabulary import Label

__all__ = [
    "DataFile",
    "ExtractReport",
    "Indicator",
    "Label",
    "Linkage",
    "Manifest",
    "SourceCount",
    "SourceMap",
    "batch_hashes",
    "check_batches",
    "extract",
    "leave_out",
    "load_source",
    "load_sources",
    "newest_manifest",
    "open_staging",
    "read_labels",
    "read_manifests",
    "source_quality",
]
__getattr__ = late(
    __name__,
    {
        "manifest": ("DataFile", "Manifest", "batch_hashes", "check_batches", "newest_manifest", "read_manifests"),
        "mapping": ("SourceMap",),
        "mapping_file": ("load_source", "load_sources"),
        "quality": ("source_quality",),
        "report": ("ExtractReport", "Indicator", "Linkage"),
        "run": ("extract",),
        "screen": ("SourceCount",),
        "view": ("leave_out", "open_staging", "read_labels"),
        "vocabulary": ("Label",),
    },
)
