"""Reads `source.toml`: an unknown key is an error that names the nearest known one, a value of another type says which.

Where it stands: the operator's data -> here -> `etl.extract.mapping`, checked. It opens no source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import cattrs

from etl.errors import SettingsError, nearest
from etl.extract.checking import check_source, unknown_name
from etl.extract.mapping import ColumnMap, SourceMap
from etl.metadata import Settings
from etl.metadata.written import faults_of, make_converter, read_toml, unknown_key

_NOT_KEYS = ("name", "folder", "date_events")  # fields of a mapping that its file does not write so


def load_sources(folder: Path, settings: Settings, *, only: Iterable[str] = ()) -> tuple[SourceMap, ...]:
    """Read every mapping in `sources/` by name; SettingsError where there is none or `only` names an unknown one."""
    names = sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())
    for name in names or ("NAME",):
        if not (folder / name / "source.toml").exists():
            raise SettingsError(
                "no-sources",
                found=f"no sources/{name}/source.toml",
                expected="at least one source, and a mapping in the folder of each",
                todo="Write it; docs/reference/source-toml.md says how, examples/ has five.",
            )
    wanted = tuple(only) or tuple(names)
    for name in wanted:
        if name not in names:
            raise SettingsError(
                "unknown-source",
                found=f"the source {name!r}",
                expected=f"one of {', '.join(names)}",
                todo=f"Nearest: {nearest(name, names)}.",
            )
    return tuple(load_source(folder / name, settings) for name in names if name in wanted)


def load_source(folder: Path, settings: Settings) -> SourceMap:
    """Read and check one mapping; SettingsError in three parts where it is wrong."""
    place = f"sources/{folder.name}/source.toml"
    try:
        raw = read_toml(folder / "source.toml")
    except ValueError as error:
        found = f"{place} that cannot be read as TOML{f' ({error})' if str(error) else ''}"
        expected, todo = "TOML in UTF-8, each key once", "Correct the file."
        raise SettingsError("source-syntax", found=found, expected=expected, todo=todo) from None
    for key in _NOT_KEYS:
        if key in raw:
            raise unknown_name(key, [f.name for f in fields(SourceMap)][2:], place)
    whole = {**raw, "name": folder.name, "folder": folder}
    if isinstance(raw.get("event"), list):
        whole["date_events"] = whole.pop("event")
    whole.setdefault("zone", settings.policy.calendar.zone)
    whole.setdefault("calendar", settings.policy.calendar.system)
    try:
        source = _CONVERTER.structure(whole, SourceMap)
    except cattrs.BaseValidationError as error:
        raise _explain(error, place) from None
    check_source(source)
    return source


def _explain(error: cattrs.BaseValidationError, place: str) -> SettingsError:
    unknown = unknown_key(error)
    if unknown:
        return unknown_name(unknown[0], (name for name in unknown[1] if name not in _NOT_KEYS), place)
    lines = "; ".join(f"{key or 'all of it'} {wrong}" for key, wrong in faults_of(error, place))
    found, expected = f"in {place}: {lines}", "the keys that docs/reference/source-toml.md names"
    return SettingsError("source-type", found=found, expected=expected, todo="Correct the mapping.")


def _texts(value: Any, _: Any) -> tuple[str, ...]:
    if not isinstance(value, str | list):
        raise ValueError
    return (value,) if isinstance(value, str) else tuple(str(item) for item in value)


def _rows(value: Any, _: Any) -> tuple[int, ...]:
    numbers = value if isinstance(value, list) else [value]
    if not all(type(number) is int for number in numbers):
        raise ValueError
    return tuple(numbers)


def _references(value: Any, _: Any) -> tuple[tuple[str, ...], ...]:
    alternatives = [value] if isinstance(value, str) else value
    return tuple(_texts(item, None) for item in alternatives)


def _name_or_pairs(value: Any, _: Any) -> str | Mapping[str, str]:
    if not isinstance(value, str | dict):
        raise ValueError
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else value


def _make_converter() -> cattrs.Converter:
    converter = make_converter()
    converter.register_structure_hook_func(lambda cls: cls == tuple[str, ...], _texts)
    converter.register_structure_hook_func(lambda cls: cls == tuple[int, ...], _rows)
    converter.register_structure_hook_func(lambda cls: cls == tuple[tuple[str, ...], ...], _references)
    converter.register_structure_hook_func(lambda cls: cls == str | Mapping[str, str], _name_or_pairs)
    structure = converter.get_structure_hook(ColumnMap)
    converter.register_structure_hook(
        ColumnMap, lambda v, cls: structure({"column": v} if isinstance(v, str) else v, cls)
    )
    return converter


_CONVERTER = _make_converter()
