"""The words of the audit in both languages, from `words.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import yaml

LANGUAGES = ("fa", "en")
Words = Mapping[str, Mapping[str, Mapping[str, str]]]


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Read `words.yml`: kind (attacker, learnt, limit) -> code -> language -> text."""
    raw = yaml.safe_load(files("etl.audit").joinpath("words.yml").read_text(encoding="utf-8"))
    return {
        kind: {code: dict(zip(LANGUAGES, texts, strict=True)) for code, texts in codes.items()}
        for kind, codes in raw.items()
    }
