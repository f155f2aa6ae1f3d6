"""The shipped code lists joined with an instance's own: one row per code, in the order pages list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from etl.metadata.settings import Policy
from etl.model.codes import MILESTONES, NOT_RECORDED
from etl.model.plain_yaml import parse_yaml
from etl.model.text import persian_digits


@dataclass(frozen=True)
class CodeRow:
    """A code with its labels; `title_source` and `lang` are set where the source's own name stands in for a label."""

    list_code: str
    code: str
    parent_code: str | None
    position: int
    title_fa: str
    title_en: str
    title_source: str | None = None
    lang: str | None = None


@lru_cache(maxsize=1)
def shipped_codes() -> Mapping[str, Mapping[str, tuple[str, str, str | None]]]:
    """Read `codes.yml`: list -> code -> (fa, en, coarser code or None)."""
    raw = parse_yaml(files("etl.metadata").joinpath("codes.yml").read_text(encoding="utf-8"))
    return {
        name: {str(code): (t[0], t[1], t[2] if len(t) > 2 else None) for code, t in codes.items()}
        for name, codes in raw.items()
    }


def code_rows(policy: Policy) -> list[CodeRow]:
    """List every code an instance can publish: shipped ones, its own, and its duration bands."""
    rows: dict[tuple[str, str], CodeRow] = {}
    for name, codes in shipped_codes().items():
        for position, (code, (fa, en, parent)) in enumerate(codes.items()):
            rows[name, code] = CodeRow(name, code, parent, position, fa, en)
    fine, wide = policy.bands.duration, policy.bands.duration_wide
    parents = band_parents(fine, wide) if wide else {}
    bands = duration_bands(fine) | (duration_bands(wide, finest=fine) if wide else {})
    for position, (code, (fa, en)) in enumerate(bands.items()):
        rows["duration_band", code] = CodeRow("duration_band", code, parents.get(code), position, fa, en)
    for row in [rows["milestone", code] for code in MILESTONES] + [rows["lateness", NOT_RECORDED]]:
        rows["stage", row.code] = replace(row, list_code="stage")
    for position, (code, (fa, en)) in enumerate(duration_bands((0, *policy.bands.age)).items()):
        rows["age_band", code] = CodeRow("age_band", code, None, position, fa, en)
    rows.setdefault(("timed_band", str(policy.k)), _lowest_band(policy.k))
    for own in policy.codes:
        known = rows.get((own.list, own.code))
        position = known.position if known else 1000 + len(rows)
        source = next((text for lang, text in own.title.items() if lang not in ("fa", "en")), None)
        fa = own.title.get("fa") or source or own.title.get("en", own.code)
        en = own.title.get("en") or source or fa
        parent = own.parent or (known.parent_code if known else None)
        rows[own.list, own.code] = CodeRow(own.list, own.code, parent, position, fa, en, source, own.lang or None)
    return list(rows.values())


def _lowest_band(k: int) -> CodeRow:
    """Name the band of timed cases that begins at k and ends where the next shipped one begins."""
    edges = [int(code) for code in shipped_codes()["timed_band"]]
    position = sum(edge <= k for edge in edges) - 1
    if position + 1 == len(edges):
        return CodeRow("timed_band", str(k), None, position, persian_digits(f"{k} و بیشتر"), f"{k} or more")
    last = edges[position + 1] - 1
    label = (f"{k}", f"{k}") if k == last else (f"{k} تا {last}", f"{k} to {last}")
    return CodeRow("timed_band", str(k), None, position, persian_digits(label[0]), label[1])


def duration_bands(edges: tuple[int, ...], *, finest: tuple[int, ...] = ()) -> dict[str, tuple[str, str]]:
    """Name the bands between edges: code -> (fa, en); an edge belongs to the band below it, the last band is open.

    finest: the edges of the finest bands, where these are wider ones: a band that both have is one code.

    >>> list(duration_bands((0, 2, 5, 10)))
    ['00_02', '03_05', '06_10', '11_up']
    >>> list(duration_bands((0, 10), finest=(0, 5, 10, 120)))
    ['000_010', '011_up']
    """
    width = len(str((finest or edges)[-1] + 1))
    bands: dict[str, tuple[str, str]] = {}
    low = edges[0]
    for high in edges[1:]:
        label = (f"{low}", f"{low}") if low == high else (f"{low} تا {high}", f"{low} to {high}")
        bands[f"{low:0{width}}_{high:0{width}}"] = (persian_digits(label[0]), label[1])
        low = high + 1
    bands[f"{low:0{width}}_up"] = (persian_digits(f"بیش از {low - 1}"), f"over {low - 1}")
    return bands


def band_parents(fine: tuple[int, ...], wide: tuple[int, ...]) -> dict[str, str]:
    """Give the wide band of each fine band that is not itself one; the edges of the wide ones are some of the fine.

    >>> band_parents((0, 2, 5, 10), (0, 5, 10))
    {'00_02': '00_05', '03_05': '00_05'}
    """
    names = list(duration_bands(wide, finest=fine))
    parents: dict[str, str] = {}
    for high, code in zip((*fine[1:], None), duration_bands(fine), strict=True):
        place = len(names) - 1 if high is None else sum(edge < high for edge in wide[1:])
        if names[place] != code:
            parents[code] = names[place]
    return parents
