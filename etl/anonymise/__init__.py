"""The heart: cases become groups of at least k, once; margins and a statutory table stand beside them (DESIGN §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.model.late import late

if TYPE_CHECKING:
    from etl.anonymise.history import History, due_months
    from etl.anonymise.loss import LossRow, loss_rows
    from etl.anonymise.release import anonymise
    from etl.anonymise.settled import with_settled

__all__ = [
    "History",
    "LossRow",
    "anonymise",
    "due_months",
    "loss_rows",
    "with_settled",
]
__getattr__ = late(
    __name__,
    {
        "history": ("History", "due_months"),
        "loss": ("LossRow", "loss_rows"),
        "release": ("anonymise",),
        "settled": ("with_settled",),
    },
)
