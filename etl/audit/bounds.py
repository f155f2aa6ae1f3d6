"""Linear programs over numbers of cases: the least and the most that a sum of hidden cells can be (HiGHS).

A thin layer over `highspy`: non-negative variables, rows with bounds, and two runs per question. Numbers of cases are
whole, so a least of 0.4 is 1 and a most of 9.7 is 9; a tolerance keeps rounding on the safe side of the adversary.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import highspy
import numpy as np

_EASE = 1e-6


class Bounds:
    """One linear program, asked again and again."""

    def __init__(self, sizes: int) -> None:
        """Make `sizes` variables, each from 0 up."""
        with _muted():  # the first one of a process prints who made it, on stdout
            self._program = highspy.Highs()  # type: ignore[no-untyped-call]
        self._program.setOptionValue("output_flag", False)
        self._program.setOptionValue("threads", 1)
        self._sizes = sizes
        self._program.addVars(sizes, np.zeros(sizes), np.full(sizes, highspy.kHighsInf))

    def add(self, variables: Iterable[int], *, least: float = 0, most: float = highspy.kHighsInf) -> None:
        """Hold a sum of variables between two numbers."""
        self.add_signed([(variable, 1.0) for variable in variables], least=least, most=most)

    def add_signed(self, terms: Iterable[tuple[int, float]], *, least: float, most: float) -> None:
        """Hold a sum of variables with factors between two numbers."""
        listed = list(terms)
        places = np.array([variable for variable, _ in listed], dtype=np.int32)
        factors = np.array([factor for _, factor in listed], dtype=np.float64)
        self._program.addRow(float(least), float(most), len(listed), places, factors)

    def of(self, variables: Iterable[int]) -> tuple[int, int] | None:
        """Give the least and the most of a sum of variables; None where nothing fits all rows.

        The most is -1 where there is none.
        """
        places = np.array(sorted(variables), dtype=np.int32)
        self._program.changeColsCost(self._sizes, np.arange(self._sizes, dtype=np.int32), np.zeros(self._sizes))
        self._program.changeColsCost(len(places), places, np.ones(len(places)))
        low = self._best(highspy.ObjSense.kMinimize)
        if low is None:
            return None
        high = self._best(highspy.ObjSense.kMaximize)
        return math.ceil(low - _EASE), -1 if high is None else math.floor(high + _EASE)

    def _best(self, sense: highspy.ObjSense) -> float | None:
        self._program.changeObjectiveSense(sense)
        self._program.run()
        if self._program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return float(self._program.getInfo().objective_function_value)


@contextmanager
def _muted() -> Iterator[None]:
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
