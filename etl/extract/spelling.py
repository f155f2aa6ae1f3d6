"""Rules of a mapping on texts: a code for many spellings, one value of several columns.

Where it stands: between the reader and the converter. `[map.NAME]` holds exact values and patterns (keys that begin with
`re:`); both are compared with the folded text (Arabic letters, digits, ZWNJ, case), exact values first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from etl.extract.rows import Batch, Encoded, encode
from etl.model.text import fold

PATTERN = "re:"

MapRule = Callable[[str], str | None]


def map_rule(pairs: Mapping[str, str]) -> MapRule:
    """Make a function from a folded text to its code; None where neither a value nor a pattern fits.

    >>> ward = map_rule({"none": "unknown", r"re:^(?:ward )?0*([0-9]+)$": r"ward_\\1"})
    >>> ward("ward 4"), ward("04"), ward("none"), ward("east")
    ('ward_4', 'ward_4', 'unknown', None)
    """
    exact = {fold(value): code for value, code in pairs.items() if not value.startswith(PATTERN)}
    patterns = [(re.compile(value[len(PATTERN) :]), code) for value, code in pairs.items() if value.startswith(PATTERN)]

    def code_of(text: str) -> str | None:
        if text in exact or not patterns:
            return exact.get(text)
        found = ((pattern.search(text), code) for pattern, code in patterns)
        return next((match.expand(code) for match, code in found if match), None)

    return code_of


def fixed_codes(pairs: Mapping[str, str]) -> Iterator[str]:
    """List the codes that a map writes out; those that a pattern makes of the text are known only when it is read."""
    for value, code in pairs.items():
        if not value.startswith(PATTERN) or "\\" not in code:
            yield code


def leave_out(batch: Batch, column: str, rule: MapRule) -> Batch:
    """Give a batch without the rows whose text in a column the rule knows: totals and titles, of which nothing is kept."""
    if not column:
        return batch
    encoded = batch.columns[column]
    known = [rule(fold(str(value))) is not None for value in encoded.values]
    if not any(known):
        return batch
    kept = pc.invert(encoded.take(known, pa.bool_()).fill_null(False))
    columns = {name: Encoded(each.values, each.places.filter(kept)) for name, each in batch.columns.items()}
    return Batch(batch.numbers.filter(kept), {name: encode(each.rows()) for name, each in columns.items()})


def combine(parts: Sequence[Encoded]) -> Encoded:
    """Take columns together: the distinct combinations as tuples, None in the place of what a row lacks."""
    if len(parts) == 1:
        return Encoded([(value,) for value in parts[0].values], parts[0].places)
    number = pa.repeat(pa.scalar(0, pa.int64()), len(parts[0].places))
    for part in parts:
        place = pc.fill_null(part.places.cast(pa.int64()), len(part.values))
        number = pc.add(pc.multiply(number, len(part.values) + 1), place)
    combined = number.dictionary_encode()
    code, columns = combined.dictionary, []
    for part in reversed(parts):
        rest = pc.divide(code, len(part.values) + 1)
        places = pc.subtract(code, pc.multiply(rest, len(part.values) + 1)).to_pylist()
        values = [*part.values, None]
        columns.append([values[place] for place in places])
        code = rest
    return Encoded(list(zip(*reversed(columns), strict=True)), combined.indices)


def join_columns(parts: Sequence[Encoded], separator: str, is_missing: Callable[[object], bool]) -> Encoded:
    """Join columns row by row, once per distinct combination; missing parts are left out, all missing is missing."""
    combined = combine(parts)
    texts = [
        separator.join(str(value).strip() for value in values if not is_missing(value)) or None
        for values in combined.values
    ]
    return Encoded(texts, combined.places)
