"""Stock and flow across populations: which hidden numbers anybody can derive, cell by cell (DESIGN §4 law 2, §6 gates).

Open cases before + registered + reopened − finished − withdrawn = open cases after: it holds for a body and case type, and
for every service family of it, from every month end to every later one. Each of the six numbers is partly shown by family
(cohorts, finished groups, the open groups of a year's end) and partly hidden; the margins say how much. What is not shown
widens: a family's hidden part of one number lies between what all the others allow. Where both ends are within 1 … k − 1,
fewer than k cases are isolated, though each population by itself is safe. Pure counting, for all windows of a body and type
at once; it is used before a release is made and before one leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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


class Cell(NamedTuple):
    """Cases that a released population shows in a service family."""

    population: str
    body_id: str
    case_type_code: str
    period_code: str
    release_id: str
    family: str
    case_count: int


class Narrow(NamedTuple):
    """A hidden number that must lie within 1 … k − 1: of which body, type and family, at the end of which month."""

    body_id: str
    case_type_code: str
    month_code: str
    family: str


@dataclass(frozen=True)
class Term:
    """One number of the identity in every window: its sign, the cases shown by family, and how many show none."""

    sign: int
    shown: Mapping[str, Numbers]
    hidden: Numbers


def narrow_families(terms: Sequence[Term], *, k: int) -> dict[str, Mask]:
    """Say for each family in which windows some term hides a number that the others hold within 1 … k − 1.

    Where one family alone is shown in a window, all that is hidden can be its own, and the margins say that much.

    >>> def one(*counts): return (np.array([[count]]) for count in counts)
    >>> forty, twenty, thirty_six, three, none, seven, twelve = one(40, 20, 36, 3, 0, 7, 12)
    >>> came = Term(1, {"permits": forty, "tax": twenty}, three)
    >>> went = Term(-1, {"permits": thirty_six, "tax": twenty}, none)
    >>> narrow_families([came, went, Term(-1, {}, seven)], k=10)  # four to seven of the open cases are permits
    {'permits': array([[ True]]), 'tax': array([[False]])}
    >>> narrow_families([came, went, Term(-1, {}, seven), Term(1, {}, twelve), Term(-1, {}, twelve)], k=10)["permits"]
    array([[False]])
    """
    families = sorted({family for term in terms for family in term.shown})
    if len(families) < 2:
        return {}
    plus = sum((term.hidden for term in terms if term.sign > 0), np.int64(0))
    minus = sum((term.hidden for term in terms if term.sign < 0), np.int64(0))
    every = sum((own for term in terms for own in term.shown.values()), np.int64(0))
    found: dict[str, Mask] = {}
    for family in families:
        own = sum((term.shown[family] for term in terms if family in term.shown), np.int64(0))
        shown = sum((term.sign * term.shown[family] for term in terms if family in term.shown), np.int64(0))
        is_narrow: Mask = np.zeros(terms[0].hidden.shape, dtype=bool)
        for term in terms:
            # the hidden part of this term makes up for what is shown and for what the others may hide
            if term.sign > 0:
                low, high = -shown - (plus - term.hidden), -shown + minus
            else:
                low, high = shown - (minus - term.hidden), shown + plus
            most = np.minimum(high, term.hidden)
            is_narrow |= (low > 0) & (low <= most) & (most < k)
        found[family] = is_narrow & (own < every)
    return found


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

    def narrow(self, release_id: str, *, k: int) -> list[Narrow]:
        """List what the cells of one release, with all before it, let anybody derive.

        Looked at are the windows that hold a cell of the release, from the second month of the year before it on: what
        came before them every run knows in part only. A window is named by its last month.
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
            if touched.any():
                for family, is_narrow in narrow_families(self.terms(kind, months), k=k).items():
                    ends = np.flatnonzero((is_narrow & touched).any(axis=0))
                    found |= {Narrow(*kind, months[end], family) for end in ends}
        return sorted(found)

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
        first = f"{int(release_id[:4]) - 1:04}-02"
        return sorted(month for month in self.months[kind] if first <= month <= release_id)

    def _shown(self, kind: Kind, months: Sequence[str]) -> dict[str, dict[str, Numbers]]:
        """Sum the shown cases of each family, of a flow where they surely lie in a window, of a stock at its ends."""
        at, size = {month: place for place, month in enumerate(months)}, len(months)
        shown: dict[str, dict[str, Numbers]] = {name: {} for name in ("before", COHORT, FINISHED, "after")}

        def of(name: str, family: str) -> Numbers:
            return shown[name].setdefault(family, np.zeros((size, size), dtype=np.int64))

        for cell in self.cells[kind]:
            first, last = span_of(cell)
            if last not in at:
                continue
            if cell.population == STOCK:
                of("after", cell.family)[:, at[last]] += cell.case_count
                if at[last] + 1 < size:
                    of("before", cell.family)[at[last] + 1] += cell.case_count
            elif first in at:
                of(cell.population, cell.family)[: at[first] + 1, at[last] :] += cell.case_count
        return shown


def span_of(cell: Cell) -> tuple[str, str]:
    """Give the first and the last month in which the cases of a cell can count.

    >>> span_of(Cell("case_group", "alef", "service", "1403-05", "1403-08", "permits", 12))  # three months late
    ('1403-05', '1403-08')
    >>> span_of(Cell("cohort_group", "alef", "service", "1403-S2", "1403-08", "permits", 12))
    ('1403-04', '1403-06')
    >>> span_of(Cell("open_group", "alef", "service", "1403", "1403-12", "permits", 12))
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


def _term(sign: int, shown: Mapping[str, Numbers], volume: Numbers) -> Term:
    return Term(sign, shown, np.maximum(volume - sum(shown.values(), np.zeros_like(volume)), 0))
