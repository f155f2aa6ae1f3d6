"""The identity of stock and flow, kept from isolating fewer than k cases: what a release brings stands back for it.

Month by month, as they are released: where the cells of a release, with all before it, would let anybody derive a number
within 1 … k − 1 (`etl.model.identity`), the cohorts and open groups of that body and case type that this release brings
are peeled again, before anything is written, by the rungs that show neither service nor channel. Where its finished groups
alone would do so, beside what is out already, they are peeled again, too. All cases of the body and type lose both
together, so that nothing says which value it was for; and a release that shows neither tells nothing more, so that none is
stopped for good by what came out before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from etl.anonymise.held import fetch
from etl.anonymise.history import History
from etl.anonymise.population import Peeled, Place, Row
from etl.metadata import Policy
from etl.metadata.levels import ways
from etl.model.codes import EARLIER
from etl.model.identity import FINISHED, Books, Cell, Kind, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibis.expr.types import Table

COLUMNS = ("service", "channel")
_PLACE = ("body_id", "case_type_code", "period_code", "release_id")


def guard(
    peeled: Sequence[Peeled],
    groups: Table,
    *,
    margins: Sequence[Mapping[str, Any]],
    policy: Policy,
    history: History,
) -> tuple[list[Peeled], set[Place]]:
    """Give the populations with the groups that stand back peeled again, and the places whose finished groups must.

    peeled: cohorts and open groups of this run. groups: its finished groups, or sums of them, by place, service_id and
    channel_code. margins: all rows of `margin` up to the last due month. Cost: pure counting by body, type and value;
    peeling again only where something was found.
    """
    books = Books()
    books.add(margins, history.cells)
    cells = [
        *_finished_cells(groups, policy),
        *(cell for each in peeled for cell in _cells(each.population.name, each.groups, policy)),
    ]
    by_release: dict[str, list[Cell]] = {}
    for cell in cells:
        by_release.setdefault(cell.release_id, []).append(cell)
    barred: set[Place] = set()
    finished: set[Place] = set()
    for month in history.due:
        new = by_release.get(month.code, [])
        kinds = _narrow(books, new, month.code, policy)
        alone = [cell for cell in new if cell.population == FINISHED and _kind(cell) in kinds]
        bare = _narrow(books, alone, month.code, policy) if alone else set()
        books.add((), [cell for cell in new if _kind(cell) not in kinds])
        books.add((), [cell for cell in alone if _kind(cell) not in bare])
        barred |= {(month.code, *kind) for kind in kinds}
        finished |= {(month.code, *kind) for kind in bare}
    guarded = [each.without(COLUMNS, barred, k=policy.k) for each in peeled] if barred else list(peeled)
    return guarded, finished


def _narrow(books: Books, new: Sequence[Cell], release_id: str, policy: Policy) -> set[Kind]:
    found = books.with_cells(new).narrow(release_id, k=policy.k, ahead=True)
    return {(each.body_id, each.case_type_code) for each in found}


def _kind(cell: Cell) -> Kind:
    return cell.body_id, cell.case_type_code


def _finished_cells(groups: Table, policy: Policy) -> list[Cell]:
    return _cells(FINISHED, fetch(groups.filter(groups.period_code != EARLIER)), policy)


def _cells(population: str, rows: Sequence[Row], policy: Policy) -> list[Cell]:
    way = ways(policy.services)
    valued = [(row, Value.of(row, way)) for row in rows]
    return [Cell(population, *_place(row), value, row["case_count"]) for row, value in valued if value != Value(())]


def _place(row: Row) -> tuple[str, str, str, str]:
    return row["body_id"], row["case_type_code"], row["period_code"], row["release_id"]
