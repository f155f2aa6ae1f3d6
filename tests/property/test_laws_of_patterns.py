"""Patterns on random sequences: true, shared, the same from any order, and found by the plain search too."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from etl.anonymise.embedding import END, FIRST_SYMBOL, Book, Pattern, blocks, embed
from etl.anonymise.patterns import Ways, framed, known_patterns, mine_patterns, search
from tests.reference.patterns import stand, written

NAMES = tuple("abcdef")
SEQUENCES = st.dictionaries(
    st.lists(st.integers(FIRST_SYMBOL, FIRST_SYMBOL + 4), min_size=1, max_size=9).map(tuple),
    st.integers(1, 6),
    max_size=24,
)
K = 5
bounded = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def named(sequence: tuple[int, ...]) -> tuple[str, ...]:
    """Give the activities of a coded sequence."""
    return tuple(NAMES[symbol - FIRST_SYMBOL] for symbol in sequence)


@bounded
@given(SEQUENCES)
def test_a_pattern_is_true_of_every_sequence_it_stands_for(counts: dict[tuple[int, ...], int]) -> None:
    """Each sequence contains its pattern, neighbours next to each other, where a search that tries every way looks for it."""
    sequences = list(counts)
    for place, pattern in mine_patterns(sequences, list(counts.values()), k=K).items():
        found = stand(written(pattern, NAMES), named(sequences[place]))
        assert found is not None
        assert [at for at in found if at is not None] == [
            at - 1 for at in (embed(pattern, framed(sequences[place])) or ())[1:-1]
        ]


@bounded
@given(SEQUENCES)
def test_a_pattern_stands_for_k_occurrences_and_shows_a_step(counts: dict[tuple[int, ...], int]) -> None:
    """The sequences of a pattern occur k times together, and no pattern is only gaps."""
    mined = mine_patterns(list(counts), list(counts.values()), k=K)
    sizes: Counter[Pattern] = Counter()
    for place, n in enumerate(counts.values()):
        if place in mined:
            sizes[mined[place]] += n
    assert all(size >= K for size in sizes.values())
    assert all(len(pattern.symbols) > 2 for pattern in sizes)


@bounded
@given(SEQUENCES)
def test_order_does_not_matter(counts: dict[tuple[int, ...], int]) -> None:
    """The same sequences in another order get the same patterns."""
    first = mine_patterns(list(counts), list(counts.values()), k=K)
    order = sorted(range(len(counts)), key=lambda place: (place * 7 + 3) % 11)
    sequences, numbers = list(counts), list(counts.values())
    again = mine_patterns([sequences[place] for place in order], [numbers[place] for place in order], k=K)
    assert {order[place]: pattern for place, pattern in again.items()} == first


@bounded
@given(SEQUENCES)
def test_what_a_search_remembers_changes_nothing(counts: dict[tuple[int, ...], int]) -> None:
    """Searches that share the ways of the ones before find what each finds with ways of its own."""
    whole = [framed(sequence) for sequence in sorted(counts)]
    book = Book(whole, [counts[sequence] for sequence in sorted(counts)])
    shared = Ways(book, k=K)
    for sequence in whole:
        assert search(shared, sequence, width=8) == search(Ways(book, k=K), sequence, width=8)


@bounded
@given(SEQUENCES)
def test_no_follows_is_counted_that_never_happened(counts: dict[tuple[int, ...], int]) -> None:
    """The directly-follows counts that patterns give are nowhere above those of the sequences."""
    sequences = list(counts)
    told: Counter[tuple[int, int]] = Counter()
    true: Counter[tuple[int, int]] = Counter()
    for place, pattern in mine_patterns(sequences, list(counts.values()), k=K).items():
        n = counts[sequences[place]]
        told.update(
            {pair: times * n for pair, times in Counter(p for b in blocks(pattern) for p in pairwise(b)).items()}
        )
        true.update({pair: times * n for pair, times in Counter(pairwise(framed(sequences[place]))).items()})
    assert told <= true


@bounded
@given(SEQUENCES)
def test_a_public_pattern_was_released_before(counts: dict[tuple[int, ...], int]) -> None:
    """With known patterns only, every sequence shows one of them: a released timeline, with a gap at one place or everywhere."""
    sequences = list(counts)
    symbol_of = {name: FIRST_SYMBOL + place for place, name in enumerate(NAMES)}
    released = [tuple((name, False) for name in named(sequence)) for sequence in sequences[:3]]
    known = known_patterns(released, symbol_of)
    mined = mine_patterns(sequences, list(counts.values()), k=K, known=known)
    assert set(mined.values()) <= set(known)
    assert {pattern.symbols[1:-1] for pattern in mined.values()} <= set(sequences[:3])
    assert all(pattern.symbols[-1] == END for pattern in known)
