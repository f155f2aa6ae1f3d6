"""Random valid settings of an instance: what an operator may write, in combinations that nobody thinks of.

Everything follows from a seed. What the settings' own checks refuse is drawn again, so that every draw is one that the
program promises to serve.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from etl.errors import SettingsError
from etl.metadata import Policy, load_settings
from etl.metadata.ladder import check_ladder, check_rungs
from etl.metadata.levels import COLUMNS, DEFAULT_LEVELS
from etl.metadata.reading import COHORT_LEVELS, KNOWN_TO_OUTSIDERS, STOCK_LEVELS
from etl.metadata.written import read_yaml

Rung = dict[str, str]
LAST: Sequence[Rung] = ({"outcome": "code", "lateness": "code"}, {"outcome": "code"}, {"lateness": "code"}, {})
OUTCOMES = ("granted_full", "granted_partial", "completed", "refused_exempt", "not_held", "referred_elsewhere", "other")
CASE_TYPES = ("foi", "service", "complaint", "inquiry", "correspondence", "other")
MIDDLE = {"list": "level", "code": "group", "title": {"fa": "گروه", "en": "Group"}}


def draw_settings(seed: str, folder: Path) -> None:
    """Write a metadata.yml of a seed in the place of the one in a folder."""
    chance, path = random.Random(seed), folder / "metadata.yml"
    usual = read_yaml(path.read_text(encoding="utf-8"))
    for _ in range(100):
        own = usual["x-shafaf"] | _draw(chance)
        own["codes"] = [*usual["x-shafaf"]["codes"], MIDDLE]
        path.write_text(json.dumps(usual | {"x-shafaf": own}, ensure_ascii=False), encoding="utf-8")
        try:
            load_settings(folder)
        except SettingsError:
            continue
        return
    raise AssertionError("no valid settings in a hundred draws")


def _draw(chance: random.Random) -> dict[str, Any]:
    limit, season = chance.choice((3, 10, 20)), chance.choice((1, 5, 20))
    edges = sorted({0, limit, *chance.sample(range(1, 80), chance.randint(1, 7))})
    levels = _levels(chance)
    by_hand = chance.random() < 0.6
    weights = {column: chance.choice((1, 2, 5)) for column in COLUMNS if column == "outcome" or chance.random() < 0.7}
    return {
        "k": chance.choice((5, 6, 8, 10, 15, 50, 200)),
        "calendar": {"system": chance.choice(("jalali", "gregorian")), "holidays": chance.choice(("IR", ""))},
        "clocks": {
            "headline": chance.choice(("bylaw", "law")),
            "bylaw": {"days": limit, "kind": chance.choice(("working", "promised")), "from": "registered"},
            "law": {"days": limit, "kind": chance.choice(("working", "calendar")), "from": "received"},
        },
        "cadence": {
            "month": season + chance.choice((0, 40)),
            "season": season,
            "settle_days": chance.choice((0, 5, 15)),
        },
        "bands": {
            "duration": edges,
            "duration_wide": sorted({0, limit, chance.choice(edges), edges[-1]}),
            "age": [10, 40],
        },
        "levels": levels,
        "patterns": chance.choice(("mined", "public")),
        "ladder": _ladder(chance, levels) if by_hand else {"weights": weights, "rungs": chance.randint(6, 24)},
        "sensitive": _sensitive(chance),
        "statutory": {"case_types": [each for each in CASE_TYPES if chance.random() < 0.3]},
        "margins": {
            "join_small": chance.choice(({}, {"inquiry": "other"}, {"complaint": "service", "foi": "service"}))
        },
        "cohorts": {"ladder": _other_ladder(chance, COHORT_LEVELS), "promised_days": chance.choice((0, 30))},
        "stock": {"ladder": _other_ladder(chance, STOCK_LEVELS)},
    }


def _levels(chance: random.Random) -> dict[str, list[str]]:
    drawn = {column: [each for each in levels if chance.random() < 0.8] for column, levels in DEFAULT_LEVELS.items()}
    trees = {"service": ["leaf", "group", "family"], "unit": ["leaf", "group", "department"]}
    drawn |= {column: levels for column, levels in trees.items() if chance.random() < 0.5}
    return {column: levels for column, levels in drawn.items() if levels}


def _ladder(chance: random.Random, levels: Mapping[str, Sequence[str]]) -> list[Rung]:
    """Draw rungs with an outcome, fewer columns one after the other, then some of the last; an idle one is left out."""
    policy, made = Policy(levels={column: tuple(names) for column, names in levels.items()}), list[Rung]()

    def check(ladder: list[Rung]) -> None:
        check_ladder(replace(policy, ladder=tuple(ladder)))

    for place in range(chance.randint(1, 20)):
        kept = [each for each in COLUMNS if each == "outcome" or chance.random() < 0.9 - 0.03 * place]
        rung = {column: chance.choice(levels.get(column, DEFAULT_LEVELS[column])) for column in kept}
        made = _with(made, rung, check)
    for rung in LAST:
        made = _with(made, rung, check) if chance.random() < 0.8 else made
    return made


def _with(ladder: list[Rung], rung: Rung, check: Callable[[list[Rung]], None]) -> list[Rung]:
    try:
        check([*ladder, rung])
    except SettingsError:
        return ladder
    return [*ladder, rung]


def _sensitive(chance: random.Random) -> dict[str, Any]:
    coarser = {code: chance.choice(("positive", "negative", "other")) for code in chance.sample(OUTCOMES, 3)}
    return {
        "services": chance.choice(([], ["welfare"], ["green_space", "health"])),
        "coarsen": {"outcome": coarser},
        "implies": [column for column in COLUMNS if chance.random() < 0.3],
        "known_to_outsiders": [
            chance.sample(KNOWN_TO_OUTSIDERS, chance.randint(1, 3)) for _ in range(chance.randint(0, 3))
        ],
        "largest_share": chance.choice((0.5, 0.8, 1.0)),
    }


def _other_ladder(chance: random.Random, levels: Mapping[str, Sequence[str]]) -> list[Rung]:
    rungs = [
        {column: chance.choice(names) for column, names in levels.items() if chance.random() < 0.6}
        for _ in range(chance.randint(1, 8))
    ]
    made = list[Rung]()
    for rung in sorted(rungs, key=len, reverse=True):
        made = _with(made, rung, lambda ladder: check_rungs(ladder, levels, where="drawn"))
    return made
