"""Stock and flow across populations: which hidden numbers anybody can derive, cell by cell (DESIGN §4 law 2, §6 gates).

Open cases before + registered + reopened − finished − withdrawn = open cases after: it holds for a body and case type, and
for every service family of it. Each of the six numbers is partly shown by family (cohorts, finished groups, the open
groups of a year's end) and partly hidden; the margins say how much. What is not shown widens: a family's hidden part of
one number lies between what all the others allow. Where both ends are within 1 … k − 1, fewer than k cases are isolated,
though each population by itself is safe. Pure counting; it is used before a release is made and before one leaves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FINISHED, COHORT, STOCK = "case_group", "cohort_group", "open_group"
POPULATIONS = (FINISHED, COHORT, STOCK)
CAME = ("registered_count", "late_registered_count")
WENT = ("finished_count", "late_finished_count")
FLOWS = (*CAME, *WENT, "reopened_count", "withdrawn_count", "open_count")
Kind = tuple[str, str]  # body, case type


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
    """One number of the identity: its sign, the cases shown by family, and how many show none."""

    sign: int
    shown: Mapping[str, int]
    hidden: int


def narrow_families(terms: Sequence[Term], *, k: int) -> list[str]:
    """List the families of which some term hides a number that the others hold within 1 … k − 1.

    Where one family alone is shown anywhere it says nothing that the case type does not: its numbers are the margins' own.

    >>> came, went = Term(1, {"permits": 40, "tax": 20}, 3), Term(-1, {"permits": 36, "tax": 20}, 0)
    >>> narrow_families([came, went, Term(-1, {}, 7)], k=10)  # four to seven of the open cases are permits
    ['permits']
    >>> narrow_families([came, went, Term(-1, {}, 7), Term(1, {}, 12), Term(-1, {}, 12)], k=10)
    []
    """
    found: list[str] = []
    families = sorted({family for term in terms for family in term.shown})
    for family in families if len(families) > 1 else ():
        shown = sum(term.sign * term.shown.get(family, 0) for term in terms)
        plus = sum(term.hidden for term in terms if term.sign > 0)
        minus = sum(term.hidden for term in terms if term.sign < 0)
        for term in terms:
            # the hidden part of this term makes up for what is shown and for what the others may hide
            if term.sign > 0:
                low, high = -shown - (plus - term.hidden), -shown + minus
            else:
                low, high = shown - (minus - term.hidden), shown + plus
            if 0 < max(low, 0) <= min(high, term.hidden) < k:
                found.append(family)
                break
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

        Looked at are the months from the first that the release tells something new about to its own.
        """
        found = []
        for kind, cells in self.cells.items():
            new = [cell for cell in cells if cell.release_id == release_id]
            for month in self._touched(kind, new, release_id):
                families = narrow_families(self.terms(kind, month), k=k)
                found += [Narrow(*kind, month, family) for family in families]
        return found

    def terms(self, kind: Kind, month: str) -> list[Term]:
        """Give the six numbers of the identity from the year's beginning to the end of a month."""
        year = month[:4]
        inside = {code: row for code, row in self.months[kind].items() if f"{year}-01" <= code <= month}
        first = inside[min(inside)]
        total = {name: sum(row[name] for row in inside.values()) for name in FLOWS}
        came, went = sum(total[name] for name in CAME), sum(total[name] for name in WENT)
        before = first["open_count"] - sum(first[name] for name in (*CAME, "reopened_count"))
        before += sum(first[name] for name in (*WENT, "withdrawn_count"))
        shown = self._shown(kind, month)
        base = shown["before"] if min(inside) == f"{year}-01" else Counter()
        return [
            _term(1, base, before),
            _term(1, shown[COHORT], came),
            Term(1, {}, total["reopened_count"]),
            _term(-1, shown[FINISHED], went),
            Term(-1, {}, total["withdrawn_count"]),
            _term(-1, shown["after"], inside[month]["open_count"]),
        ]

    def _shown(self, kind: Kind, month: str) -> dict[str, Counter[str]]:
        year, shown = month[:4], defaultdict[str, Counter[str]](Counter)
        for cell in self.cells[kind]:
            if cell.population == STOCK and cell.release_id == f"{int(year) - 1:04}-12":
                shown["before"][cell.family] += cell.case_count
            elif cell.population == STOCK and cell.release_id == month:
                shown["after"][cell.family] += cell.case_count
            elif cell.period_code[:4] == year:
                is_inside = cell.population == FINISHED and cell.release_id <= month
                if is_inside or (cell.population == COHORT and last_month(cell.period_code) <= month):
                    shown[cell.population][cell.family] += cell.case_count
        return shown

    def _touched(self, kind: Kind, new: Sequence[Cell], release_id: str) -> list[str]:
        if not new:
            return []
        first = min(cell.release_id if cell.population != COHORT else last_month(cell.period_code) for cell in new)
        return sorted(month for month in self.months[kind] if first <= month <= release_id)


def last_month(period: str) -> str:
    """Give the code of the month that ends a period.

    >>> last_month("1403-05"), last_month("1403-S2"), last_month("1403")
    ('1403-05', '1403-06', '1403-12')
    """
    if "S" in period:
        return f"{period[:4]}-{int(period[-1]) * 3:02}"
    return period if "-" in period else f"{period}-12"


def _term(sign: int, shown: Mapping[str, int], volume: int) -> Term:
    return Term(sign, shown, max(0, volume - sum(shown.values())))
