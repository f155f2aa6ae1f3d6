"""What anonymisation hands to loading: relations in which no row stands for one case, and one private relation.

Relations carry `release_id` and the published columns of the table of the same name (`etl/metadata/dictionary.yml`)
without its integer primary key: ids are given by `etl.load`, which alone knows the order of the published values.
Until then rows are tied by `group_key` and `trace_key`: text keys, unique in one run, never published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibis.expr.types import Table

    from etl.model.quality import QualityRow


@dataclass(frozen=True)
class Published:
    """The numbers of one or many releases, before they have ids.

    margin: columns of table `margin`.
    case_group: columns of `case_group` with `group_key` for its id and `trace_key` (NULL: no trace) for `trace_id`.
    case_group_step: `group_key` and the other columns of `case_group_step`.
    trace_step: `trace_key`, `level_code`, and the other columns of `trace_step`; one row per step of a distinct trace.
    statutory: columns of `statutory`.
    placement: private; population_code, case_key, group_key (NULL: waits), release_id, period_code, body_id,
        case_type_code (the body and type the case was first counted under). Only new rows.
    report: per release_id, counts that are 0, at least k, or the text "< k" (published as report.json).
    cadence_bootstrap: body -> case type -> cadence, as fixed at the first release (written into its policy.yml).
    numbers: the other published tables by name, each with the columns of its table (one that is not there is empty).
    quality: rows of table `quality` without its key, in any order.
    """

    margin: Table
    case_group: Table
    case_group_step: Table
    trace_step: Table
    statutory: Table
    placement: Table
    report: Mapping[str, Mapping[str, Any]]
    cadence_bootstrap: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quality: Sequence[QualityRow] = ()
    numbers: Mapping[str, Table] = field(default_factory=dict)

    @property
    def relations(self) -> tuple[Table, ...]:
        """The relations, in the order of their declaration."""
        held = (self.margin, self.case_group, self.case_group_step, self.trace_step, self.statutory, self.placement)
        return (*held, *self.numbers.values())
