"""What people write by hand, as plain values and then as ours: nothing is lost in silence, nothing is taken for another type.

Where it stands: under the readers of metadata.yml and source.toml. PyYAML alone takes the last of two equal keys, reads the
key `no` as false and follows aliases without bound; cattrs alone makes a number of "12", true of "no" and a text of anything.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_origin

import cattrs
import yaml
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import ForbiddenExtraKeysError

MOST_VALUES = 100_000  # in one file, an alias counted as often as it is used
_TEXT = "tag:yaml.org,2002:str"
_WORDS: Mapping[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a day such as 2026-03-20",
    tuple: "a list",
}


class _ByHand(yaml.SafeLoader):
    """A loader that refuses a key twice and a key that is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping; ConstructorError where a key is lost or is not what it looks like."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != _TEXT:
                raise yaml.constructor.ConstructorError(None, None, "a key that is no text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Read one document written by hand; ValueError saying the line and what is wrong there.

    >>> read_yaml("k: 10"), read_yaml("")
    ({'k': 10}, None)
    >>> read_yaml("k: 10\\nk: 5")
    Traceback (most recent call last):
    ValueError: line 2: the key 'k' twice
    """
    try:
        raw = yaml.load(text, Loader=_ByHand)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ValueError(f"line {mark.line + 1}: {error.problem}" if mark else "not YAML") from None
    except yaml.YAMLError:
        raise ValueError("a letter that text does not have") from None
    except RecursionError:
        raise ValueError("lists in lists without end") from None
    _check_size(raw)
    return raw


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file written by hand; ValueError saying where and what is wrong there, empty where it is no text."""
    try:
        if path.is_file():  # a pipe would be waited for
            return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, OSError, RecursionError):
        pass
    raise ValueError


def _check_size(raw: Any) -> None:
    waiting, count = [raw], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES:,} values, aliases followed")
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def make_converter() -> cattrs.Converter:
    """Make a converter to frozen dataclasses that takes each value as what it is; an unknown key is an error."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, taken in ((str, (str, int)), (int, (int,)), (float, (int, float)), (bool, (bool,))):
        converter.register_structure_hook(kind, partial(_exact, kind=kind, taken=taken))
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook_factory(_is_list, _lists_only)
    return converter


def _exact(value: Any, _: Any, *, kind: type, taken: tuple[type, ...]) -> Any:
    """Take a value of its type; a number stands for the text of it, true for no number, and nothing is infinite."""
    if not isinstance(value, taken) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(_WORDS[kind])
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(_WORDS[kind])
    return kind(value)


def _day(value: Any, _: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return date.fromisoformat(value if isinstance(value, str) else "")


def _is_list(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _lists_only(cls: Any, converter: cattrs.BaseConverter) -> Callable[[Any, Any], Any]:
    structure = homogenous_tuple_structure_factory(cls, converter)

    def take(value: Any, kind: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(_WORDS[tuple])
        return structure(value, kind)

    return take


def faults_of(error: cattrs.BaseValidationError, place: str) -> list[tuple[str, str]]:
    """List (key, what is wrong with its value) of what a converter refused, five at most; the values are not told."""
    lines = cattrs.transform_error(error, path=place, format_exception=_say)[:5]
    return [
        (key.removeprefix(place).removeprefix("."), wrong)
        for wrong, _, key in (line.rpartition(" @ ") for line in lines)
    ]


def unknown_key(error: BaseException) -> tuple[str, list[str]] | None:
    """Name a key that a converter does not know, and the names of the keys it does; None where there is none."""
    if isinstance(error, ForbiddenExtraKeysError):
        return sorted(error.extra_fields)[0], [field.name for field in fields(error.cl)]
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next(filter(None, map(unknown_key, parts)), None)


def _say(error: BaseException, kind: Any) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    if is_dataclass(kind) or get_origin(kind) is not None and issubclass(get_origin(kind), Mapping):
        return "is no table of keys"
    return f"is not {_WORDS.get(get_origin(kind) or kind, 'of the right form')}"
