"""One batch of raw values into staging's types: codes, dates, keyed hashes; bad cells become quarantine rows.

Where it stands: between the reader and the working tables. Work is done once per distinct value of a batch, then spread
over its rows. What leaves here holds no source text but public names behind `code = "slug"`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from etl.calendars import year_month
from etl.extract.formats import make_reader
from etl.extract.keys import Hasher
from etl.extract.mapping import ColumnMap, SourceMap
from etl.extract.moments import MomentReader
from etl.extract.rows import Batch, Encoded
from etl.extract.spelling import MapRule, combine, join_columns, map_rule
from etl.extract.vocabulary import LIST_OF, SlugBook, Vocabulary, is_fit_name
from etl.model.text import fold

KEY = pa.uuid()  # the 16 bytes of a keyed hash
_KEYS = pa.list_(pa.string())
INSTANT = pa.timestamp("us", tz="UTC")
QUARANTINE = pa.schema(
    [
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("row_number", pa.int64()),
        ("column_name", pa.string()),
        ("reason", pa.string()),
    ]
)

_DATES = frozenset({"registered_on", "promised_on", "decided_on", "closed_on"})
_INSTANTS: Mapping[str, tuple[str, str]] = {
    "received_at": ("received_on", ""),
    "occurred_at": ("occurred_on", "time_precision_code"),
}


@dataclass(frozen=True)
class Bad:
    """A value that breaks the contract, as the reason for quarantine; never the value."""

    reason: str


@dataclass
class BadCells:
    """Quarantine rows of one table of one source while a batch is converted."""

    source: str
    table: str
    numbers: pa.Array
    rows: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, column: str, encoded: Encoded, bad: Mapping[int, str]) -> None:
        """Add a row for every cell of a column whose distinct value is bad (place -> reason)."""
        if not bad:
            return
        for number, place in zip(self.numbers.to_pylist(), encoded.places.to_pylist(), strict=True):
            if place in bad:
                self.rows.append(number)
                self.columns.append(column)
                self.reasons.append(bad[place])

    def table_rows(self) -> pa.Table:
        """Give the rows in the shape QUARANTINE."""
        count = len(self.rows)
        return pa.table(
            [[self.source] * count, [self.table] * count, self.rows, self.columns, self.reasons], schema=QUARANTINE
        )


class Converter:
    """Turns the mapped columns of one source into typed arrays; remembers the names behind slugs."""

    def __init__(self, source: SourceMap, vocabulary: Vocabulary, *, hasher: Hasher, slugs: SlugBook) -> None:
        """Prepare maps and missing values; `slugs` is shared by all sources of a run."""
        self.source = source
        self._vocabulary = vocabulary
        self._hasher = hasher
        self._slugs = slugs
        self._missing = {"", *(text.strip() for text in source.missing)}
        self._maps = {name: map_rule(pairs) for name, pairs in source.map.items()}
        self._memo: dict[str, dict[Any, Any]] = {}
        self._moments: dict[tuple[str, tuple[str, ...]], MomentReader] = {}

    def is_missing(self, value: object) -> bool:
        """Say whether a source value means "nothing recorded"."""
        return value is None or str(value).strip() in self._missing

    def columns(self, mapped: Mapping[str, ColumnMap], batch: Batch, bad: BadCells) -> dict[str, pa.Array]:
        """Convert every mapped column; instants give their civil date (and precision) as columns of their own."""
        made: dict[str, pa.Array] = {}
        for name, how in mapped.items():
            if how.constant is not None:
                made[name] = pa.repeat(pa.scalar(how.constant, pa.string()), batch.size)
            elif name != "requester_key" and not how.event:
                made.update(self._column(name, how, self.encoded(how, batch), bad))
        return made

    def encoded(self, how: ColumnMap, batch: Batch) -> Encoded:
        """Give the source column that is mapped, or the several ones joined."""
        if not how.columns:
            return batch.columns[how.column]
        return join_columns([batch.columns[name] for name in how.columns], how.join, self.is_missing)

    def moments(self, name: str, formats: Sequence[str], encoded: Encoded, bad: BadCells) -> dict[str, pa.Array]:
        """Convert a column of dates into its instant, civil date and precision (`at`, `on`, `precision`)."""
        place = (name, tuple(formats))
        if place not in self._moments:
            read = make_reader(formats, calendar=self.source.calendar, zone=self.source.zone)
            self._moments[place] = MomentReader(read, self._missing)
        found = self._moments[place].read_all(encoded.values)
        bad.add(name, encoded, dict.fromkeys(found.bad, "impossible_date"))
        return {
            "at": found.at.take(encoded.places).cast(INSTANT),
            "on": found.on.take(encoded.places).cast(pa.date32()),
            "precision": found.precision.take(encoded.places),
        }

    def case_keys(self, encoded: Encoded) -> pa.ExtensionArray:
        """Hash the source's own ids of cases; NULL where there is none."""
        keys = [None if text is None else self._hasher.case_key(text) for text in self._texts(encoded.values)]
        return pa.ExtensionArray.from_storage(KEY, encoded.take(keys, KEY.storage_type))

    def requester_keys(self, encoded: Encoded, days: pa.Array, system: str) -> pa.Array:
        """Hash ids of persons with the calendar year of the case's first day."""
        folded = [None if text is None else fold(text) for text in self._texts(encoded.values)]
        day = days.dictionary_encode()
        years = [year_month(system, first)[0] for first in day.dictionary.to_pylist()]
        combined = combine([Encoded(folded, encoded.places), Encoded(years, day.indices)])
        keys = [
            None if text is None or year is None else self._hasher.requester_key(text, year)
            for text, year in combined.values
        ]
        return combined.take(keys, pa.string())

    def link_keys(self, batch: Batch) -> pa.Array:
        """Hash every reference of a row whose columns are all recorded: a list a row."""
        found = [self._references([batch.columns[name] for name in names]) for names in self.source.link.link_ref]
        if not found:
            return pa.array([[]] * batch.size, _KEYS)
        places = np.arange(batch.size * len(found)).reshape(len(found), batch.size)
        keys = pa.concat_arrays(found).take(pa.array(places.T.ravel()))  # row by row
        is_known = keys.is_valid().to_numpy(zero_copy_only=False).reshape(batch.size, len(found))
        ends = np.concatenate([[0], is_known.sum(axis=1).cumsum()])
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), keys.drop_null(), type=_KEYS)

    def _references(self, parts: Sequence[Encoded]) -> pa.Array:
        """Hash one reference, row by row; NULL where one of its columns is not recorded."""
        folded = [
            Encoded([None if text is None else fold(text) for text in self._texts(part.values)], part.places)
            for part in parts
        ]
        combined = combine(folded)
        keys = [None if None in texts else self._hasher.link_key(texts) for texts in combined.values]
        return combined.take(keys, pa.string())

    def _texts(self, values: Sequence[object]) -> list[str | None]:
        """Write values as texts; None where they mean "nothing recorded"."""
        missing = self._missing
        texts = [str(value).strip() for value in values]
        return [None if text in missing else text for text in texts]

    def is_secret(self, batch: Batch) -> pa.Array:
        """Say for every row whether its case is above the normal class; a missing or unknown class is."""
        secrecy = self.source.secrecy
        if not secrecy.column:
            return pa.repeat(pa.scalar(False), batch.size)
        normal = {fold(value) for value, code in self.source.secrecy_map.items() if code == "normal"}
        encoded = batch.columns[secrecy.column]
        secret = [self.is_missing(value) or fold(_text(value)) not in normal for value in encoded.values]
        return encoded.take(secret, pa.bool_()).fill_null(True)

    def orders(self, encoded: Encoded, bad: BadCells) -> pa.Array:
        """Convert the column that places the events of a case; what is no whole number is a bad cell."""
        return encoded.take(
            self._distinct("order", encoded, _order, self.source.changes.order, bad), pa.int64()
        ).fill_null(0)

    def units(self, name: str, how: ColumnMap, encoded: Encoded, bad: BadCells) -> pa.Array:
        """Convert a column of units for an event made of a date column."""
        return encoded.take(self._distinct(f"unit:{name}", encoded, self._code("unit", how), name, bad), pa.string())

    def _column(self, name: str, how: ColumnMap, encoded: Encoded, bad: BadCells) -> dict[str, pa.Array]:
        if name in _DATES:
            return {name: self.moments(name, how.format, encoded, bad)["on"]}
        if name in _INSTANTS:
            moments = self.moments(name, how.format, encoded, bad)
            on, precision = _INSTANTS[name]
            extra = {precision: moments["precision"]} if precision else {}
            return {name: moments["at"], on: moments["on"], **extra}
        if name == "parent_case_key":
            return {name: self.case_keys(encoded)}
        if name == "is_notified_each":
            rule = self._maps.get(how.map)
            flags = self._distinct(name, encoded, lambda value: _flag(rule, value), name, bad)
            return {name: encoded.take(flags, pa.bool_())}
        if name == "score":
            return {name: encoded.take(self._distinct(name, encoded, _score, name, bad), pa.int8())}
        convert = self._code(LIST_OF[name], how)
        if name == "exemption_code" and how.separator:
            convert = self._several(convert, how.separator)
        return {name: encoded.take(self._distinct(name, encoded, convert, name, bad), pa.string())}

    def _distinct(
        self, memo: str, encoded: Encoded, convert: Callable[[object], Any], column: str, bad: BadCells
    ) -> list[Any]:
        """Convert each distinct value once; bad ones become None and quarantine rows."""
        known = self._memo.setdefault(memo, {})
        if len(known) > 100_000:
            known.clear()
        made: list[Any] = []
        reasons: dict[int, str] = {}
        for place, value in enumerate(encoded.values):
            if value not in known:
                known[value] = None if self.is_missing(value) else convert(value)
            found = known[value]
            if isinstance(found, Bad):
                reasons[place] = found.reason
                found = None
            made.append(found)
        bad.add(column, encoded, reasons)
        return made

    def _code(self, list_code: str, how: ColumnMap) -> Callable[[object], str | Bad]:
        if how.code == "slug":
            slugs = self._slugs.of(list_code, how.lang)
            return lambda value: slugs.token(_text(value)) if is_fit_name(_text(value)) else Bad("unfit_name")
        rule = self._maps.get(how.map)

        def convert(value: object) -> str | Bad:
            text = fold(_text(value))
            code = text if rule is None else rule(text)
            return code if code and self._vocabulary.knows(list_code, code) else Bad("unknown_code")

        return convert

    def _several(self, convert: Callable[[object], str | Bad], separator: str) -> Callable[[object], str | Bad]:
        def convert_all(value: object) -> str | Bad:
            found = [convert(part.strip()) for part in _text(value).split(separator) if not self.is_missing(part)]
            codes = [code for code in found if isinstance(code, str)]
            return "|".join(sorted(set(codes))) if len(codes) == len(found) else Bad("unknown_code")

        return convert_all


def _flag(rule: MapRule | None, value: object) -> bool | Bad:
    text = fold(_text(value))
    found = {"true": True, "false": False}.get((rule(text) if rule else None) or text)
    return Bad("unknown_code") if found is None else found


def _score(value: object) -> int | Bad:
    try:
        number = int(fold(_text(value)))
    except ValueError:
        return Bad("bad_number")
    return number if -128 <= number <= 127 else Bad("bad_number")


def _order(value: object) -> int | Bad:
    try:
        number = int(fold(_text(value)))
    except ValueError:
        return Bad("bad_number")
    return number if 0 <= number < 1 << 48 else Bad("bad_number")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value)
