"""One run that keeps its rows: whether it may read only what changed, what completes it, and what it leaves for the next.

Where it stands: called by the run at four places: before reading, after loading, after the last table, when writing. A run
keeps nothing where a source has no `[changes]`, or where only some sources are read: then all is as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from etl.extract.changes import Window, pack_marks
from etl.extract.kept import NAMELESS, WHOLE_AT, fingerprint, keep_rows, make_windows, open_kept, take_affected
from etl.extract.manifest import DataFile, Manifest
from etl.extract.mapping import SourceMap
from etl.extract.reading import Reading
from etl.extract.screen import EventCount
from etl.extract.standing import (
    Totals,
    count_standing,
    describe_kept,
    make_state,
    note_nodes,
    use_standing,
    write_state,
)
from etl.instance import Instance

_NAMELESS = """
select source, count(*) from (
  select source from case_raw where case_key is null union all select source from event_raw where case_key is null)
group by source
"""


@dataclass(frozen=True)
class Left:
    """What a run leaves in its manifest for the next one."""

    files: tuple[DataFile, ...] = ()
    reading: str = ""
    marks: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class Keeping:
    """The kept rows of one run; `is_on` where it keeps any, `is_window` where it read only what changed."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        instance: Instance,
        folder: Path,
        *,
        sources: Sequence[SourceMap],
        newest: Manifest | None,
        is_partial: bool,
    ) -> None:
        """Remember the run: its connection, the folder of its files, its sources and the manifest before it."""
        self._con, self._staging, self._folder, self._newest = con, instance.staging, folder, newest
        self._sources = sources
        self.is_on = not is_partial and all(source.changes.column for source in sources)
        self._reading = fingerprint(instance, sources, instance.secret()) if self.is_on else ""
        self._nameless: dict[str, int] = {}
        self.is_window = False

    def windows(self) -> dict[str, Window]:
        """Give for every source from where on it is to be read; none where the run has to be whole."""
        if self._newest is None or not self.is_on:
            return {}
        if not open_kept(self._con, self._staging, self._newest, sources=self._sources, reading=self._reading):
            return {}
        return make_windows(self._con, self._newest, self._sources, folder=self._folder)

    def complete(self, readings: Mapping[str, Reading]) -> None:
        """Complete the working tables with kept rows where the sources were read over changes; number what is there."""
        if not self.is_on:
            return
        gone = [reading.gone for reading in readings.values() if reading.gone is not None]
        self.is_window = len(gone) == len(readings)
        if self.is_window and self._newest is not None:
            take_affected(self._con, self._staging, self._newest, gone=gone)
        self._nameless = dict(self._con.execute(_NAMELESS).fetchall())
        note_nodes(self._con)

    def note_state(self, batch_id: int) -> None:
        """Note what became of every key of this run."""
        if self.is_on:
            make_state(self._con, batch_id=batch_id, is_window=self.is_window)

    def totals(self) -> tuple[Totals, dict[str, EventCount]]:
        """Count over all keys what a whole run counts in its working tables."""
        if self._newest is not None:
            use_standing(self._con, self._staging, self._newest)
        return count_standing(self._con, [source.name for source in self._sources])

    def write(self, readings: Mapping[str, Reading], *, batch_id: int) -> Left:
        """Put the rows and states of this run beside its batch; they count when its manifest is in place."""
        if not self.is_on:
            return Left()
        paths = [*keep_rows(self._staging, self._folder, self._sources, batch_id=batch_id)]
        paths += write_state(self._con, self._staging, batch_id=batch_id)
        files = describe_kept(self._con, self._staging, paths, batch_id=batch_id)
        before = self._newest if self.is_window else None
        return Left(
            files=(*(before.kept if before else ()), *files),
            reading=self._reading,
            marks={name: pack_marks(reading.marks, name) for name, reading in readings.items() if reading.marks},
            sources={
                name: {
                    WHOLE_AT: before.sources[name][WHOLE_AT] if before else int(reading.snapshot_at.timestamp()),
                    NAMELESS: self._nameless.get(name, 0),
                }
                for name, reading in readings.items()
            },
        )
