"""Patterns: what at least k cases have in common where their whole timelines are too rare to show.

A pattern is steps in their order; where others may lie between two of them, before the first or after the last, it says
so, and where it does not, they follow each other directly in every case it stands for. It is found among the sequences
of the cases themselves and contains nothing that one of its cases has not: nothing is added, moved or joined.

Two stages. For each sequence, a beam search over its own sub-sequences collects patterns that enough cases contain, those
that keep most steps and most neighbours first. From all of these a set is chosen that keeps most over all cases: a case goes
to the best chosen pattern that it contains, and a pattern stands only where at least k cases are left to it (facility
location with lower bounds; greedy, then exchanges). Everything is decided by sequences and counts, ties by the symbols'
order: input order, engine, machine and time have no say. What is not found within the fixed bounds is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from etl.anonymise.choosing import Candidate, choose
from etl.anonymise.embedding import BEGIN, END, FIRST_SYMBOL, Book, Pattern

STEP_WORTH = 8  # what keeping one step of one case is worth, against
NEIGHBOURS_WORTH = 3  # two steps that are said to follow each other, and
EDGE_WORTH = 1  # the first or the last step being said to be it
SPREADS = (2, 8)  # what a search adds to the worth of what twice as many sequences contain: half of its ways each
MOST_COUNTED = 100  # occurrences are bits, and a sequence that occurs more often needs no more of them
BEAMS = ((8, 400), (4, 1_000))  # width of the search up to so many distinct sequences
MOST_SEQUENCES = BEAMS[-1][1]  # distinct sequences that can be looked at together

MOST_HELD = 1 << 26  # bytes of sets of places that searches hold together
NOWHERE = -1

LOOK_AHEAD = 8  # how many different steps a gap may pass over in a search
State = tuple[int, int, tuple[int, ...], tuple[bool, ...]]  # worth, spread, symbols, is_next


def mine_patterns(
    sequences: Sequence[Sequence[int]], counts: Sequence[int], *, k: int, known: Sequence[Pattern] | None = None
) -> dict[int, Pattern]:
    """Find patterns for sequences, each with its number of occurrences: place of the sequence -> its pattern.

    sequences: distinct, at most MOST_SEQUENCES; symbols from FIRST_SYMBOL. known: the only patterns to choose from; None:
    any. Every pattern is contained in the sequences it stands for, and these have k occurrences or more; a sequence
    without such a pattern is left out. Cost: some milliseconds a sequence.

    >>> mine_patterns([(2, 3, 4), (2, 3, 5)], [5, 5], k=10)[0]
    Pattern(symbols=(0, 2, 3, 1), is_next=(False, True, True, False))
    """
    order = sorted(range(len(sequences)), key=lambda place: tuple(sequences[place]))
    whole = [framed(sequences[place]) for place in order]
    most = max(MOST_COUNTED, k)
    book = Book(whole, [min(counts[place], most) for place in order])
    candidates = find_candidates(book, whole, k=k) if known is None else fitting_candidates(book, known, k=k)
    chosen = choose(candidates, book.first_bits, k=k)
    return {order[number]: pattern for number, pattern in chosen.items()}


def framed(sequence: Sequence[int]) -> tuple[int, ...]:
    """Put a sequence between BEGIN and END."""
    return (BEGIN, *sequence, END)


def find_candidates(book: Book, sequences: Sequence[Sequence[int]], *, k: int) -> list[Candidate]:
    """Search the sub-sequences of every sequence."""
    width = next((width for width, most in BEAMS if len(sequences) <= most), BEAMS[-1][0])
    ways = Ways(book, k=k)
    found = {pattern for sequence in sequences for pattern in search(ways, sequence, width=width)}
    return fitting_candidates(book, sorted(found), k=k)


def fitting_candidates(book: Book, patterns: Iterable[Pattern], *, k: int) -> list[Candidate]:
    """Keep the patterns with a step in at least k occurrences; of those in the same sequences only the worthiest."""
    best: dict[int, tuple[int, Pattern]] = {}
    for pattern in patterns:
        inside = book.containing(pattern, book.whole)
        worth = sum(
            worth_of(symbol, before, is_next=is_next)
            for before, symbol, is_next in zip(pattern.symbols, pattern.symbols[1:], pattern.is_next[1:], strict=False)
        )
        is_new = inside not in best or (-worth, pattern) < (-best[inside][0], best[inside][1])
        if worth >= STEP_WORTH and is_new and book.count(inside) >= k:
            best[inside] = (worth, pattern)
    found = [Candidate(pattern, worth, book.occurrences(inside)) for inside, (worth, pattern) in best.items()]
    return sorted(found, key=lambda candidate: (-candidate.worth, candidate.pattern))


def known_patterns(released: Iterable[Sequence[tuple[str, bool]]], symbol_of: Mapping[str, int]) -> list[Pattern]:
    """Turn released timelines and patterns (rows of activity and is_gap) into patterns over a class's symbols.

    Each gives itself, itself with a gap opened at any one place, and itself with a gap everywhere: a fixed list, so that
    the data of the period choose among public patterns and make none.
    """
    found: set[Pattern] = set()
    for rows in released:
        steps = [activity for activity, is_gap in rows if not is_gap]
        if not steps or any(activity not in symbol_of for activity in steps):
            continue
        symbols = framed([symbol_of[activity] for activity in steps])
        after_gap = [is_gap for _, is_gap in rows]
        closed = [False]
        for place, (_, is_gap) in enumerate(rows):
            if not is_gap:
                closed.append(not (place and after_gap[place - 1]))
        closed.append(not after_gap[-1])
        found.add(Pattern(symbols, tuple(closed)))
        found.add(Pattern(symbols, (False,) * len(symbols)))
        for place in range(1, len(symbols)):
            found.add(Pattern(symbols, (*closed[:place], False, *closed[place + 1 :])))
    return sorted(found)


class Ways:
    """The sets of places that searches of a book come to, numbered, so that no two searches work out the same step.

    A set is kept if k occurrences share it; NOWHERE stands for the others.
    """

    def __init__(self, book: Book, *, k: int) -> None:
        """Begin before the first symbol of every sequence."""
        self._book, self._k = book, k
        self._most = MOST_HELD // (book.free.bit_length() // 8 + 1)
        self._forget()

    def begin(self) -> int:
        """Give the number of the set where all searches begin; what was held is forgotten first, if it is much."""
        if len(self.shared) > self._most:
            self._forget()
        return self._number_of(self._book.whole)

    def step(self, number: int, symbol: int, *, is_next: bool) -> int:
        """Give the number of the set to which a symbol leads, directly next to the set or anywhere later."""
        key = (number, symbol, is_next)
        found = self._steps.get(key)
        if found is None:
            places = self._places[number]
            there = (places << 1 if is_next else self._book.later(places)) & self._book.of_symbol[symbol]
            found = self._steps[key] = self._number_of(there)
        return found

    def _forget(self) -> None:
        self._steps: dict[tuple[int, int, bool], int] = {}
        self._numbers: dict[int, int] = {}
        self._places: list[int] = []
        self.shared: list[int] = []  # by number: how many sequences share the set, see `_shared`

    def _number_of(self, places: int) -> int:
        number = self._numbers.get(places, NOWHERE)
        if number == NOWHERE:
            shared = _shared(self._book, places, self._k)
            if shared:
                number = self._numbers[places] = len(self._places)
                self._places.append(places)
                self.shared.append(shared)
        return number


def search(ways: Ways, sequence: Sequence[int], *, width: int) -> list[Pattern]:
    """Give `width` patterns of those worth most that `sequence` contains, and at least k occurrences of the book."""
    end = len(sequence) - 1
    reached: list[dict[int, State]] = [{} for _ in sequence]  # by place in the sequence: set of places -> best way
    begin = ways.begin()
    if begin == NOWHERE:
        return []
    reached[0][begin] = (0, 0, (BEGIN,), (False,))
    for at in range(end):
        onward = [(at + 1, True), *((place, False) for place in _ahead(sequence, at))]
        for number, state in _best(reached[at], width):
            for place, is_next in onward:
                there = ways.step(number, sequence[place], is_next=is_next)
                if there == NOWHERE:
                    continue
                worth = state[0] + worth_of(sequence[place], sequence[at], is_next=is_next)
                known = reached[place].get(there)
                if known is None or worth > known[0]:
                    symbols, marks = (*state[2], sequence[place]), (*state[3], is_next)
                    reached[place][there] = (worth, ways.shared[there], symbols, marks)
    return [Pattern(state[2], state[3]) for _, state in _best(reached[end], width)]


def _ahead(sequence: Sequence[int], at: int) -> list[int]:
    """List the next place of each of the next LOOK_AHEAD symbols, and the end."""
    first: dict[int, int] = {}
    for place in range(at + 1, len(sequence) - 1):
        first.setdefault(sequence[place], place)
        if len(first) == LOOK_AHEAD:
            break
    return [*first.values(), len(sequence) - 1]


def _shared(book: Book, places: int, k: int) -> int:
    """Weigh how many sequences share places: 0 for fewer than k occurrences, else 1 + four times the logarithm of the rest."""
    if not places:
        return 0
    free_bits = book.among(places)
    count = free_bits.bit_count()
    if count < k and book.count(free_bits) < k:
        return 0
    return 1 + (count**4 // k**4).bit_length()


def worth_of(symbol: int, before: int, *, is_next: bool) -> int:
    """Say what a symbol of a pattern is worth after the one before it."""
    step = STEP_WORTH if symbol >= FIRST_SYMBOL else 0
    if not is_next:
        return step
    return step + (NEIGHBOURS_WORTH if symbol >= FIRST_SYMBOL and before >= FIRST_SYMBOL else EDGE_WORTH)


def _best(states: dict[int, State], width: int) -> list[tuple[int, State]]:
    if len(states) <= width:
        return sorted(states.items(), key=lambda item: item[1][2:])
    best: dict[int, State] = {}
    for spread in SPREADS:
        ranked = sorted(states.items(), key=lambda item: (-4 * item[1][0] - spread * item[1][1], item[1][2:]))
        best |= dict(ranked[: width // len(SPREADS)])
    return list(best.items())
