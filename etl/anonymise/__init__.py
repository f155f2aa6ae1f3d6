"""The heart: cases become groups of at least k, once; margins and a statutory table stand beside them (DESIGN §4)."""

from etl.anonymise.history import History, due_months
from etl.anonymise.loss import LossRow, loss_rows
from etl.anonymise.release import anonymise
from etl.anonymise.settled import with_settled

__all__ = ["History", "LossRow", "anonymise", "due_months", "loss_rows", "with_settled"]
