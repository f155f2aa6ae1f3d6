"""Choose among candidate patterns, so that all cases together keep most: a patterns' half of a set-cover problem.

A choice is a list of candidates, worthiest first. Each takes, in turn, the sequences that contain it and that no candidate
before it took; one that is left with fewer than k occurrences takes none. The choice begins with all candidates that
stand in this way, and is bettered by putting one in, leaving one out, or exchanging one for another, until nothing
helps or a fixed number of trials is spent (never a time, so that every machine chooses alike).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from etl.anonymise.embedding import Pattern

TRIALS_A_SEQUENCE = 60
ROUNDS = 6


@dataclass(frozen=True)
class Candidate:
    """A pattern, what a case keeps by it, and the occurrences that contain it as bits."""

    pattern: Pattern
    worth: int
    inside: int


def choose(candidates: Sequence[Candidate], first_bits: Sequence[int], *, k: int) -> dict[int, Pattern]:
    """Give sequences a pattern each: place -> pattern; those that no chosen pattern takes are left out.

    candidates: worthiest first. first_bits: for each sequence the first bit of its occurrences, and one bit past the last.
    """
    choice = _Choice(candidates, first_bits, k)
    choice.better()
    taken: dict[int, Pattern] = {}
    for number, free in zip(choice.order, choice.free_before, strict=False):
        own = candidates[number].inside & free
        taken |= {place: candidates[number].pattern for place, bit in enumerate(first_bits[:-1]) if own >> bit & 1}
    return taken


class _Choice:
    """The chosen candidates (by number: the order of worth) and what each of them found free."""

    def __init__(self, candidates: Sequence[Candidate], first_bits: Sequence[int], k: int) -> None:
        self._worth = [candidate.worth for candidate in candidates]
        self._inside = [candidate.inside for candidate in candidates]
        self._k = k
        self._all = (1 << first_bits[-1]) - 1
        self._trials = TRIALS_A_SEQUENCE * len(first_bits)
        self.order: list[int] = []
        self.free_before: list[int] = []  # one more than order: what is left at the end
        self._worth_before: list[int] = []
        self._take(range(len(candidates)))

    def better(self) -> None:
        """Better the choice until nothing helps."""
        for _ in range(ROUNDS):
            before = self._worth_before[-1]
            self._put_in()
            self._leave_out()
            self._exchange()
            if self._worth_before[-1] == before or self._trials <= 0:
                return

    def _put_in(self) -> None:
        for number in range(len(self._inside)):
            at = bisect_left(self.order, number)
            if at < len(self.order) and self.order[at] == number:
                continue
            now = self._worth_before[-1]
            if self._value_with(number, at, self.order, self.free_before, self._worth_before, above=now) > now:
                self._take([*self.order[:at], number, *self.order[at:]])

    def _leave_out(self) -> None:
        at = 0
        while at < len(self.order):
            value = self._worth_before[at] + self._value(self.order[at + 1 :], self.free_before[at])
            if value > self._worth_before[-1]:
                self._take([*self.order[:at], *self.order[at + 1 :]])
            else:
                at += 1

    def _exchange(self) -> None:
        for number in reversed(self.order[:]):
            if number not in self.order or self._trials <= 0:
                continue
            own = self._inside[number]
            kept = [other for other in self.order if other != number]
            rest, free, worth = self._taking(kept)
            best = (self._worth_before[-1], -1)
            for other in range(len(self._inside)):
                if other != number and self._inside[other] & own:
                    value = self._value_with(other, bisect_left(rest, other), rest, free, worth, above=best[0])
                    best = max(best, (value, -1 if value <= best[0] else other))
            if best[1] >= 0:
                self._take(sorted([*rest, best[1]]))

    def _value_with(
        self,
        number: int,
        at: int,
        order: Sequence[int],
        free_before: Sequence[int],
        worth_before: Sequence[int],
        *,
        above: int,
    ) -> int:
        """Value a choice with one more candidate; 0 where it would take too few, or could not be worth more than `above`.

        What the candidate leaves to others is worth no more than it was before.
        """
        own = self._inside[number] & free_before[at]
        count = own.bit_count()
        if count < self._k or worth_before[-1] + count * self._worth[number] <= above:
            return 0
        return worth_before[at] + count * self._worth[number] + self._value(order[at:], free_before[at] ^ own)

    def _value(self, order: Sequence[int], free: int) -> int:
        self._trials -= 1
        value, k, worth, inside = 0, self._k, self._worth, self._inside
        for number in order:
            own = inside[number] & free
            count = own.bit_count()
            if count >= k:
                value += count * worth[number]
                free ^= own
        return value

    def _take(self, order: Sequence[int]) -> None:
        self.order, self.free_before, self._worth_before = self._taking(order)

    def _taking(self, order: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
        """Let candidates take in turn: those that stand, what each found free, and the worth before each."""
        standing, free_before, worth_before = list[int](), [self._all], [0]
        for number in order:
            own = self._inside[number] & free_before[-1]
            count = own.bit_count()
            if count >= self._k:
                standing.append(number)
                free_before.append(free_before[-1] ^ own)
                worth_before.append(worth_before[-1] + count * self._worth[number])
        return standing, free_before, worth_before
