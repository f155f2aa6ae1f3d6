"""The mapping of a source as frozen values (CONTRACT "source.toml", docs/reference/source-toml.md).

Where it stands: the operator's data -> `etl.extract.mapping_file`, which reads and checks it -> here -> converters and readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True)
class ColumnMap:
    """How one staging column is made: from source columns (with formats, a map, a coding rule), a constant, or an event.

    event: `first` or `last` in time, of the events of the case with `milestone` (of all where it is empty); gives dates.
    """

    column: str = ""
    columns: tuple[str, ...] = ()
    join: str = " "
    constant: str | None = None
    format: tuple[str, ...] = ()
    map: str = ""
    code: str = ""
    lang: str = ""
    separator: str = ""
    event: str = ""
    milestone: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The source columns it is made of; none for a constant or an event."""
        return self.columns or ((self.column,) if self.column else ())


@dataclass(frozen=True)
class DateEvent:
    """An event made of a date column of the case row."""

    activity: str
    column: str
    milestone: str = ""
    format: tuple[str, ...] = ()
    to_unit: str = ""
    map: str = ""


@dataclass(frozen=True)
class Secrecy:
    """How the secrecy class of a case is known; all that is not mapped to `normal` is secret."""

    column: str = ""
    map: str | Mapping[str, str] = ""  # the name of a [map.NAME], or the pairs themselves
    constant: str = ""
    why: str = ""


@dataclass(frozen=True)
class Link:
    """The source's own id of a case, and references that another source holds too (alternatives of columns).

    role: `desk` leads; any other source with `link_ref` is an automation.
    """

    case_ref: str
    role: str = ""
    link_ref: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Limits:
    """What a source may do before the run stops: shares of cases (0 to 1, growth more), bytes of its file."""

    quarantine_share: float = 0.01  # of its cases, and of its event rows
    shrink_share: float = 0.5  # fewer cases than in the last run
    growth_share: float = 0.5  # more cases than in the last run, looked at from `growth_from` cases on
    growth_from: int = 1_000
    line_bytes: int = 1 << 20
    unpacked_bytes: int = 64 << 30
    unpack_ratio: int = 200


@dataclass(frozen=True)
class LeaveOut:
    """Rows of a file that are no cases or events, such as totals: those whose `column` holds one of the values."""

    column: str = ""
    values: tuple[str, ...] = ()  # compared folded; `re:` begins a pattern


@dataclass(frozen=True)
class Changes:
    """How a database tells what changed in it: columns of `case.sql` and `event.sql`, compared by the database itself."""

    column: str = ""  # of case.sql: the last change of the case or of its events
    event_column: str = ""  # of event.sql, where its rows have one of their own
    order: str = ""  # of event.sql: a whole number that places the events of one case where times do not
    overlap: int = 1_000  # newest rows that are read once more
    full_days: int = 30  # days of snapshots between two whole reads


@dataclass(frozen=True)
class SourceMap:
    """`source.toml` whole, with the name and folder of its source and the instance's zone and calendar filled in."""

    name: str
    folder: Path
    kind: str
    secrecy: Secrecy
    case: Mapping[str, ColumnMap]
    link: Link
    url: str = ""
    path: str = ""
    shape: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: tuple[int, ...] = (1,)  # rows of a sheet that name its columns together
    zone: str = ""
    calendar: str = ""
    snapshot_on: date | None = None
    snapshot_query: str = ""
    missing: tuple[str, ...] = ()
    event: Mapping[str, ColumnMap] = field(default_factory=dict)
    date_events: tuple[DateEvent, ...] = ()
    map: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    milestone: Mapping[str, str] = field(default_factory=dict)
    leave_out: LeaveOut = field(default_factory=LeaveOut)
    limits: Limits = field(default_factory=Limits)
    changes: Changes = field(default_factory=Changes)

    @property
    def role(self) -> str:
        """What the source gives to a joined case: `desk`, `automation`, or nothing to join."""
        return self.link.role or ("automation" if self.link.link_ref else "")

    @property
    def secrecy_map(self) -> Mapping[str, str]:
        """Source value -> secrecy class."""
        pairs = self.secrecy.map
        return self.map.get(pairs, {}) if isinstance(pairs, str) else pairs


def is_workbook(source: SourceMap) -> bool:
    """Say whether the file of a source is a workbook, by its name."""
    return source.kind == "table" and source.path.lower().endswith(WORKBOOKS)
