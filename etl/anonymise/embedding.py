"""Patterns inside sequences: which of many sequences contain a pattern, all asked at once by arithmetic on one integer.

A pattern is a row of symbols between BEGIN and END with a mark on each: is it directly next to the symbol before it, or may
others lie between? The sequences of a `Book` stand one after the other in the bits of one integer, each followed by a
free bit. A set of places is such an integer, so that one shift finds the neighbours and one subtraction finds everything
that comes later, in all sequences at once (the bit-parallel matching of Baeza-Yates and Gonnet, Comm. ACM 35 (10), 1992;
what comes later: a subtraction whose borrow stops at the free bit, as in Hyyrö's longest common subsequences, 2004).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

BEGIN = 0
END = 1
FIRST_SYMBOL = 2


@dataclass(frozen=True, order=True)
class Pattern:
    """Symbols from BEGIN to END, and for each whether it is directly next to the one before it (BEGIN: no)."""

    symbols: tuple[int, ...]
    is_next: tuple[bool, ...]


class Book:
    """Sequences from BEGIN to END with how often each occurs.

    Places are bits of an integer. A set of sequences is given by the places of their BEGIN, or by their free bits.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], counts: Sequence[int]) -> None:
        """Lay the sequences side by side."""
        places: dict[int, list[int]] = {}
        self._free_bits: list[int] = []
        at = 0
        for sequence in sequences:
            for symbol in sequence:
                places.setdefault(symbol, []).append(at)
                at += 1
            self._free_bits.append(at)
            at += 1
        self.of_symbol = {symbol: _bits(found, at) for symbol, found in places.items()}
        self.free = _bits(self._free_bits, at)
        self.whole = self.of_symbol.get(BEGIN, 0)
        self._octets = at // 8 + 1
        self.first_bits = [0, *accumulate(counts)]
        self._occurrences = {
            bit: ((1 << count) - 1) << first
            for bit, count, first in zip(self._free_bits, counts, self.first_bits, strict=False)
        }
        digits = max((count.bit_length() for count in counts), default=0)
        self._planes = [
            _bits([bit for bit, count in zip(self._free_bits, counts, strict=True) if count >> digit & 1], at)
            for digit in range(digits)
        ]

    def later(self, places: int) -> int:
        """Give every place after the first of `places` in its sequence (and free bits, which no symbol has)."""
        return (self.free - places) ^ places

    def among(self, places: int) -> int:
        """Give the free bits of the sequences in which `places` lie."""
        return self.free & ~(self.free - places)

    def count(self, free_bits: int) -> int:
        """Count the occurrences of sequences, given by their free bits."""
        total = 0
        for digit, plane in enumerate(self._planes):
            total += (free_bits & plane).bit_count() << digit
        return total

    def containing(self, pattern: Pattern, begins: int) -> int:
        """Give the free bits of those sequences, given by their BEGIN, that contain a pattern."""
        places = begins
        for symbol, is_next in zip(pattern.symbols[1:], pattern.is_next[1:], strict=True):
            places = (places << 1 if is_next else self.later(places)) & self.of_symbol.get(symbol, 0)
            if not places:
                return 0
        return self.among(places)

    def occurrences(self, free_bits: int) -> int:
        """Turn free bits into the occurrences of their sequences, one bit each from `first_bits` on."""
        octets = free_bits.to_bytes(self._octets, "little")
        found = 0
        for bit, own in self._occurrences.items():
            if octets[bit >> 3] >> (bit & 7) & 1:
                found |= own
        return found


def embed(pattern: Pattern, sequence: Sequence[int]) -> tuple[int, ...] | None:
    """Give the places of a pattern's symbols in a sequence, each block of neighbours as early as it can be; None: not there.

    >>> embed(Pattern((0, 5, 6, 1), (False, False, True, False)), (0, 5, 7, 5, 6, 1))
    (0, 3, 4, 5)
    """
    found: list[int] = []
    for block in blocks(pattern):
        start = next((at for at in range(_after(found), len(sequence)) if _stands(block, sequence, at)), None)
        if start is None:
            return None
        found += range(start, start + len(block))
    return tuple(found)


def blocks(pattern: Pattern) -> list[tuple[int, ...]]:
    """Cut a pattern into its blocks of neighbours.

    >>> blocks(Pattern((0, 5, 6, 1), (False, False, True, False)))
    [(0,), (5, 6), (1,)]
    """
    cut: list[list[int]] = []
    for symbol, is_next in zip(pattern.symbols, pattern.is_next, strict=True):
        if is_next and cut:
            cut[-1].append(symbol)
        else:
            cut.append([symbol])
    return [tuple(block) for block in cut]


def _after(found: Sequence[int]) -> int:
    return found[-1] + 1 if found else 0


def _stands(block: Sequence[int], sequence: Sequence[int], at: int) -> bool:
    return tuple(sequence[at : at + len(block)]) == tuple(block)


def _bits(places: Iterable[int], width: int) -> int:
    octets = bytearray(width // 8 + 1)
    for place in places:
        octets[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(octets, "little")
