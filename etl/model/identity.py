"""Stock and flow across populations: which hidden numbers anybody can derive, cell by cell (DESIGN §4 law 2, §6 gates).

Open cases before + registered + reopened − finished − withdrawn = open cases after: it holds for a body and case type, and
for whatever of a case two populations both show: its service, the families above it, its channel, and these together; from
every month end to every later one. Each of the six numbers is partly shown by these (cohorts, finished groups, the open
groups of a year's end) and partly hidden; the margins say how much. What is not shown widens, as far as it can be of the
value: a row of another service cannot. The hidden part of one number lies between what all the others allow. Where both
ends are within 1 … k − 1, fewer than k cases are isolated, though each population by itself is safe. Monthly counts go on
where nothing more is shown, and whoever is open now ends in any of them: that is looked at ahead. Pure counting, for all
windows of a body and type at once; it is used before a release is made and before one leaves. Lateness is left out: it is
the body's, and margins show it at any size (DESIGN §4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FINISHED, COHORT, STOCK = "case_group", "cohort_group", "open_group"
POPULATIONS = (FINISHED, COHORT, STOCK)
CAME = ("registered_count", "late_registered_count")
WENT = ("finished_count", "late_finished_count")
FLOWS = (*CAME, *WENT, "reopened_count", "withdrawn_count", "open_count")
Kind = tuple[str, str]  # body, case type
Numbers = npt.NDArray[np.int64]  # a line for the first month of a window, a column for its last
Mask = npt.NDArray[np.bool_]


class Value(NamedTuple):
    """What is known of a case: the way to its service from the root of the tree (empty: not known), and its channel."""

    service: tuple[str, ...]
    channel: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], ways: Mapping[str, tuple[str, ...]]) -> Value:
        """Read what a row of a population shows; ways: service -> the way to it from its root."""
        service = row["service_id"]
        return cls(() if service is None else ways.get(service, (service,)), row.get("channel_code"))

    def coarser(self) -> Iterator[Value]:
        """Give all that follows from it, itself included, and not the value that says nothing.

        >>> [tuple(each) for each in Value(("permits", "build"), "web").coarser()][:2]
        [((), 'web'), (('permits',), None)]
        """
        for depth in range(len(self.service) + 1):
            for channel in dict.fromkeys((None, self.channel)):
                if depth or channel is not None:
                    yield Value(self.service[:depth], channel)

    def tells(self, other: Value) -> bool:
        """Say whether it is that other value, or a finer one of it."""
        is_below = self.service[: len(other.service)] == other.service
        return is_below and other.channel in (None, self.channel)

    def bars(self, other: Value) -> bool:
        """Say whether a case cannot have both.

        >>> Value(("permits",)).bars(Value(("permits", "build"), "web")), Value(("tax",)).bars(Value(("permits",)))
        (False, True)
        """
        shared = min(len(self.service), len(other.service))
        is_other = self.service[:shared] != other.service[:shared]
        return is_other or (None not in (self.channel, other.channel) and self.channel != other.channel)


class Cell(NamedTuple):
    """Cases that a released population shows with a value."""

    population: str
    body_id: str
    case_type_code: str
    period_code: str
    release_id: str
    value: Value
    case_count: int


class Narrow(NamedTuple):
    """A hidden number that must lie within 1 … k − 1: of which body, type and value, at the end of which month."""

    body_id: str
    case_type_code: str
    month_code: str
    value: Value


@dataclass(frozen=True)
class Term:
    """One number of the identity in every window: its sign, the cases shown by value, and how many show none."""

    sign: int
    shown: Mapping[Value, Numbers]
    hidden: Numbers


def narrow_values(terms: Sequence[Term], *, k: int) -> dict[Value, Mask]:
    """Say for each value in which windows some term hides a number that the others hold within 1 … k − 1.

    Where no row of a window shows another value, all that is hidden can be of this one, and the margins say that much.

    >>> def one(*counts): return (np.array([[count]]) for count in counts)
    >>> forty, twenty, thirty_six, three, none, seven, twelve = one(40, 20, 36, 3, 0, 7, 12)
    >>> permits, tax = Value(("permits",)), Value(("tax",))
    >>> came = Term(1, {permits: forty, tax: twenty}, three)
    >>> went = Term(-1, {permits: thirty_six, tax: twenty}, none)
    >>> found = narrow_values([came, went, Term(-1, {}, seven)], k=10)  # four to seven of the open cases are permits
    >>> bool(found[permits]), bool(found[tax])
    (True, False)
    >>> bool(narrow_values([came, went, Term(-1, {}, seven), Term(1, {}, twelve), Term(-1, {}, twelve)], k=10)[permits])
    False
    """
    signs = [term.sign for term in terms]
    return {value: _is_narrow(signs, *counts, k=k) & is_beside for value, *counts, is_beside in _parts(terms)}


def narrow_later(terms: Sequence[Term], *, k: int) -> dict[Value, Mask]:
    """Say for each value and first month whether monthly counts to come can isolate fewer than k cases, if no more is shown.

    terms: the six of `Books.terms`. Whoever is open after the last month ends in some later one, finished or withdrawn, and
    the counts say how many did: each of the three can then be any part of their sum. Who comes anew only widens.

    >>> def one(*counts): return (np.array([[count]]) for count in counts)
    >>> eighty, forty, seventy_eight, twenty_two, ten, none = one(80, 40, 78, 22, 10, 0)
    >>> permits, tax = Value(("permits",)), Value(("tax",))
    >>> before, nobody = Term(1, {permits: eighty, tax: forty}, none), Term(1, {}, none)
    >>> went, left, open_ = Term(-1, {permits: seventy_eight, tax: twenty_two}, ten), Term(-1, {}, none), Term(-1, {}, ten)
    >>> terms = [before, nobody, nobody, went, left, open_]  # two permits are among ten finished cases and ten open ones
    >>> bool(narrow_values(terms, k=10)[permits]), bool(narrow_later(terms, k=10)[permits])
    (False, True)
    """
    *flows, after = (Term(t.sign, {v: n[:, -1] for v, n in t.shown.items()}, t.hidden[:, -1]) for t in terms)
    open_count = after.hidden + sum(after.shown.values(), np.zeros_like(after.hidden))
    ahead = [*flows, Term(after.sign, {}, open_count)]
    signs = [term.sign for term in ahead]
    return {value: _can_be_narrow(signs, *counts, k=k) & is_beside for value, *counts, is_beside in _parts(ahead)}


def _parts(terms: Sequence[Term]) -> Iterator[tuple[Value, list[Numbers], list[Numbers], Mask]]:
    """Give each value, how many each term shows of it, how many others may be of it, and where another value is shown."""
    cells = sorted({value for term in terms for value in term.shown}, key=repr)
    none = np.zeros_like(terms[0].hidden)
    rows = [np.stack([term.shown.get(cell, none) for cell in cells]) if cells else none[None] for term in terms]
    whole = [term.hidden + part.sum(axis=0) for term, part in zip(terms, rows, strict=True)]
    for value in sorted({part for cell in cells for part in cell.coarser()}, key=repr):
        is_own = [cell.tells(value) for cell in cells]
        is_other = [cell.bars(value) for cell in cells]
        own = [part[is_own].sum(axis=0) for part in rows]
        other = [part[is_other].sum(axis=0) for part in rows]
        hidden = [all_ - mine - barred for all_, mine, barred in zip(whole, own, other, strict=True)]
        yield value, own, hidden, sum(other, none) > 0


def _is_narrow(signs: Sequence[int], own: Sequence[Numbers], hidden: Sequence[Numbers], *, k: int) -> Mask:
    none = np.zeros_like(own[0])
    plus = sum((part for sign, part in zip(signs, hidden, strict=True) if sign > 0), none)
    minus = sum((part for sign, part in zip(signs, hidden, strict=True) if sign < 0), none)
    shown = sum((sign * part for sign, part in zip(signs, own, strict=True)), none)
    is_narrow: Mask = np.zeros(none.shape, dtype=bool)
    for sign, part in zip(signs, hidden, strict=True):
        # the hidden part of this term makes up for what is shown and for what the others may hide
        if sign > 0:
            low, high = -shown - (plus - part), -shown + minus
        else:
            low, high = shown - (minus - part), shown + plus
        most = np.minimum(high, part)
        is_narrow |= (low > 0) & (low <= most) & (most < k)
    return is_narrow


def _can_be_narrow(signs: Sequence[int], own: Sequence[Numbers], hidden: Sequence[Numbers], *, k: int) -> Mask:
    none = np.zeros_like(own[0])
    least = sum((sign * part for sign, part in zip(signs, own, strict=True)), none)  # of the value, surely gone or open
    most = least + sum((part for sign, part in zip(signs, hidden, strict=True) if sign > 0), none)
    *gone, open_count = (part for sign, part in zip(signs, hidden, strict=True) if sign < 0)
    rest = sum(gone, open_count)
    can_be: Mask = np.zeros(none.shape, dtype=bool)
    for low, high in (*((part, part + open_count) for part in gone), (none, open_count)):
        fewest = np.maximum(low, rest - least + 1)  # so many cannot all be others
        can_be |= (fewest <= high) & (np.minimum(fewest, most) < k)
    return can_be & (least > 0)


@dataclass
class Books:
    """What all releases so far say: margins by kind and month, cells by kind."""

    months: dict[Kind, dict[str, dict[str, int]]] = field(default_factory=lambda: defaultdict(dict))
    cells: dict[Kind, list[Cell]] = field(default_factory=lambda: defaultdict(list))

    def add(self, margins: Iterable[Mapping[str, Any]], cells: Iterable[Cell]) -> None:
        """Add margins (rows of table `margin`) and cells."""
        for row in margins:
            kind = (row["body_id"], row["case_type_code"])
            self.months[kind][row["month_code"]] = {name: row[name] for name in FLOWS}
        for cell in cells:
            self.cells[cell.body_id, cell.case_type_code].append(cell)

    def with_cells(self, cells: Iterable[Cell]) -> Books:
        """Give the same books with more cells, for a look ahead."""
        ahead: dict[Kind, list[Cell]] = defaultdict(list, {kind: list(own) for kind, own in self.cells.items()})
        books = Books(self.months, ahead)
        books.add((), cells)
        return books

    def narrow(self, release_id: str, *, k: int, ahead: bool = False) -> list[Narrow]:
        """List what the cells of one release, with all before it, let anybody derive.

        ahead: list also what the counts of later months can let anybody derive, if nothing more is shown, under the month
        of the release. Looked at are the windows that hold a cell of the release, from the second month of `first_year` on:
        what came before them a run knows in part only. The cohort of a whole year lies in them. A window is named by its
        last month.
        """
        found: set[Narrow] = set()
        for kind, cells in self.cells.items():
            new = [span_of(cell) for cell in cells if cell.release_id == release_id]
            months = self._months(kind, release_id) if new else []
            at = {month: place for place, month in enumerate(months)}
            touched = np.zeros((len(months), len(months)), dtype=bool)
            for first, last in new:
                if last in at:
                    touched[: at.get(first, -1) + 1, at[last] :] = True
            if not touched.any():
                continue
            terms = self.terms(kind, months)
            for value, is_narrow in narrow_values(terms, k=k).items():
                ends = np.flatnonzero((is_narrow & touched).any(axis=0))
                found |= {Narrow(*kind, months[end], value) for end in ends}
            later = narrow_later(terms, k=k) if ahead else {}
            found |= {Narrow(*kind, months[-1], v) for v, can_be in later.items() if (can_be & touched[:, -1]).any()}
        return sorted(found, key=repr)

    def terms(self, kind: Kind, months: Sequence[str]) -> list[Term]:
        """Give the six numbers of the identity in every window of consecutive months."""
        rows = [self.months[kind][month] for month in months]
        shown = self._shown(kind, months)
        after = np.array([row["open_count"] for row in rows], dtype=np.int64)
        came, went = _volume(rows, *CAME), _volume(rows, *WENT)
        reopened, withdrawn = _volume(rows, "reopened_count"), _volume(rows, "withdrawn_count")
        before = after - np.diag(came) - np.diag(reopened) + np.diag(went) + np.diag(withdrawn)
        wide = np.ones_like(came)
        return [
            _term(1, shown["before"], before[:, None] * wide),
            _term(1, shown[COHORT], came),
            Term(1, {}, reopened),
            _term(-1, shown[FINISHED], went),
            Term(-1, {}, withdrawn),
            _term(-1, shown["after"], after[None, :] * wide),
        ]

    def _months(self, kind: Kind, release_id: str) -> list[str]:
        first = f"{first_year(release_id):04}-02"
        return sorted(month for month in self.months[kind] if first <= month <= release_id)

    def _shown(self, kind: Kind, months: Sequence[str]) -> dict[str, dict[Value, Numbers]]:
        """Sum the shown cases of each value, of a flow where they surely lie in a window, of a stock at its ends."""
        at, size = {month: place for place, month in enumerate(months)}, len(months)
        shown: dict[str, dict[Value, Numbers]] = {name: {} for name in ("before", COHORT, FINISHED, "after")}

        def of(name: str, value: Value) -> Numbers:
            return shown[name].setdefault(value, np.zeros((size, size), dtype=np.int64))

        for cell in self.cells[kind]:
            first, last = span_of(cell)
            if last not in at:
                continue
            if cell.population == STOCK:
                of("after", cell.value)[:, at[last]] += cell.case_count
                if at[last] + 1 < size:
                    of("before", cell.value)[at[last] + 1] += cell.case_count
            elif first in at:
                of(cell.population, cell.value)[at[first], at[last]] += cell.case_count
        for flow in (COHORT, FINISHED):  # a window holds all cells that begin and end in it
            shown[flow] = {v: np.cumsum(np.cumsum(n[::-1], axis=0)[::-1], axis=1) for v, n in shown[flow].items()}
        return shown


def first_year(month: str) -> int:
    """Give the first year whose releases count with a release: two years before, as a year's cohort comes with the next."""
    return int(month[:4]) - 2


def span_of(cell: Cell) -> tuple[str, str]:
    """Give the first and the last month in which the cases of a cell can count.

    >>> span_of(Cell("case_group", "alef", "service", "1403-05", "1403-08", Value(("permits",)), 12))  # three months late
    ('1403-05', '1403-08')
    >>> span_of(Cell("cohort_group", "alef", "service", "1403-S2", "1403-08", Value(("permits",)), 12))
    ('1403-04', '1403-06')
    >>> span_of(Cell("open_group", "alef", "service", "1403", "1403-12", Value(("permits",)), 12))
    ('1403-12', '1403-12')
    """
    if cell.population == STOCK:
        return cell.release_id, cell.release_id
    first, last = month_span(cell.period_code)
    return first, max(last, cell.release_id) if cell.population == FINISHED else last


def month_span(period: str) -> tuple[str, str]:
    """Give the first and the last month of a period.

    >>> month_span("1403-05"), month_span("1403-S2"), month_span("1403")
    (('1403-05', '1403-05'), ('1403-04', '1403-06'), ('1403-01', '1403-12'))
    """
    if "-S" in period:
        last = int(period[-1]) * 3
        return f"{period[:4]}-{last - 2:02}", f"{period[:4]}-{last:02}"
    return (period, period) if "-" in period else (f"{period}-01", f"{period}-12")


def _volume(rows: Sequence[Mapping[str, int]], *names: str) -> Numbers:
    total = np.cumsum([0, *(sum(row[name] for name in names) for row in rows)])
    inside: Numbers = np.maximum(total[None, 1:] - total[:-1, None], 0)
    return inside


def _term(sign: int, shown: Mapping[Value, Numbers], volume: Numbers) -> Term:
    return Term(sign, shown, np.maximum(volume - sum(shown.values(), np.zeros_like(volume)), 0))
